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
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "nodes/pg_list.h"
#include "source/input/runas.h"
#include "source/input/values.h"
#include "tcop/dest.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"


struct RecsysTableGraph
{
	Oid			oid;
	RecsysKeyKind item_kind;
	bool		predicts;		/* was it made for a signal that predicts? */
	Oid			reader;			/* the role that reads it; InvalidOid: who asks */
	char	   *columns[RECSYS_GRAPH_COLUMNS];	/* names and types that the plans are made for */
	Oid			types[RECSYS_GRAPH_COLUMNS];
	bool		has_support;
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
	char	   *query = psprintf("SELECT %s, %s, (%s)::pg_catalog.float8, %s FROM %s AS g WHERE %s = ANY ($1)",
								 columns[RECSYS_GRAPH_ITEM], columns[RECSYS_GRAPH_SIMILAR], columns[RECSYS_GRAPH_SCORE],
								 graph->has_support ? "g.support" : "NULL::pg_catalog.int8", relation,
								 RecsysKeyColumn(&graph->parameters[RECSYS_GRAPH_ITEM], columns[RECSYS_GRAPH_ITEM]));

	if (one)
		query = psprintf("%s AND %s = $2", query,
						 RecsysKeyColumn(&graph->parameters[RECSYS_GRAPH_SIMILAR], columns[RECSYS_GRAPH_SIMILAR]));
	return RecsysPlanPrepare(shop, "graph", query, one ? 2 : 1, types);
}

/* Does it tell by how many users a pair is supported? */
static bool
has_support(Oid oid)
{
	AttrNumber	number = get_attnum(oid, "support");

	return number > 0 && get_atttype(oid, number) == INT8OID;
}

/* Was it made for a signal that predicts? */
static bool
is_prediction(const RecsysDefinition *definition, const char *relation)
{
	for (int s = 0; s < definition->nsignals; s++)
		if (definition->signals[s].predicts != NULL && definition->signals[s].graph != NULL &&
			strcmp(definition->signals[s].graph, relation) == 0)
			return true;
	return false;
}

/* The owner of the recommender reads what is that one's; InvalidOid: who asks does. */
static Oid
reader_of(const RecsysDefinition *definition, bool predicts, Oid oid)
{
	Oid			owner = predicts ? get_role_oid(definition->owner, true) : InvalidOid;

	return OidIsValid(owner) && RecsysIsViewOf(oid, owner) ? owner : InvalidOid;
}

static RecsysTableGraph *
create(RecsysShop *shop, const char *relation, Oid oid, RecsysKeyKind item_kind)
{
	RecsysKeyKind similar_kind = RecsysCatalogueKind(shop->catalogue);
	RecsysTableGraph *graph = palloc0(sizeof(RecsysTableGraph));
	RecsysTableGraph *kept;
	AttrNumber	numbers[RECSYS_GRAPH_COLUMNS];
	const char *columns[RECSYS_GRAPH_COLUMNS];

	/* nothing is kept until all of it has been prepared: a graph may be broken for long */
	RecsysFindGraphColumns(oid, item_kind, similar_kind, numbers);
	graph->has_support = has_support(oid);
	for (int x = 0; x < RECSYS_GRAPH_COLUMNS; x++)
	{
		char	   *name = get_attname(oid, numbers[x], false);
		Oid			type = get_atttype(oid, numbers[x]);

		if (x != RECSYS_GRAPH_SCORE)
			(void) RecsysGetKeyParameter(type, x == RECSYS_GRAPH_ITEM ? item_kind : similar_kind,
										 &graph->parameters[x]);
		columns[x] = psprintf("g.%s", quote_identifier(name));
		graph->columns[x] = name;
		graph->types[x] = type;
	}
	graph->oid = oid;
	graph->item_kind = item_kind;
	graph->predicts = is_prediction(shop->definition, relation);
	graph->reader = reader_of(shop->definition, graph->predicts, oid);
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

/* Has the relation the columns, and the owner, that it had when the plans were made? */
static bool
is_as_it_was(const RecsysTableGraph *graph, const RecsysDefinition *definition)
{
	for (int x = 0; x < RECSYS_GRAPH_COLUMNS; x++)
	{
		AttrNumber	number = get_attnum(graph->oid, graph->columns[x]);

		if (number == InvalidAttrNumber || get_atttype(graph->oid, number) != graph->types[x])
			return false;
	}
	return graph->has_support == has_support(graph->oid) &&
		graph->reader == reader_of(definition, graph->predicts, graph->oid);
}

/* What takes the place of a relation under its name is another one. */
RecsysTableGraph *
RecsysGetTableGraph(RecsysShop *shop, const char *relation, Oid oid, RecsysKeyKind item_kind)
{
	MemoryContext old;
	RecsysTableGraph *graph;
	ListCell   *cell;

	if (shop->graph_plans == NULL)
		shop->graph_plans = MemoryContextAllocZero(shop->context, sizeof(RecsysGraphPlans));
	foreach(cell, shop->graph_plans->graphs)
	{
		graph = lfirst(cell);
		if (graph->oid != oid || graph->item_kind != item_kind)
			continue;
		if (is_as_it_was(graph, shop->definition))
			return graph;
		shop->graph_plans->graphs = foreach_delete_current(shop->graph_plans->graphs, cell);
	}
	if (!may_be_graph(oid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not an item graph", get_rel_name(oid)),
				 errdetail("A graph is a recsys index, a table, a view or a materialized view.")));
	graph = create(shop, relation, oid, item_kind);
	old = MemoryContextSwitchTo(shop->context);
	shop->graph_plans->graphs = lappend(shop->graph_plans->graphs, graph);
	MemoryContextSwitchTo(old);
	return graph;
}

/* Behind the columns of a graph, in what is received */
#define SUPPORT RECSYS_GRAPH_COLUMNS

typedef struct Receiver
{
	DestReceiver pub;
	RecsysCatalogue *catalogues[2]; /* of items and similar items */
	bool		with_self;
	MemoryContext scratch;		/* of the keys of a row; NULL: all are integers */
	Oid			types[2];
	bool		is_integer;		/* an item is */
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
			kind != RecsysCatalogueKind(receiver->catalogues[x]))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of the graph is of another type by now",
							NameStr(TupleDescAttr(desc, x)->attname))));
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
	slot = RecsysCatalogueFind(receiver->catalogues[RECSYS_GRAPH_ITEM], key);
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
	int64		support = row->tts_isnull[SUPPORT] ? -1 : DatumGetInt64(row->tts_values[SUPPORT]);
	int			place;
	uint32		slot;

	if (!isfinite(score))
		return;
	RecsysKeyFromDatum(receiver->types[RECSYS_GRAPH_ITEM], row->tts_values[RECSYS_GRAPH_ITEM], &item);
	place = find_place(receiver, &item);
	if (place == receiver->n)
		return;
	RecsysKeyFromDatum(receiver->types[RECSYS_GRAPH_SIMILAR], row->tts_values[RECSYS_GRAPH_SIMILAR], &similar);
	if (receiver->scratch != NULL && similar.len > RECSYS_MAX_KEY_LEN)
		return;
	slot = RecsysCatalogueSlot(receiver->catalogues[RECSYS_GRAPH_SIMILAR], &similar);
	if (slot == receiver->slots[place] && !receiver->with_self)
		return;

	/* an item may be asked for twice */
	for (int x = place; x < receiver->n && receiver->slots[x] == receiver->slots[place]; x++)
		receiver->visit(receiver->arg, x, slot, score, support);
}

