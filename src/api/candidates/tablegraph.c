/*
 * tablegraph.c
 *	  Graphs in tables and views: item, similar item, score.
 *
 * One prepared query fetches the pairs of all items of a history.  Its rows go into a
 * receiver that passes them on where they stand: nothing is copied, whatever the number of
 * pairs.  Whatever the relation is, its rows are those that the caller's
 * snapshot sees: a materialized view that has been refreshed counts in the next call.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "api/candidates/tablegraph.h"
#include "api/declare/graphcolumns.h"
#include "api/declare/plan.h"
#include "api/profile/keyparameter.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "executor/tuptable.h"
#include "nodes/pg_list.h"
#include "source/input/values.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"


struct RecsysTableGraph
{
	Oid			oid;
	char	   *columns[RECSYS_GRAPH_COLUMNS];	/* names and types that the plans are made for */
	Oid			types[RECSYS_GRAPH_COLUMNS];
	RecsysPlan *all;			/* pairs of some items */
	RecsysPlan *one;			/* those with a given item */
	RecsysKeyParameter parameters[2];	/* for item and similar item */
};

/* All of a shop's */
typedef struct RecsysGraphPlans
{
	List	   *graphs;
} RecsysGraphPlans;

static RecsysPlan *
prepare(RecsysShop *shop, const char *relation, const char *const *columns,
		const RecsysTableGraph *graph, bool one)
{
	Oid			types[2] = {graph->parameters[RECSYS_GRAPH_ITEM].array, graph->parameters[RECSYS_GRAPH_SIMILAR].type};
	char	   *query = psprintf("SELECT %s, %s, (%s)::pg_catalog.float8 FROM %s AS g WHERE %s = ANY ($1)",
								 columns[RECSYS_GRAPH_ITEM], columns[RECSYS_GRAPH_SIMILAR], columns[RECSYS_GRAPH_SCORE], relation,
								 RecsysKeyColumn(&graph->parameters[RECSYS_GRAPH_ITEM], columns[RECSYS_GRAPH_ITEM]));

	if (one)
		query = psprintf("%s AND %s = $2", query,
						 RecsysKeyColumn(&graph->parameters[RECSYS_GRAPH_SIMILAR], columns[RECSYS_GRAPH_SIMILAR]));
	return RecsysPlanPrepare(shop, "graph", query, one ? 2 : 1, types);
}

static RecsysTableGraph *
create(RecsysShop *shop, const char *relation, Oid oid)
{
	RecsysKeyKind kind = RecsysCatalogueKind(shop->catalogue);
	RecsysTableGraph *graph = palloc0(sizeof(RecsysTableGraph));
	RecsysTableGraph *kept;
	AttrNumber	numbers[RECSYS_GRAPH_COLUMNS];
	const char *columns[RECSYS_GRAPH_COLUMNS];

	/* nothing is kept until all of it has been prepared: a graph may be broken for long */
	RecsysFindGraphColumns(oid, kind, numbers);
	for (int x = 0; x < RECSYS_GRAPH_COLUMNS; x++)
	{
		char	   *name = get_attname(oid, numbers[x], false);
		Oid			type = get_atttype(oid, numbers[x]);

		if (x != RECSYS_GRAPH_SCORE)
			(void) RecsysGetKeyParameter(type, kind, &graph->parameters[x]);
		columns[x] = psprintf("g.%s", quote_identifier(name));
		graph->columns[x] = name;
		graph->types[x] = type;
	}
	graph->oid = oid;
	graph->all = prepare(shop, relation, columns, graph, false);
	PG_TRY();
	{
		graph->one = prepare(shop, relation, columns, graph, true);
	}
	PG_CATCH();
	{
		RecsysPlanFree(shop, graph->all);
		PG_RE_THROW();
	}
	PG_END_TRY();

	kept = MemoryContextAlloc(shop->context, sizeof(RecsysTableGraph));
	*kept = *graph;
	for (int x = 0; x < RECSYS_GRAPH_COLUMNS; x++)
		kept->columns[x] = MemoryContextStrdup(shop->context, graph->columns[x]);
	return kept;
}

static bool
may_be_graph(Oid oid)
{
	switch (get_rel_relkind(oid))
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_FOREIGN_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
			return true;
		default:
			return false;
	}
}

/* Has the relation the columns that it had when the plans were made? */
static bool
is_as_it_was(const RecsysTableGraph *graph)
{
	for (int x = 0; x < RECSYS_GRAPH_COLUMNS; x++)
	{
		AttrNumber	number = get_attnum(graph->oid, graph->columns[x]);

		if (number == InvalidAttrNumber || get_atttype(graph->oid, number) != graph->types[x])
			return false;
	}
	return true;
}

/* What takes the place of a relation under its name is another one. */
RecsysTableGraph *
RecsysGetTableGraph(RecsysShop *shop, const char *relation, Oid oid)
{
	MemoryContext old;
	RecsysTableGraph *graph;
	ListCell   *cell;

	if (shop->graph_plans == NULL)
		shop->graph_plans = MemoryContextAllocZero(shop->context, sizeof(RecsysGraphPlans));
	foreach(cell, shop->graph_plans->graphs)
	{
		graph = lfirst(cell);
		if (graph->oid != oid)
			continue;
		if (is_as_it_was(graph))
			return graph;
		shop->graph_plans->graphs = foreach_delete_current(shop->graph_plans->graphs, cell);
	}
	if (!may_be_graph(oid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not an item graph", get_rel_name(oid)),
				 errdetail("A graph is a recsys index, a table, a view or a materialized view.")));
	graph = create(shop, relation, oid);
	old = MemoryContextSwitchTo(shop->context);
	shop->graph_plans->graphs = lappend(shop->graph_plans->graphs, graph);
	MemoryContextSwitchTo(old);
	return graph;
}

