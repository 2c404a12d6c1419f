/*
 * forget.h
 *	  Forgetting a user.
 */
#ifndef RECSYS_FORGET_H
#define RECSYS_FORGET_H

#include "am/merge/merge.h"
#include "core/rows/key.h"

/*
 * From now on none of the user's present rows counts, neither in the user's own
 * answers nor in the graph; returns how many entries were forgotten that had not
 * been before.  Rows inserted later count again.  The caller holds
 * RowExclusiveLock on both relations.  When it is cut short, it is to be called
 * again.
 */
extern int64 RecsysForgetUser(Relation heap, Relation index, const RecsysKey *user);

/* The same of rows that are not known to be later than that, by the clock of the time column. */
extern int64 RecsysForgetUserUntil(Relation heap, Relation index, const RecsysKey *user, int64 until);

#endif							/* RECSYS_FORGET_H */
