/*
 * allrows.h
 *	  The rows of recommend_all(): who asks for what, and values of keys.
 */
#ifndef RECSYS_ALLROWS_H
#define RECSYS_ALLROWS_H

#include "postgres.h"

#include "core/scoring/scorer.h"
#include "core/rows/key.h"
#include "fmgr.h"
#include "funcapi.h"
#include "am/graph/graph.h"
#include "utils/tuplestore.h"

typedef struct RecsysAllRows
{
	FunctionCallInfo call;		/* while it is checked */
	TupleDesc	desc;
	Oid			user_type;		/* base types of the columns */
	Oid			item_type;
	RecsysKeyKind user_kind;
	RecsysKeyKind item_kind;
	Tuplestorestate *store;
	MemoryContext context;		/* of the values that are kept */
	MemoryContext row_context;	/* of those of one list */

	/* of an index's items, by number */
	RecsysGraphReader *reader;
	Datum	   *items;
	bool	   *known;
	uint32		nitems;
} RecsysAllRows;

/*
 * Columns: user_id, item_id, rank, score.  Lives in the current memory context; errors out when
 * keys cannot be had in the types.
 */
extern void RecsysAllRowsInit(RecsysAllRows *rows, FunctionCallInfo fcinfo);

/* Errors out unless keys of these kinds can be had in the types of the columns. */
extern void RecsysAllRowsCheckKinds(RecsysAllRows *rows, RecsysKeyKind user_kind,
									RecsysKeyKind item_kind, const char *recommender);

/* Puts a user's list of an index, whose reader the caller has set; the key as it is stored. */
extern void RecsysAllRowsPutList(void *rows, const char *key, uint32 keylen,
								 const RecsysScored *list, int count);

/* Puts one row. */
extern void RecsysAllRowsPut(void *rows, const RecsysKey *user, const RecsysKey *item, float score,
							 int rank);

#endif							/* RECSYS_ALLROWS_H */
