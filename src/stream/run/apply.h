/*
 * apply.h
 *	  A batch into the database: rows, rejected messages and offsets in one transaction, or in several.
 */
#ifndef RECSYS_APPLY_H
#define RECSYS_APPLY_H

#include "stream/run/assigned.h"
#include "stream/run/batch.h"
#include "stream/run/declaration.h"

/* What the database says of the stream each time that it is told something */
typedef struct RecsysAnswer
{
	bool		running;
	int64		version;
	int			throttle;		/* milliseconds to wait before more is written */
	char		state[32];
} RecsysAnswer;

typedef struct RecsysApply
{
	const RecsysStreamSettings *settings;
	RecsysAssignment *assignment;
	int			limit;			/* messages in a transaction, while faulty ones are looked for */
	int64		rejected;		/* messages, since the process began */
	RecsysAnswer answer;
} RecsysApply;

/*
 * Writes what of the batch is not written yet.  Unless DONE, the rest is to be dropped, and read again from
 * where the database says.
 */
extern RecsysOutcome RecsysApplyBatch(RecsysApply *apply, RecsysBatch *batch);

/* Have partitions been read over what is no message, to an offset that the database does not know? */
extern bool RecsysIsAhead(const RecsysAssignment *assignment);

/* Reads state, version and throttle of a function's row. */
extern void RecsysTakeAnswer(RecsysAnswer *answer, const PGresult *result);

#endif							/* RECSYS_APPLY_H */
