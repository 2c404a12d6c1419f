/*
 * audienceitems.c
 *	  The items that an audience is looked for, and what is near to them.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "am/graph/graph.h"
#include "api/declare/customersquery.h"
#include "api/declare/eventsquery.h"
#include "api/operate/audienceitems.h"
#include "api/operate/queryanswer.h"
#include "api/scoring/serving.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "source/input/keytext.h"
#include "source/input/query.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

void
RecsysCheckAudienceRequest(const RecsysDefinition *definition, const RecsysAudienceRequest *request)
{
	if (request->item == NULL && request->seller == NULL && request->category == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an audience needs an item, a seller or a category"),
				 errhint("Name one, as in SELECT * FROM recsys.audience(%s, item_id => '1001');",
						 quote_literal_cstr(definition->name))));
	if (request->item != NULL && (request->seller != NULL || request->category != NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an item has its seller and its category already"),
				 errhint("Leave item_id out to ask for those of a seller or a category.")));
	if ((request->seller != NULL && definition->seller == NULL) ||
		(request->category != NULL && definition->category == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 request->seller != NULL && definition->seller == NULL ?
				 errmsg("recommender \"%s\" declares no seller", definition->name) :
				 errmsg("recommender \"%s\" declares no category", definition->name),
				 request->seller != NULL && definition->seller == NULL ?
				 errhint("Declare it, as in SELECT recsys.alter_recommender(%s, seller => 'seller_id');",
						 quote_literal_cstr(definition->name)) :
				 errhint("Declare it, as in SELECT recsys.alter_recommender(%s, category => 'category');",
						 quote_literal_cstr(definition->name))));
}

static RecsysKey
copy_key(RecsysKeyKind kind, const RecsysKey *key)
{
	RecsysKey	copy = *key;

	if (kind != RECSYS_KEY_INT)
	{
		char	   *data = palloc(Max(key->len, 1));

		memcpy(data, key->data, key->len);
		copy.data = data;
	}
	return copy;
}

/* Items of the shop that the request is about: the targets, and what is near to them */
typedef struct ItemRow
{
	RecsysKey	key;
	bool		target;
	bool		is_new;
	bool		near;
	bool		repeatable;
	char	   *product;		/* or NULL */
} ItemRow;

typedef struct ItemRows
{
	RecsysKeyKind kind;
	MemoryContext context;
	ItemRow    *rows;
	uint64		count;
	uint64		size;
} ItemRows;

static void
start_items(void *arg, TupleDesc desc)
{
}

static void
add_item(void *arg, HeapTuple tuple, TupleDesc desc)
{
	ItemRows   *items = arg;
	Datum		values[6];
	bool		nulls[6];
	RecsysKey	key;
	ItemRow    *row;
	MemoryContext old;

	heap_deform_tuple(tuple, desc, values, nulls);
	RecsysKeyFromDatum(TupleDescAttr(desc, 0)->atttypid, values[0], &key);
	if (key.len > RECSYS_MAX_KEY_LEN)
		return;
	old = MemoryContextSwitchTo(items->context);
	if (items->count == items->size)
	{
		items->size = Max(256, items->size * 2);
		items->rows = items->rows == NULL ? palloc(sizeof(ItemRow) * items->size) :
			repalloc_huge(items->rows, sizeof(ItemRow) * items->size);
	}
	row = &items->rows[items->count++];
	row->key = copy_key(items->kind, &key);
	row->target = DatumGetBool(values[1]);
	row->is_new = DatumGetBool(values[2]);
	row->near = DatumGetBool(values[3]);
	row->repeatable = DatumGetBool(values[4]);
	row->product = nulls[5] ? NULL : TextDatumGetCString(values[5]);
	MemoryContextSwitchTo(old);
}

/* The rows of the items' table that matter: i, target, is_new, near, repeatable, product */
static char *
items_query(const RecsysDefinition *definition, RecsysKeyKind kind,
			const RecsysAudienceRequest *request)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "WITH labels AS MATERIALIZED (");
	RecsysAppendItems(&out, definition, kind);
	appendStringInfoString(&out, "), marked AS MATERIALIZED (SELECT i, is_new, repeatable, product, ");
	if (request->item != NULL)
	{
		const char *key = RecsysKeyInSql(quote_literal_cstr(request->item), kind);
		const char *label = definition->category != NULL ? "category" : "seller";

		appendStringInfo(&out, "i = %s AS target, (%s = (SELECT %s FROM labels WHERE i = %s)) IS TRUE AS near",
						 key, label, label, key);
	}
	else
	{
		const char *seller = request->seller == NULL ? "true" :
			psprintf("(seller = %s) IS TRUE", quote_literal_cstr(request->seller));
		const char *category = request->category == NULL ? "true" :
			psprintf("(category = %s) IS TRUE", quote_literal_cstr(request->category));

		appendStringInfo(&out, "offered AND %s AND %s AS target, %s AND %s AS near", seller, category, seller, category);
	}
	appendStringInfoString(&out, " FROM labels) SELECT i, target, is_new, near, repeatable, product FROM marked "
						   "WHERE target OR near OR product IN (SELECT product FROM marked WHERE target)");
	return out.data;
}

