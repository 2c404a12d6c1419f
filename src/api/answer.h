/*
 * answer.h
 *	  The rows that a SQL function returns.
 */
#ifndef RECSYS_ANSWER_H
#define RECSYS_ANSWER_H

#include "postgres.h"

#include "am/graph.h"
#include "fmgr.h"
#include "funcapi.h"

typedef struct RecsysAnswer
{
	ReturnSetInfo *result;
	Oid			item_type;		/* base type of the first column */
	MemoryContext context;		/* for what rows are made of */
} RecsysAnswer;

/* Prepares a materialised result; the tuplestore spills beyond work_mem. */
extern void RecsysAnswerInit(RecsysAnswer *answer, FunctionCallInfo fcinfo);

/*
 * The same where the first column is an array of items.  Returns its element
 * type, which may be a domain over item_type.
 */
extern Oid	RecsysAnswerInitArray(RecsysAnswer *answer, FunctionCallInfo fcinfo);

/*
 * Errors out unless item keys of the kind can be returned in the first column;
 * the hint names the overload to use.  recommender NULL: they come from a query.
 */
extern void RecsysAnswerCheckKind(const RecsysAnswer *answer, RecsysKeyKind kind,
								  const char *recommender);

extern void RecsysAnswerPut(RecsysAnswer *answer, Datum *values, bool *isnull);

/* Item number to a value of the answer's item type. */
extern Datum RecsysAnswerItem(const RecsysAnswer *answer, RecsysGraphReader *reader, uint32 item);

#endif							/* RECSYS_ANSWER_H */
