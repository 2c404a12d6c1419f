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

#endif							/* RECSYS_FORGET_H */
