/*
 * members.h
 *	  Teams of processes, to run the dense models by.
 */
#ifndef RECSYS_MEMBERS_H
#define RECSYS_MEMBERS_H

#include "core/dense/densemodel.h"

/* Memory that processes share once they are forked; all zero. */
extern void *members_allocate(Size size);
extern void members_free(void *place, Size size);

/* Call work in so many processes, of which this one leads.  Fails the test where one fails. */
typedef void (*MembersWork) (RecsysTeam *team, void *arg);

extern void members_run(int members, MembersWork work, void *arg);

extern RecsysDenseTask members_task(const RecsysMatrix *users, const RecsysItemTotals *totals,
									const RecsysModelOptions *options);

/* Takes what it wants from the block. */
typedef void (*MembersKeep) (void *arg, const RecsysDenseTask *task, void *shared);

/*
 * Train a model by so many processes and report its rows in ascending order.  Returns the most
 * bytes that this process took beside users, totals and the block.  keep may be NULL.
 */
extern Size members_train(const RecsysDenseModel *model, RecsysDenseTask task, int members,
						  const RecsysMatrix *users, const RecsysItemTotals *totals,
						  RecsysRowReporter report, void *arg, MembersKeep keep, void *keep_arg);

/* In test_dense.c: who trains makes no difference, nor in which order users come. */
extern void test_members(const RecsysDenseModel *model, RecsysDenseTask task,
						 const RecsysMatrix *users, const RecsysItemTotals *totals);

#endif							/* RECSYS_MEMBERS_H */
