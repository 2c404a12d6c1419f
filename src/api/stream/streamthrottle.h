/*
 * streamthrottle.h
 *	  How long consumers are to wait when the target's indexes have too much to merge.
 */
#ifndef RECSYS_STREAMTHROTTLE_H
#define RECSYS_STREAMTHROTTLE_H

#include "postgres.h"

#include "utils/jsonb.h"

/*
 * Milliseconds, 0: not at all.  It grows with what is pending above max_pending, up to ten
 * seconds at twice that.  Looked at ten times a second, and earlier when this session has written
 * an eighth of max_pending since; rows have been written now.  An index that is locked by somebody
 * is passed over.
 */
extern int	RecsysStreamThrottle(const char *stream, Jsonb *definition, int64 rows);

#endif							/* RECSYS_STREAMTHROTTLE_H */
