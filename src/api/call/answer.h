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

/*
 * Rows kept instead of returned: keys of items as text, with what is beside them, and who was served
 * by what.  Grows in the context it was made in.
 */
typedef struct RecsysKeptRows
{
	MemoryContext context;
	Oid			item_type;		/* base type that the keys are to be returned as in the end */
	RecsysKeyKind kind;			/* of the items' keys */
	char	   *recommender;	/* declared recommender, or index with its schema; NULL: not known yet */
	char	   *user;			/* key as text, as the recommender's type of keys is written; or NULL */
	int			count;
	int			size;
	const char **items;
	float	   *scores;
	const char **sources;
} RecsysKeptRows;

typedef struct RecsysAnswer
{
	ReturnSetInfo *result;
	FunctionCallInfo call;		/* whose answer it is */
	Oid			item_type;		/* base type of the first column */
	RecsysKeyKind kind;			/* of the keys, once it has been checked */
	MemoryContext context;		/* for what rows are made of */
	RecsysKeptRows *collected; /* takes rows in place of result; NULL: they are returned */
} RecsysAnswer;

/*
 * Prepares a materialised result; the tuplestore spills beyond work_mem.  Errors
 * out when the first column's type can hold no item keys.
 */
extern void RecsysAnswerInit(RecsysAnswer *answer, FunctionCallInfo fcinfo);

/*
 * An answer of (item, score, source, …) whose rows are kept for the caller, in its current context,
 * to be returned with keys of a type later.
 */
extern void RecsysAnswerCollect(RecsysAnswer *answer, FunctionCallInfo fcinfo, Oid item_type,
								RecsysKeptRows *collected);

/* Whose list it is and who makes it, for those that are kept; the first call says.  user: a key of that type, or NULL */
extern void RecsysAnswerServes(RecsysAnswer *answer, const char *recommender, Oid user_type,
							   const RecsysKey *user);

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

/* The same for some items, so many at most: faster than one by one, as memory is asked for ahead. */
#define RECSYS_ANSWER_ITEMS 64

extern void RecsysAnswerItems(const RecsysAnswer *answer, RecsysGraphReader *reader,
							  const uint32 *items, int n, Datum *values);

#endif							/* RECSYS_ANSWER_H */
