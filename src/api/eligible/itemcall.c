/*
 * itemcall.c
 *	  What one call has of the items' table, and rows read from it.
 *
 * Rows are taken as the executor has them, without a copy of each: a list looks at some
 * hundreds of them.
 */
#include "postgres.h"

#include "access/relation.h"
#include "api/eligible/itemcall.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* What the executor gives its rows to */
typedef struct RowReceiver
{
	DestReceiver receiver;		/* first */
	RecsysItems *items;
	RecsysNewKeys new_keys;
	RecsysTakeRow take;
	void	   *arg;
	Oid		   *types;
	uint64		rows;
} RowReceiver;

static void
find_conditions(RecsysItems *items, Relation table)
{
	const RecsysContext *context = items->profile->context;

	if (context == NULL || context->nfilters == 0)
		return;
	items->conditions = RecsysContextConditionsOf(items->definition, table,
												  items->plans->category_type,
												  items->plans->seller_type, context);
}

static void
refuse_filter(RecsysItems *items)
{
	const RecsysContext *context = items->profile->context;

	if (context == NULL || context->nfilters == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("recommender \"%s\" has no table of items to filter", items->definition->name),
			 errhint("Declare it by the parameters items and item_key of recsys.alter_recommender.")));
}

RecsysItems *
RecsysItemsBegin(const RecsysShopProfile *profile)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys items",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysItems *items = palloc0(sizeof(RecsysItems));

	items->profile = profile;
	items->shop = profile->shop;
	items->definition = profile->shop->definition;
	items->context = context;
	items->scratch = AllocSetContextCreate(context, "recsys item", ALLOCSET_SMALL_SIZES);
	items->labels = RecsysItemLabelsCreate();
	items->share = -1;
	if (items->definition->items == NULL)
		refuse_filter(items);
	else
	{
		Relation	table = RecsysOpenItems(items->shop);

		items->plans = RecsysItemPlansOf(items->shop, table,
										 RecsysCatalogueKind(profile->catalogue));
		RecsysHoldItemPlans(context);
		find_conditions(items, table);
		items->shape = RecsysItemShapeOf(items->plans, items->conditions);
		relation_close(table, NoLock);
	}
	MemoryContextSwitchTo(old);
	return items;
}

void
RecsysItemsEnd(RecsysItems *items)
{
	MemoryContextDelete(items->context);
}

/* Promotions, or the table as it has become, may have other keys than the events. */
static void
check_key_type(const RecsysItems *items, Oid type)
{
	RecsysKeyKind wanted = RecsysCatalogueKind(items->profile->catalogue);
	RecsysKeyKind kind;

	if (!RecsysKeyKindOfType(type, &kind) || kind != wanted)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("item keys are of type %s, but %s in \"%s\"", format_type_be(type),
						RecsysKeyKindName(wanted), items->definition->signals[0].events),
				 errhint("Declare a view in which the column is cast to %s.",
						 RecsysKeyKindTypeName(wanted))));
}

static void
start_rows(DestReceiver *self, int operation, TupleDesc row)
{
	RowReceiver *receiver = (RowReceiver *) self;

	receiver->types = MemoryContextAlloc(receiver->items->context, sizeof(Oid) * row->natts);
	for (int i = 0; i < row->natts; i++)
		receiver->types[i] = getBaseType(TupleDescAttr(row, i)->atttypid);
	check_key_type(receiver->items, receiver->types[0]);
}

/* A key that is null is nobody's. */
static uint32
slot_of(RowReceiver *receiver, Datum value, bool is_null)
{
	RecsysCatalogue *catalogue = receiver->items->profile->catalogue;
	RecsysKey	key;

	if (is_null)
		return RECSYS_NONE;
	RecsysKeyFromDatum(receiver->types[0], value, &key);

	/* no event has a key that long */
	if (RecsysCatalogueKind(catalogue) == RECSYS_KEY_TEXT && key.len > RECSYS_MAX_KEY_LEN)
		return RECSYS_NONE;
	return receiver->new_keys == RECSYS_NUMBER_NEW_KEYS ? RecsysCatalogueSlot(catalogue, &key) :
		RecsysCatalogueFind(catalogue, &key);
}