typedef struct Receiver
{
	DestReceiver pub;
	RecsysCatalogue *catalogue;
	MemoryContext scratch;		/* of the keys of a row */
	Oid			types[2];
	bool		is_integer;
	const uint32 *slots;
	int			n;
	int64		last;			/* an integer that was looked up, */
	int			last_place;		/* and its first place */
	RecsysTableVisitor visit;
	void	   *arg;
} Receiver;

/* The type of what comes may have changed since the plan was made. */
static void
start(DestReceiver *self, int operation, TupleDesc desc)
{
	Receiver   *receiver = (Receiver *) self;

	for (int x = 0; x < 2; x++)
	{
		RecsysKeyKind kind;

		receiver->types[x] = getBaseType(TupleDescAttr(desc, x)->atttypid);
		if (!RecsysKeyKindOfType(receiver->types[x], &kind) ||
			kind != RecsysCatalogueKind(receiver->catalogue))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of the graph is of another type by now",
							NameStr(TupleDescAttr(desc, x)->attname))));
		receiver->is_integer = kind == RECSYS_KEY_INT;
	}
}

/* The first place of an item among those asked for; n if it is none of them. */
static int
find_place(Receiver *receiver, const RecsysKey *key)
{
	uint32		slot;
	int			low = 0;
	int			high = receiver->n;

	if (receiver->is_integer && receiver->last_place >= 0 && receiver->last == key->number)
		return receiver->last_place;
	slot = RecsysCatalogueFind(receiver->catalogue, key);
	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (receiver->slots[middle] < slot)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < receiver->n && receiver->slots[low] != slot)
		low = receiver->n;
	receiver->last = key->number;
	receiver->last_place = low;
	return low;
}

static void
receive_pair(Receiver *receiver, TupleTableSlot *row)
{
	RecsysKey	item;
	RecsysKey	similar;
	float		score = (float) DatumGetFloat8(row->tts_values[RECSYS_GRAPH_SCORE]);
	int			place;
	uint32		slot;

	if (!isfinite(score))
		return;
	RecsysKeyFromDatum(receiver->types[RECSYS_GRAPH_ITEM], row->tts_values[RECSYS_GRAPH_ITEM], &item);
	place = find_place(receiver, &item);
	if (place == receiver->n)
		return;
	RecsysKeyFromDatum(receiver->types[RECSYS_GRAPH_SIMILAR], row->tts_values[RECSYS_GRAPH_SIMILAR], &similar);
	if (!receiver->is_integer && similar.len > RECSYS_MAX_KEY_LEN)
		return;
	slot = RecsysCatalogueSlot(receiver->catalogue, &similar);
	if (slot == receiver->slots[place])
		return;

	/* an item may be asked for twice */
	for (int x = place; x < receiver->n && receiver->slots[x] == receiver->slots[place]; x++)
		receiver->visit(receiver->arg, x, slot, score);
}

static bool
receive(TupleTableSlot *row, DestReceiver *self)
{
	Receiver   *receiver = (Receiver *) self;
	MemoryContext old;

	slot_getallattrs(row);
	if (row->tts_isnull[RECSYS_GRAPH_ITEM] || row->tts_isnull[RECSYS_GRAPH_SIMILAR] || row->tts_isnull[RECSYS_GRAPH_SCORE])
		return true;
	if (receiver->is_integer)
	{
		receive_pair(receiver, row);
		return true;
	}
	old = MemoryContextSwitchTo(receiver->scratch);
	receive_pair(receiver, row);
	MemoryContextSwitchTo(old);
	MemoryContextReset(receiver->scratch);
	return true;
}

static void
ignore(DestReceiver *self)
{
}

static void
send(RecsysPlan *plan, Receiver *receiver, Datum *values)
{
	receiver->pub.receiveSlot = receive;
	receiver->pub.rStartup = start;
	receiver->pub.rShutdown = ignore;
	receiver->pub.rDestroy = ignore;
	receiver->pub.mydest = DestTuplestore;	/* SPI takes DestNone for no query */
	receiver->last_place = -1;
	receiver->scratch = AllocSetContextCreate(CurrentMemoryContext, "recsys graph row",
											  ALLOCSET_SMALL_SIZES);
	RecsysPlanSend(plan, values, NULL, &receiver->pub);
	MemoryContextDelete(receiver->scratch);
}

void
RecsysVisitTableGraph(RecsysTableGraph *graph, RecsysCatalogue *catalogue, const uint32 *slots,
					  int n, uint32 similar, RecsysTableVisitor visit, void *arg)
{
	Receiver	receiver = {.catalogue = catalogue, .slots = slots, .n = n, .visit = visit, .arg = arg};
	RecsysKey  *keys = palloc_extended(sizeof(RecsysKey) * (Size) Max(n, 1), MCXT_ALLOC_HUGE);
	RecsysKey	key;
	Datum		values[2] = {0, 0};
	int			nkeys = 0;

	for (int x = 0; x < n; x++)
		if (x == 0 || slots[x] != slots[x - 1])
			RecsysCatalogueKey(catalogue, slots[x], &keys[nkeys++]);
	values[0] = RecsysKeyArray(&graph->parameters[RECSYS_GRAPH_ITEM], keys, nkeys);
	pfree(keys);
	if (similar != RECSYS_NONE)
	{
		RecsysCatalogueKey(catalogue, similar, &key);
		values[1] = RecsysKeyValue(&graph->parameters[RECSYS_GRAPH_SIMILAR], &key);
	}
	send(similar == RECSYS_NONE ? graph->all : graph->one, &receiver, values);
	pfree(DatumGetPointer(values[0]));
}
