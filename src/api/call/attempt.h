/*
 * attempt.h
 *	  Work that may fail without failing what it is part of.
 */
#ifndef RECSYS_ATTEMPT_H
#define RECSYS_ATTEMPT_H

#include "postgres.h"

/*
 * Does the work in a subtransaction.  NULL if it went through; else its error, and nothing of what
 * it has done is left.  Who cancels, shuts down or takes the last memory stops all of it: such an
 * error is thrown again.  Not in parallel mode.
 */
extern ErrorData *RecsysAttempt(void (*work) (void *arg), void *arg);

#endif							/* RECSYS_ATTEMPT_H */