static void
add_target(RecsysRecommender *events, RecsysTargets *targets, const RecsysKey *key, bool repeatable,
		   const char *product)
{
	RecsysTarget *target;

	targets->targets = targets->targets == NULL ? palloc(sizeof(RecsysTarget)) :
		(targets->count & (targets->count - 1)) != 0 ? targets->targets :
		repalloc_huge(targets->targets, sizeof(RecsysTarget) * 2 * (Size) targets->count);
	target = &targets->targets[targets->count++];
	target->key = *key;
	target->repeatable = repeatable;
	target->product = product;
	target->next = targets->count - 1;
	if (!RecsysFindItem(events, key, &target->number))
		target->number = RECSYS_NONE;
}

static void
take_items(RecsysRecommender *events, const ItemRows *items, bool of_seller, uint32 nitems,
		   RecsysTargets *targets, uint8 *near)
{
	bool		any_new = false;

	for (uint64 i = 0; i < items->count; i++)
		any_new |= of_seller && items->rows[i].target && items->rows[i].is_new;
	for (uint64 i = 0; i < items->count; i++)
	{
		const ItemRow *row = &items->rows[i];
		uint32		number;

		CHECK_FOR_INTERRUPTS();
		if (row->target && (!any_new || row->is_new))
			add_target(events, targets, &row->key, row->repeatable, row->product);
		if (row->near && RecsysFindItem(events, &row->key, &number) && number < nitems)
			near[number] = 1;
	}
}

/* Places of targets, by their products */
static int
compare_products(const void *a, const void *b, void *arg)
{
	const RecsysTarget *targets = arg;
	int			left = *(const int *) a;
	int			right = *(const int *) b;
	int			order = strcmp(targets[left].product, targets[right].product);

	return order != 0 ? order : (left > right) - (left < right);
}

/* The place of a target of the product, of those sorted; -1: there is none. */
static int
find_product(const RecsysTarget *targets, const int *sorted, int n, const char *product)
{
	int			low = 0;
	int			high = n;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		int			order = strcmp(targets[sorted[middle]].product, product);

		if (order == 0)
			return sorted[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

/* Whoever has one offer of a product has them all: rings of targets, and the other offers. */
static void
join_products(RecsysRecommender *events, const ItemRows *items, RecsysTargets *targets)
{
	int		   *sorted = palloc_extended(sizeof(int) * (Size) Max(targets->count, 1), MCXT_ALLOC_HUGE);
	int			n = 0;

	for (int t = 0; t < targets->count; t++)
		if (targets->targets[t].product != NULL)
			sorted[n++] = t;
	qsort_arg(sorted, n, sizeof(int), compare_products, targets->targets);
	for (int x = 0, first = 0; x < n; x++)
	{
		bool		last = x + 1 == n || strcmp(targets->targets[sorted[x]].product,
												targets->targets[sorted[x + 1]].product) != 0;

		targets->targets[sorted[x]].next = last ? sorted[first] : sorted[x + 1];
		if (last)
			first = x + 1;
	}

	targets->offers = palloc_extended(sizeof(RecsysOffer) * (Size) Max(items->count, 1), MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < items->count && n > 0; i++)
	{
		const ItemRow *row = &items->rows[i];
		RecsysOffer *offer = &targets->offers[targets->noffers];

		CHECK_FOR_INTERRUPTS();
		if (row->product == NULL || !RecsysFindItem(events, &row->key, &offer->number))
			continue;
		offer->target = find_product(targets->targets, sorted, n, row->product);
		targets->noffers += offer->target >= 0;
	}
	pfree(sorted);
}

void
RecsysFindAudienceItems(RecsysShop *shop, RecsysRecommender *events,
						const RecsysAudienceRequest *request, uint32 nitems, RecsysTargets *targets, uint8 **near)
{
	const RecsysDefinition *definition = shop->definition;
	RecsysKeyKind kind = events->columns.item_kind;
	ItemRows	items = {.kind = kind, .context = CurrentMemoryContext};

	*near = palloc_extended(Max(nitems, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (definition->items != NULL)
		RecsysRunShopQuery(shop, items_query(definition, kind, request), start_items, add_item,
						   &items);
	take_items(events, &items, request->seller != NULL, nitems, targets, *near);
	join_products(events, &items, targets);

	/* an item need not be in the table to be wanted */
	if (request->item != NULL && targets->count == 0)
	{
		RecsysKey	key;

		RecsysKeyFromText(events->columns.item_type, request->item, &key);
		add_target(events, targets, &key, false, NULL);
	}
}