static bool
receive(TupleTableSlot *row, DestReceiver *self)
{
	Receiver   *receiver = (Receiver *) self;
	MemoryContext old;

	slot_getallattrs(row);
	if (row->tts_isnull[RECSYS_GRAPH_ITEM] || row->tts_isnull[RECSYS_GRAPH_SIMILAR] || row->tts_isnull[RECSYS_GRAPH_SCORE])
		return true;
	if (receiver->scratch == NULL)
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
	receiver->is_integer = RecsysCatalogueKind(receiver->catalogues[RECSYS_GRAPH_ITEM]) == RECSYS_KEY_INT;
	if (!receiver->is_integer ||
		RecsysCatalogueKind(receiver->catalogues[RECSYS_GRAPH_SIMILAR]) != RECSYS_KEY_INT)
		receiver->scratch = AllocSetContextCreate(CurrentMemoryContext, "recsys graph row",
												  ALLOCSET_SMALL_SIZES);
	RecsysPlanSend(plan, values, NULL, &receiver->pub);
	if (receiver->scratch != NULL)
		MemoryContextDelete(receiver->scratch);
}

/* With the rights of who may read it: see tablegraph.h. */
static void
send_as_reader(const RecsysTableGraph *graph, RecsysPlan *plan, Receiver *receiver, Datum *values)
{
	RecsysRights before;

	if (!OidIsValid(graph->reader))
	{
		send(plan, receiver, values);
		return;
	}
	RecsysBeginAs(graph->reader, &before);
	send(plan, receiver, values);
	RecsysEndAs(&before);
}

void
RecsysVisitTableGraph(RecsysTableGraph *graph, RecsysCatalogue *others, RecsysCatalogue *catalogue,
					  const uint32 *slots, int n, uint32 similar, RecsysTableVisitor visit, void *arg)
{
	RecsysCatalogue *items = others != NULL ? others : catalogue;
	Receiver	receiver = {
		.catalogues = {items, catalogue},
		.with_self = others != NULL || graph->predicts,
		.slots = slots, .n = n, .visit = visit, .arg = arg
	};
	RecsysKey  *keys = palloc_extended(sizeof(RecsysKey) * (Size) Max(n, 1), MCXT_ALLOC_HUGE);
	RecsysKey	key;
	Datum		values[2] = {0, 0};
	int			nkeys = 0;

	for (int x = 0; x < n; x++)
		if (x == 0 || slots[x] != slots[x - 1])
			RecsysCatalogueKey(items, slots[x], &keys[nkeys++]);
	values[0] = RecsysKeyArray(&graph->parameters[RECSYS_GRAPH_ITEM], keys, nkeys);
	pfree(keys);
	if (similar != RECSYS_NONE)
	{
		RecsysCatalogueKey(catalogue, similar, &key);
		values[1] = RecsysKeyValue(&graph->parameters[RECSYS_GRAPH_SIMILAR], &key);
	}
	send_as_reader(graph, similar == RECSYS_NONE ? graph->all : graph->one, &receiver, values);
	pfree(DatumGetPointer(values[0]));
}
