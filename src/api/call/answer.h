/*
 * answer.h
 *	  The rows that a SQL function returns.
 */
#ifndef RECSYS_ANSWER_H
#define RECSYS_ANSWER_H

#include "postgres.h"

#include "am/graph/graph.h"
#include "fmgr.h"
#include "funcapi.h"

typedef struct RecsysAnswer
{
	ReturnSetInfo *result;
	FunctionCallInfo call;		/* whose answer it is */
	Oid			item_type;		/* base type of the first column */
	RecsysKeyKind kind;			/* of the keys, once it has been checked */
	MemoryContext context;		/* for what rows are made of */
} RecsysAnswer;

/*
 * Prepares a materialised result; the tuplestore spills beyond work_mem.  Errors
 * out when the first column's type can hold no item keys.
 */
extern void RecsysAnswerInit(RecsysAnswer *answer, FunctionCallInfo fcinfo);

/*
 * The same where the first column is an array of items.  Returns its element
 * type, which may be a domain over item_type.
 */
extern Oid	RecsysAnswerInitArray(RecsysAnswer *answer, FunctionCallInfo fcinfo);

/*
 * Errors out unless item keys of the kind can be returned in the first column: it is of
 * their type, or text.  The hint prints the call to make.  recommender is NULL if the keys
 * come from a query.
 */
extern void RecsysAnswerCheckKind(RecsysAnswer *answer, RecsysKeyKind kind,
								  const char *recommender);

extern void RecsysAnswerPut(RecsysAnswer *answer, Datum *values, bool *isnull);

/* Item key, or number, to a value of the answer's item type. */
extern Datum RecsysAnswerKey(const RecsysAnswer *answer, const RecsysKey *key);
extern Datum RecsysAnswerItem(const RecsysAnswer *answer, RecsysGraphReader *reader, uint32 item);

#endif							/* RECSYS_ANSWER_H */
