/*
 * excludedpairs.c
 *	  What excluded users have put into an item graph, to be taken out of its scores.
 *
 * Rows of recsys.excluded_pairs are read by their key when an item first comes up, and kept in
 * the session by the index's numbers, also that there is none.  A refresh replaces all of
 * them at once and writes a stamp beside the figures of the shop; what is kept belongs to a
 * stamp, and to a build of the index.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "am/graph/graph.h"
#include "am/lists/owner.h"
#include "am/store/indexname.h"
#include "am/store/meta.h"
#include "api/candidates/excludedpairs.h"
#include "api/declare/declaredrows.h"
#include "api/declare/names.h"
#include "api/declare/popularity.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "source/input/keytext.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"

/* Graphs, and rows of one, that a session keeps */
#define KEEP_GRAPHS 16
#define KEEP_ROWS 100000

/* Columns of recsys.excluded_pairs */
enum
{
	PAIRS_RECOMMENDER = 1,
	PAIRS_GRAPH,
	PAIRS_ITEM,
	PAIRS_ITEM_SHARE,
	PAIRS_SIMILAR_ITEMS,
	PAIRS_SHARES
};

typedef struct ExcludedPair
{
	uint32		similar;
	float		share;
} ExcludedPair;

typedef struct ExcludedRow
{
	uint32		item;
	double		share;			/* of the item's users that are not excluded */
	int			npairs;
	ExcludedPair *pairs;		/* by similar */
} ExcludedRow;

struct RecsysExcludedPairs
{
	char	   *recommender;
	Oid			index;
	uint64		seed;			/* of the index's build */
	double		stamp;
	char	   *graph;			/* the index's name as the table has it */
	Relation	relation;		/* of the call at hand */
	MemoryContext context;
	MemoryContext rows_context; /* of what is in rows */
	HTAB	   *rows;
};

static List *graphs = NIL;

