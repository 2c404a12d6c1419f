/*
 * page_functions.c
 *	  Schema recsys: page_summary() and page_info(), for debugging.
 *
 * Both are for the index's owner and work on any index, however damaged: a page that
 * makes no sense, or that cannot even be read, is of kind "unknown".
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "am/store/inspect.h"
#include "am/store/meta.h"
#include "api/call/guard.h"
#include "api/call/recommender.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(recsys_page_summary);
PG_FUNCTION_INFO_V1(recsys_page_info);

/* All pages of one kind and side */
typedef struct PageTotals
{
	const char *kind;
	const char *side;
	int64		pages;
	int64		tuples;
	int64		entries;
	int64		used;
	int64		free;
} PageTotals;

/* Kinds times sides, and then some */
#define MAX_TOTALS 32

typedef struct PageWalk
{
	Relation	index;
	BufferAccessStrategy strategy;
	int			stride[2];
	BlockNumber block;			/* next to read */
	BlockNumber nblocks;
	RecsysPageFacts facts;		/* of the page read last */
	PageTotals	totals[MAX_TOTALS];
	int			ntotals;
} PageWalk;

static void
read_strides(void *arg)
{
	PageWalk   *walk = arg;
	RecsysMetaData meta;

	if (RecsysPeekMeta(walk->index, &meta) && meta.version == RECSYS_FORMAT_VERSION)
		for (int side = RECSYS_USERS; side <= RECSYS_ITEMS; side++)
			walk->stride[side] = RecsysEntryStride(side, meta.weighted, meta.timed);
}

static void
init_walk(PageWalk *walk, Relation index)
{
	memset(walk, 0, sizeof(*walk));
	walk->index = index;
	walk->strategy = GetAccessStrategy(BAS_BULKREAD);
	walk->nblocks = RelationGetNumberOfBlocks(index);
	(void) RecsysGuard(read_strides, walk);
}

static PageTotals *
find_totals(PageWalk *walk, const RecsysPageFacts *facts)
{
	PageTotals *totals;

	/* names of kinds and sides are constants */
	for (int i = 0; i < walk->ntotals; i++)
		if (walk->totals[i].kind == facts->kind && walk->totals[i].side == facts->side)
			return &walk->totals[i];
	totals = &walk->totals[walk->ntotals++];
	memset(totals, 0, sizeof(*totals));
	totals->kind = facts->kind;
	totals->side = facts->side;
	return totals;
}

/* Adds up a number that may be unknown; then so is the sum. */
static void
add(int64 *sum, int64 number)
{
	*sum = *sum < 0 || number < 0 ? -1 : *sum + number;
}

static void
add_page(PageWalk *walk, const RecsysPageFacts *facts)
{
	PageTotals *totals = find_totals(walk, facts);

	totals->pages++;
	add(&totals->tuples, facts->tuples);
	add(&totals->entries, facts->entries);
	totals->used += facts->used;
	totals->free += facts->free;
}

static void
unreadable(RecsysPageFacts *facts)
{
	PGAlignedBlock nonsense;
	int			stride[2] = {0, 0};

	memset(nonsense.data, 0xFF, BLCKSZ);
	RecsysInspectPage(&nonsense, stride, facts);
}

static void
inspect_next(PageWalk *walk)
{
	PGAlignedBlock image;

	RecsysCopyPage(walk->index, walk->block, walk->strategy, &image);
	RecsysInspectPage(&image, walk->stride, &walk->facts);
}

/* Walks on until the end or an error, after which walk->block cannot be read. */
static void
walk_pages(void *arg)
{
	PageWalk   *walk = arg;

	for (; walk->block < walk->nblocks; walk->block++)
	{
		CHECK_FOR_INTERRUPTS();
		inspect_next(walk);
		add_page(walk, &walk->facts);
	}
}

static void
walk_page(void *arg)
{
	inspect_next(arg);
}

static void
put_number(Datum *value, bool *isnull, int64 number)
{
	*value = Int64GetDatum(number);
	*isnull = number < 0;
}

static void
put_name(Datum *value, bool *isnull, const char *name)
{
	*value = name != NULL ? CStringGetTextDatum(name) : (Datum) 0;
	*isnull = name == NULL;
}

/*
 * recsys.page_summary(index)
 */
Datum
recsys_page_summary(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RecsysRecommender own;
	PageWalk   *walk = palloc(sizeof(PageWalk));

	InitMaterializedSRF(fcinfo, 0);
	RecsysOpenOwnIndex(PG_GETARG_OID(0), AccessShareLock, RECSYS_OWN_READABLE, &own);
	init_walk(walk, own.index);

	/* a new attempt behind each page that cannot be read */
	while (RecsysGuard(walk_pages, walk) != NULL)
	{
		unreadable(&walk->facts);
		add_page(walk, &walk->facts);
		walk->block++;
	}

	for (int i = 0; i < walk->ntotals; i++)
	{
		PageTotals *totals = &walk->totals[i];
		Datum		values[7];
		bool		isnull[7];

		put_name(&values[0], &isnull[0], totals->kind);
		put_name(&values[1], &isnull[1], totals->side);
		put_number(&values[2], &isnull[2], totals->pages);
		put_number(&values[3], &isnull[3], totals->tuples);
		put_number(&values[4], &isnull[4], totals->entries);
		put_number(&values[5], &isnull[5], totals->used);
		put_number(&values[6], &isnull[6], totals->free);
		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	}
	RecsysCloseRecommender(&own);
	return (Datum) 0;
}

/*
 * recsys.page_info(index, block)
 */
Datum
recsys_page_info(PG_FUNCTION_ARGS)
{
	int64		block = PG_GETARG_INT64(1);
	RecsysRecommender own;
	PageWalk   *walk = palloc(sizeof(PageWalk));
	RecsysPageFacts *facts = &walk->facts;
	TupleDesc	desc;
	Datum		values[9];
	bool		isnull[9];

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	RecsysOpenOwnIndex(PG_GETARG_OID(0), AccessShareLock, RECSYS_OWN_READABLE, &own);
	init_walk(walk, own.index);
	if (block < 0 || block >= walk->nblocks)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("block number %lld is out of range", (long long) block),
				 errdetail("Index \"%s\" has %u blocks, the first is 0.",
						   RelationGetRelationName(own.definition), walk->nblocks)));

	walk->block = (BlockNumber) block;
	if (RecsysGuard(walk_page, walk) != NULL)
		unreadable(facts);
	RecsysCloseRecommender(&own);

	put_name(&values[0], &isnull[0], facts->kind);
	put_name(&values[1], &isnull[1], facts->side);
	put_number(&values[2], &isnull[2], facts->hashed ? (int64) facts->low : -1);
	put_number(&values[3], &isnull[3], facts->hashed ? (int64) facts->high : -1);
	put_number(&values[4], &isnull[4],
			   facts->next != InvalidBlockNumber ? (int64) facts->next : -1);
	put_number(&values[5], &isnull[5], facts->tuples);
	put_number(&values[6], &isnull[6], facts->entries);
	put_number(&values[7], &isnull[7], facts->used);
	put_number(&values[8], &isnull[8], facts->free);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, isnull)));
}
