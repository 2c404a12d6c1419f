/*
 * ease.h
 *	  EASE: the linear model of items by items, in closed form.
 */
#ifndef RECSYS_EASE_H
#define RECSYS_EASE_H

#include "core/dense/densemodel.h"

/* With the task's options' lambda > 0.  The task says for how many items it is to be exact. */
extern const RecsysDenseModel RecsysEase;

/*
 * Where memory_limit bytes, for the block and one member, do not do for the exact solution only
 * the most popular items predict each other.  Returns how many do, all items when it is exact; 0
 * when not even one fits.
 */
extern uint32 RecsysEasePlan(RecsysDenseTask *task, Size memory_limit);

/* The least that memory_limit may be, and what the exact solution takes. */
extern Size RecsysEaseLeastMemory(const RecsysDenseTask *task);
extern Size RecsysEaseExactMemory(const RecsysDenseTask *task);

#endif							/* RECSYS_EASE_H */