static void
make_rows(RecsysExcludedPairs *pairs)
{
	HASHCTL		control = {0};

	pairs->rows_context = AllocSetContextCreate(pairs->context, "recsys excluded rows", ALLOCSET_DEFAULT_SIZES);
	control.keysize = sizeof(uint32);
	control.entrysize = sizeof(ExcludedRow);
	control.hcxt = pairs->rows_context;
	pairs->rows = hash_create("recsys excluded pairs", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* It may be in use by this call, or one around it: it goes with the transaction. */
static void
forget(RecsysExcludedPairs *pairs)
{
	graphs = list_delete_ptr(graphs, pairs);
	MemoryContextSetParent(pairs->context, TopTransactionContext);
}

static RecsysExcludedPairs *
make_graph(const char *recommender, Relation index, double stamp)
{
	const RecsysMetaData *meta = &RecsysGetCache(index)->meta;
	MemoryContext context;
	MemoryContext old;
	RecsysExcludedPairs *pairs;

	if (list_length(graphs) >= KEEP_GRAPHS)
		forget(linitial(graphs));
	context = AllocSetContextCreate(CurrentMemoryContext, "recsys excluded pairs", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	pairs = palloc0(sizeof(RecsysExcludedPairs));
	pairs->context = context;
	pairs->recommender = pstrdup(recommender);
	pairs->index = RelationGetRelid(index);
	pairs->seed = meta->seed;
	pairs->stamp = stamp;
	pairs->graph = RecsysKeptName(RecsysCreatedIndex(index));
	make_rows(pairs);
	MemoryContextSwitchTo(CacheMemoryContext);
	MemoryContextSetParent(context, CacheMemoryContext);
	graphs = lappend(graphs, pairs);
	MemoryContextSwitchTo(old);
	return pairs;
}

RecsysExcludedPairs *
RecsysGetExcludedPairs(const RecsysDefinition *definition, Relation index)
{
	uint64		seed;
	double		figures[2];
	RecsysExcludedPairs *pairs = NULL;
	ListCell   *cell;

	if (definition->exclude_users == NULL ||
		RecsysReadFigure(definition->name, "excluded_pairs", figures, 2) < 2 || figures[0] == 0)
		return NULL;
	seed = RecsysGetCache(index)->meta.seed;
	foreach(cell, graphs)
	{
		RecsysExcludedPairs *known = lfirst(cell);

		if (known->index == RelationGetRelid(index) &&
			strcmp(known->recommender, definition->name) == 0)
			pairs = known;
	}
	if (pairs != NULL && (pairs->stamp != figures[1] || pairs->seed != seed))
	{
		forget(pairs);
		pairs = NULL;
	}
	if (pairs == NULL)
		pairs = make_graph(definition->name, index, figures[1]);
	pairs->relation = index;
	return pairs;
}

static int
compare_pairs(const void *a, const void *b)
{
	uint32		left = ((const ExcludedPair *) a)->similar;
	uint32		right = ((const ExcludedPair *) b)->similar;

	return (left > right) - (left < right);
}

/* The pairs of a row by the numbers of the index; items that it does not have are left out. */
static void
take_pairs(RecsysExcludedPairs *pairs, HeapTuple tuple, TupleDesc desc, ExcludedRow *row)
{
	RecsysColumns columns = RecsysGetCache(pairs->relation)->columns;
	bool		isnull;
	Datum		value = heap_getattr(tuple, PAIRS_ITEM_SHARE, desc, &isnull);
	Datum	   *items;
	Datum	   *shares;
	int			nitems;
	int			nshares;

	row->share = isnull ? 1 : DatumGetFloat4(value);
	value = heap_getattr(tuple, PAIRS_SIMILAR_ITEMS, desc, &isnull);
	if (isnull)
		return;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &items, NULL,
					  &nitems);
	value = heap_getattr(tuple, PAIRS_SHARES, desc, &isnull);
	if (isnull)
		return;
	deconstruct_array(DatumGetArrayTypeP(value), FLOAT4OID, sizeof(float4), true, TYPALIGN_INT,
					  &shares, NULL, &nshares);
	row->pairs = MemoryContextAlloc(pairs->rows_context, sizeof(ExcludedPair) * Max(nitems, 1));
	for (int i = 0; i < Min(nitems, nshares); i++)
	{
		RecsysKey	key;
		uint32		number;

		RecsysKeyFromText(columns.item_type, TextDatumGetCString(items[i]), &key);
		if (!RecsysReadOwner(pairs->relation, RECSYS_ITEMS, &key, NULL, &number, NULL, NULL))
			continue;
		row->pairs[row->npairs].similar = number;
		row->pairs[row->npairs++].share = DatumGetFloat4(shares[i]);
	}
	qsort(row->pairs, row->npairs, sizeof(ExcludedPair), compare_pairs);
}

static void
read_row(RecsysExcludedPairs *pairs, Relation table, RecsysGraphReader *reader, uint32 item,
		 ExcludedRow *row)
{
	RecsysColumns columns = RecsysGetCache(pairs->relation)->columns;
	RecsysKey	key;
	ScanKeyData keys[3];
	SysScanDesc scan;
	HeapTuple	tuple;

	if (!RecsysGraphReadKey(reader, item, &key))
		return;
	ScanKeyInit(&keys[0], PAIRS_RECOMMENDER, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(pairs->recommender));
	ScanKeyInit(&keys[1], PAIRS_GRAPH, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(pairs->graph));
	ScanKeyInit(&keys[2], PAIRS_ITEM, BTEqualStrategyNumber, F_TEXTEQ,
				RecsysKeyToValue(TEXTOID, columns.item_kind, &key));
	scan = systable_beginscan(table, RECSYS_PRIMARY_KEY_INDEX(table), true, GetActiveSnapshot(), 3,
							  keys);
	if (HeapTupleIsValid(tuple = systable_getnext(scan)))
		take_pairs(pairs, tuple, RelationGetDescr(table), row);
	systable_endscan(scan);
}

void
RecsysExcludedPrepare(RecsysExcludedPairs *pairs, const uint32 *items, int n)
{
	Relation	table = NULL;
	RecsysGraphReader reader;
	MemoryContext context;
	MemoryContext old;

	if (pairs == NULL)
		return;
	if (hash_get_num_entries(pairs->rows) + n > KEEP_ROWS && hash_get_num_entries(pairs->rows) > 0)
	{
		MemoryContextDelete(pairs->rows_context);
		make_rows(pairs);
	}
	context = AllocSetContextCreate(CurrentMemoryContext, "recsys excluded rows", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	for (int i = 0; i < n; i++)
	{
		ExcludedRow row = {.item = items[i], .share = 1};
		ExcludedRow *entry;

		if (hash_search(pairs->rows, &items[i], HASH_FIND, NULL) != NULL)
			continue;
		CHECK_FOR_INTERRUPTS();
		if (table == NULL)
		{
			table = table_open(RecsysShopTable("excluded_pairs"), AccessShareLock);
			RecsysGraphReaderInit(&reader, pairs->relation);
		}
		read_row(pairs, table, &reader, items[i], &row);
		entry = hash_search(pairs->rows, &items[i], HASH_ENTER, NULL);
		*entry = row;
	}
	MemoryContextSwitchTo(old);
	if (table != NULL)
	{
		RecsysGraphReaderDone(&reader);
		table_close(table, AccessShareLock);
	}
	MemoryContextDelete(context);
}

static double
share_of(const ExcludedRow *row, uint32 similar)
{
	const ExcludedPair key = {similar, 0};
	const ExcludedPair *pair = bsearch(&key, row->pairs, row->npairs, sizeof(ExcludedPair),
									   compare_pairs);

	return pair == NULL ? 1 : pair->share;
}

double
RecsysExcludedShare(const RecsysExcludedPairs *pairs, uint32 item, uint32 similar)
{
	const ExcludedRow *row = pairs == NULL ? NULL :
		hash_search(pairs->rows, &item, HASH_FIND, NULL);

	return row == NULL || row->npairs == 0 ? 1 : share_of(row, similar);
}

const float *
RecsysExcludedScores(const RecsysExcludedPairs *pairs, uint32 item, const uint32 *peers,
					 const float *scores, int n, float *room)
{
	const ExcludedRow *excluded = pairs == NULL ? NULL :
		hash_search(pairs->rows, &item, HASH_FIND, NULL);

	if (excluded == NULL || excluded->npairs == 0)
		return scores;
	for (int x = 0; x < n; x++)
		room[x] = (float) (scores[x] * share_of(excluded, peers[x]));
	return room;
}

double
RecsysExcludedItemShare(const RecsysExcludedPairs *pairs, uint32 item)
{
	const ExcludedRow *row = pairs == NULL ? NULL :
		hash_search(pairs->rows, &item, HASH_FIND, NULL);

	return row == NULL ? 1 : row->share;
}
