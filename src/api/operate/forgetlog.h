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
 *
 * Of a log that is one of all nodes what experiments keep of the user is deleted at once, unless
 * this is the coordinator: it stays deleted if the transaction is rolled back.  And the index of
 * a shard of a distributed recommender has nothing deleted there: the index that stands for all
 * of them has.
 */
extern void RecsysForgetInLog(List *indexes, const char *user);

#endif							/* RECSYS_FORGETLOG_H */
