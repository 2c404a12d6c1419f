/*
 * parallel_evaluation.h
 *	  Lists and figures of all users, by parallel workers where that pays.
 */
#ifndef RECSYS_PARALLEL_EVALUATION_H
#define RECSYS_PARALLEL_EVALUATION_H

#include "postgres.h"

#include "core/measure/evaluation.h"

/*
 * Evaluates all users with the help of up to nworkers workers.  The outcome's
 * arrays are allocated in the current memory context.  What is computed does not
 * depend on the number of workers.  The calling function must be PARALLEL UNSAFE.
 */
extern void RecsysEvaluateUsers(const RecsysEvaluation *evaluation, int nworkers,
								RecsysOutcome *outcome);

/* Bytes of shared memory that workers take. */
extern Size RecsysEvaluationShared(const RecsysEvaluation *evaluation);

#endif							/* RECSYS_PARALLEL_EVALUATION_H */
