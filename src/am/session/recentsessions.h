/*
 * recentsessions.h
 *	  An item's recent sessions: the newest entries of its list.
 */
#ifndef RECSYS_RECENTSESSIONS_H
#define RECSYS_RECENTSESSIONS_H

#include "postgres.h"

#include "core/rows/key.h"
#include "utils/rel.h"

/*
 * The number of an item, and the hashes of the users of its newest entries, the newest first, as
 * many as `most` entries have; a user may come again.  Whether a row is there to be seen is not
 * asked.  Returns how many, -1 if there is no such item.
 */
extern int	RecsysReadRecentSessions(Relation index, const RecsysKey *item, int most,
									 uint32 *hashes, uint32 *number);

#endif							/* RECSYS_RECENTSESSIONS_H */
