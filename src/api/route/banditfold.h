/*
 * banditfold.h
 *	  Folding: from rows of trials and rewards to the state of a bandit.
 */
#ifndef RECSYS_BANDITFOLD_H
#define RECSYS_BANDITFOLD_H

#include "postgres.h"

#include "api/route/banditrow.h"

/* A call has written so many rows: folds some if it is time.  As the keeper. */
extern void RecsysFoldNowAndThen(const RecsysBandit *bandit, int rows);

/* A call has seen so many that are not folded. */
extern void RecsysNoteBanditBacklog(const RecsysBandit *bandit, int64 rows);

/* Forgets the state of a generation; its lock is held until the end of the transaction. */
extern void RecsysForgetBanditState(const pg_uuid_t *generation);

/* Likewise of what was learned of features. */
extern void RecsysForgetBanditSums(const pg_uuid_t *generation);

#endif							/* RECSYS_BANDITFOLD_H */
