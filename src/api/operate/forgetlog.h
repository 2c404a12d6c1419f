/*
 * forgetlog.h
 *	  Forgetting a user in the log.
 */
#ifndef RECSYS_FORGETLOG_H
#define RECSYS_FORGETLOG_H

#include "postgres.h"

#include "nodes/pg_list.h"

/*
 * Deletes the requests of a user, whose key is that text, that were answered by one of the indexes or
 * by a declared recommender that has a signal over one of them, and what has followed them.
 */
extern void RecsysForgetInLog(List *indexes, const char *user);

#endif							/* RECSYS_FORGETLOG_H */
