/*
 * allrows.c
 *	  The rows of recommend_all(): who asks for what, and values of keys.
 *
 * The value of an item's key is made when the item is first listed, and kept: a few thousand items
 * stand in the lists of all users.
 */
#include "postgres.h"

#include "api/batch/allrows.h"
#include "catalog/namespace.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#define COLUMNS 4

/* The call with other types; recommender stands in where the call names none, NULL: nothing. */
static int
hint_types(FunctionCallInfo fcinfo, const char *recommender, const char *user_type, const char *item_type)
{
	Oid			function = fcinfo->flinfo->fn_oid;
	const char *schema = FunctionIsVisible(function) ? NULL :
		get_namespace_name(get_func_namespace(function));
	char	   *k = PG_ARGISNULL(1) ? pstrdup("NULL") : psprintf(INT64_FORMAT, PG_GETARG_INT64(1));
	char	   *name = !PG_ARGISNULL(0) ? quote_literal_cstr(text_to_cstring(PG_GETARG_TEXT_PP(0))) :
		recommender != NULL ? quote_literal_cstr(quote_identifier(recommender)) : pstrdup("NULL");

	return errhint("Use %s(%s, %s, user_type => NULL::%s, item_type => NULL::%s).",
				   quote_qualified_identifier(schema, get_func_name(function)), name, k,
				   user_type, item_type);
}

static void
check_type(FunctionCallInfo fcinfo, Oid type, const char *role)
{
	RecsysKeyKind kind;

	if (!RecsysKeyKindOfType(type, &kind))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s keys cannot be returned as %s", role, format_type_be(type)),
				 errdetail("Keys of every type can be returned as text."),
				 hint_types(fcinfo, NULL, "text", "text")));
}

void
RecsysAllRowsInit(RecsysAllRows *rows, FunctionCallInfo fcinfo)
{
	TupleDesc	desc;

	memset(rows, 0, sizeof(*rows));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != COLUMNS)
		elog(ERROR, "return type must be a row type of %d columns", COLUMNS);
	rows->call = fcinfo;
	rows->desc = BlessTupleDesc(desc);
	rows->user_type = getBaseType(TupleDescAttr(desc, 0)->atttypid);
	rows->item_type = getBaseType(TupleDescAttr(desc, 1)->atttypid);
	check_type(fcinfo, rows->user_type, "user");
	check_type(fcinfo, rows->item_type, "item");
	rows->context = CurrentMemoryContext;
	rows->row_context = AllocSetContextCreate(CurrentMemoryContext, "recsys rows of all users",
											  ALLOCSET_DEFAULT_SIZES);
}

static void
wrong_kind(const RecsysAllRows *rows, const char *recommender, const char *role, RecsysKeyKind kind,
		   Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("recommender \"%s\" has %s %s keys, but %s was asked for",
					recommender, RecsysKeyKindName(kind), role, format_type_be(type)),
			 hint_types(rows->call, recommender, RecsysKeyKindTypeName(rows->user_kind),
						RecsysKeyKindTypeName(rows->item_kind))));
}

void
RecsysAllRowsCheckKinds(RecsysAllRows *rows, RecsysKeyKind user_kind, RecsysKeyKind item_kind,
						const char *recommender)
{
	rows->user_kind = user_kind;
	rows->item_kind = item_kind;
	if (!RecsysKeyFitsType(rows->user_type, user_kind))
		wrong_kind(rows, recommender, "user", user_kind, rows->user_type);
	if (!RecsysKeyFitsType(rows->item_type, item_kind))
		wrong_kind(rows, recommender, "item", item_kind, rows->item_type);
}

static void
put_values(RecsysAllRows *rows, Datum user, Datum item, float score, int rank)
{
	Datum		values[COLUMNS] = {user, item, Int32GetDatum(rank), Float4GetDatum(score)};
	bool		isnull[COLUMNS] = {false, false, false, false};

	tuplestore_putvalues(rows->store, rows->desc, values, isnull);
}

void
RecsysAllRowsPut(void *arg, const RecsysKey *user, const RecsysKey *item, float score, int rank)
{
	RecsysAllRows *rows = arg;
	MemoryContext old = MemoryContextSwitchTo(rows->row_context);

	put_values(rows, RecsysKeyToValue(rows->user_type, rows->user_kind, user),
			   RecsysKeyToValue(rows->item_type, rows->item_kind, item), score, rank);
	MemoryContextSwitchTo(old);
	MemoryContextReset(rows->row_context);
}

/* Makes room for the values of more items, up to this one at least. */
static void
extend_items(RecsysAllRows *rows, uint32 item)
{
	uint32		all = RecsysItemCount(rows->reader->index);
	uint32		size;

	if (item >= all)
		RecsysNoItem(rows->reader->index, item);
	size = (uint32) Min((uint64) all, Max((uint64) item + 1, Max((uint64) rows->nitems * 2, 1024)));
	if (rows->items == NULL)
	{
		rows->items = MemoryContextAllocHuge(rows->context, sizeof(Datum) * (Size) size);
		rows->known = MemoryContextAllocHuge(rows->context, sizeof(bool) * (Size) size);
	}
	else
	{
		rows->items = repalloc_huge(rows->items, sizeof(Datum) * (Size) size);
		rows->known = repalloc_huge(rows->known, sizeof(bool) * (Size) size);
	}
	memset(rows->known + rows->nitems, 0, sizeof(bool) * (Size) (size - rows->nitems));
	rows->nitems = size;
}

static Datum
item_value(RecsysAllRows *rows, uint32 item)
{
	RecsysKey	key;
	MemoryContext old;

	if (item >= rows->nitems)
		extend_items(rows, item);
	if (!rows->known[item])
	{
		old = MemoryContextSwitchTo(rows->context);
		RecsysGraphNeedKey(rows->reader, item, &key);
		rows->items[item] = RecsysKeyToValue(rows->item_type, rows->item_kind, &key);
		rows->known[item] = true;
		MemoryContextSwitchTo(old);
	}
	return rows->items[item];
}

void
RecsysAllRowsPutList(void *arg, const char *stored, uint32 keylen, const RecsysScored *list, int count)
{
	RecsysAllRows *rows = arg;
	MemoryContext old = MemoryContextSwitchTo(rows->row_context);
	RecsysKey	key;
	Datum		user;

	RecsysKeyLoad(rows->user_kind, stored, keylen, &key);
	user = RecsysKeyToValue(rows->user_type, rows->user_kind, &key);
	for (int i = 0; i < count; i++)
		put_values(rows, user, item_value(rows, list[i].item), list[i].score, i + 1);
	MemoryContextSwitchTo(old);
	MemoryContextReset(rows->row_context);
}