static bool
receive_row(TupleTableSlot *row, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext scratch = receiver->items->scratch;
	MemoryContext old = MemoryContextSwitchTo(scratch);
	bool		more = true;
	uint32		slot;

	receiver->rows++;
	slot_getallattrs(row);
	slot = slot_of(receiver, row->tts_values[0], row->tts_isnull[0]);
	if (slot != RECSYS_NONE)
		more = receiver->take(receiver->arg, slot, row->tts_values, row->tts_isnull,
							  receiver->types);
	MemoryContextSwitchTo(old);
	MemoryContextReset(scratch);
	return more;
}

static void
do_nothing(DestReceiver *self)
{
}

static Datum *
parameters_of(RecsysItems *items, RecsysItemQuery query, Datum array)
{
	int			nvalues = RecsysItemQueryIsFiltered(query) && items->conditions != NULL ?
		items->conditions->nvalues : 0;
	Datum	   *values = palloc(sizeof(Datum) * (nvalues + 1));
	int			n = 0;

	if (RecsysItemQueryHasArray(query))
		values[n++] = array;
	for (int i = 0; i < nvalues; i++)
		values[n++] = items->conditions->values[i];
	return values;
}

uint64
RecsysReadRows(RecsysItems *items, RecsysItemQuery query, RecsysItemLimit limit, Datum array,
			   RecsysNewKeys new_keys, RecsysTakeRow take, void *arg)
{
	MemoryContext old = MemoryContextSwitchTo(items->context);
	RecsysPlan *plan = RecsysItemPlanOf(items->plans, items->shape, items->conditions, query,
										limit);
	RowReceiver receiver = {
		/* SPI takes a destination for one that discards rows if it says DestNone */
		.receiver = {receive_row, start_rows, do_nothing, do_nothing, DestTuplestore},
		.items = items,
		.new_keys = new_keys,
		.take = take,
		.arg = arg
	};
	Datum	   *values = parameters_of(items, query, array);

	RecsysPlanSend(plan, values, NULL, &receiver.receiver);
	pfree(values);
	if (receiver.types != NULL)
		pfree(receiver.types);
	MemoryContextSwitchTo(old);
	return receiver.rows;
}

void
RecsysPlainItem(RecsysItems *items, uint32 slot, RecsysItemRow *row)
{
	memset(row, 0, sizeof(RecsysItemRow));
	row->slot = slot;
	row->price = get_float8_nan();
	row->seller_sum = get_float8_nan();
	row->seller_ratings = get_float8_nan();
	if (items->definition->ncaps > 0)
		row->caps = MemoryContextAllocZero(items->context,
										   sizeof(RecsysLabel) * items->definition->ncaps);
}

void
RecsysDecodeItem(RecsysItems *items, uint32 slot, const Datum *values, const bool *nulls,
				 const Oid *types, RecsysItemRow *row)
{
	const RecsysItemColumns *columns = items->plans->columns;

#define IS_THERE(column) ((column) >= 0 && !nulls[column])
#define LABEL(column) (IS_THERE(column) ? \
	RecsysItemLabelOf(items->labels, types[column], values[column]) : 0)
#define NUMBER(column) (IS_THERE(column) ? DatumGetFloat8(values[column]) : get_float8_nan())
#define TRUTH(column) (IS_THERE(column) && DatumGetBool(values[column]))

	row->slot = slot;
	row->group = LABEL(columns->group);
	row->category = LABEL(columns->category);
	row->seller = LABEL(columns->seller);
	row->caps = columns->ncaps > 0 ? palloc(sizeof(RecsysLabel) * columns->ncaps) : NULL;
	for (int i = 0; i < columns->ncaps; i++)
		row->caps[i] = LABEL(columns->caps[i]);
	row->price = NUMBER(columns->price);
	row->seller_sum = NUMBER(columns->seller_sum);
	row->seller_ratings = NUMBER(columns->seller_ratings);
	row->is_new = TRUTH(columns->is_new);
	row->is_new_seller = TRUTH(columns->is_new_seller);
	row->is_repeatable = TRUTH(columns->is_repeatable);
}

void
RecsysKeepCaps(RecsysItems *items, RecsysItemRow *row)
{
	int			ncaps = items->definition->ncaps;
	RecsysLabel *kept;

	if (ncaps == 0)
		return;
	kept = MemoryContextAlloc(items->context, sizeof(RecsysLabel) * ncaps);
	memcpy(kept, row->caps, sizeof(RecsysLabel) * ncaps);
	row->caps = kept;
}
