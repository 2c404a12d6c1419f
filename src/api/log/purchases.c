/*
 * purchases.c
 *	  What users have bought, as the shop's own table says.
 *
 * A declaration is looked at once, with the rights of who declares: columns become SQL over a row of
 * the table, which is called events, as in definitions of recommenders.  What is kept is read later
 * with the rights of a role, into a tuplestore that queries of the keeper see as a relation.  So no
 * query mixes the keeper's rights with expressions of anybody else.
 */
#include "postgres.h"

#include "access/relation.h"
#include "am/entry/indexes.h"
#include "api/declare/eventsquery.h"
#include "api/declare/indexfunctions.h"
#include "api/declare/jsonfields.h"
#include "api/declare/names.h"
#include "api/declare/queryrights.h"
#include "api/define/expression.h"
#include "api/keep/namedrows.h"
#include "api/log/pseudonym.h"
#include "api/log/purchases.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parser.h"
#include "source/input/runas.h"
#include "source/input/values.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/varlena.h"

#define EXAMPLE \
	"purchases => '{\"table\": \"sales\", \"user\": \"customer_id\", \"item\": \"product_id\", \"time\": \"sold_at\", \"amount\": \"price * quantity\"}'"

static const char *const known_keys[] = {"table", "user", "item", "time", "amount", "condition"};

/* What is declared, in the making: SQL over a row of the table; NULL: not known */
typedef struct Purchases
{
	Oid			table;
	char	   *user;
	char	   *item;
	char	   *time;
	char	   *amount;
	char	   *condition;
} Purchases;

/* What the relation has; after an error what was here is gone, and is overwritten. */
static Tuplestorestate *registered;

/* user_id, item_id, time, amount as they are read, and purchase, which numbers the rows */
#define PURCHASE_COLUMNS 5

static void
read_index(Oid oid, Purchases *found)
{
	Relation	index = relation_open(oid, AccessShareLock);
	RecsysColumns columns;
	int			nestlevel;

	RecsysGetColumns(index, &columns);
	RecsysCheckIndexFunctions(index);
	nestlevel = RecsysBeginPlainNames();
	found->table = index->rd_index->indrelid;
	found->user = RecsysIndexColumnInSql(index, RECSYS_USER_COLUMN);
	found->item = RecsysIndexColumnInSql(index, RECSYS_ITEM_COLUMN);
	found->time = columns.time_column == 0 ? NULL : RecsysIndexColumnInSql(index, columns.time_column);
	found->condition = RecsysIndexConditionInSql(index);
	RecsysEndPlainNames(nestlevel);
	if (strcmp(found->condition, "true") == 0)
		found->condition = NULL;
	relation_close(index, NoLock);
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
indexes_differ(Oid table, Oid one, Oid other)
{
	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_COLUMN),
			 errmsg("recsys indexes of \"%s\" do not agree on what a purchase is", get_rel_name(table)),
			 errdetail("\"%s\" and \"%s\" have different columns or conditions.", get_rel_name(one),
					   get_rel_name(other)),
			 errhint("Name one of the indexes, or the columns, as in %s.", EXAMPLE)));
}

/* What the recsys indexes over the table, those with a time or those without, say of it; false: there are none */
static bool
read_indexes(Oid table, bool timed, Purchases *found)
{
	Relation	open = relation_open(table, AccessShareLock);
	Oid			first = InvalidOid;
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(open))
	{
		Purchases	next = {0};

		if (RecsysKindOfIndex(lfirst_oid(cell)) != RECSYS_INTERACTIONS_INDEX)
			continue;
		read_index(lfirst_oid(cell), &next);
		if ((next.time != NULL) != timed)
			continue;
		if (OidIsValid(first) &&
			!(same_text(next.user, found->user) && same_text(next.item, found->item) &&
			  same_text(next.time, found->time) && same_text(next.condition, found->condition)))
			indexes_differ(table, first, lfirst_oid(cell));
		if (!OidIsValid(first))
		{
			first = lfirst_oid(cell);
			*found = next;
		}
	}
	relation_close(open, NoLock);
	return OidIsValid(first);
}

/* The column that alone can be the time of a purchase, as SQL; NULL: there are none or several */
static char *
only_time_column(Oid table)
{
	Relation	open = relation_open(table, AccessShareLock);
	TupleDesc	columns = RelationGetDescr(open);
	char	   *only = NULL;
	int			count = 0;

	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(columns, i);
		Oid			type = getBaseType(attribute->atttypid);

		if (attribute->attisdropped || (type != TIMESTAMPTZOID && type != TIMESTAMPOID && type != DATEOID))
			continue;
		only = pstrdup(quote_identifier(NameStr(attribute->attname)));
		count++;
	}
	relation_close(open, NoLock);
	return count == 1 ? only : NULL;
}

/* The name of a table, a view or an index */
static void
find_named(const char *name, Purchases *found)
{
	RangeVar   *range = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name)));
	Oid			oid = RangeVarGetRelid(range, AccessShareLock, false);
	RecsysColumns columns;

	if (get_rel_relkind(oid) == RELKIND_INDEX || get_rel_relkind(oid) == RELKIND_PARTITIONED_INDEX)
		read_index(RecsysFindIndex(name, &columns), found);
	else
		found->table = RecsysFindRelation(name);
}

static char *
column(JsonbContainer *object, const char *key, Oid table, const char *otherwise, Oid *type)
{
	char	   *name = RecsysJsonText(object, key);

	*type = InvalidOid;
	return name != NULL ? RecsysFindColumn(table, name, type) : otherwise != NULL ? pstrdup(otherwise) : NULL;
}

static void
check_key(const char *column, Oid type)
{
	RecsysKeyKind kind;

	if (OidIsValid(type) && !RecsysQueryKeyKindOfType(getBaseType(type), &kind))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column %s must hold keys, not values of type %s", column, format_type_be(type))));
}

static void
check_time(const char *column, Oid type)
{
	if (OidIsValid(type) && !RecsysTypeIsTime(getBaseType(type)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column %s must hold times, not values of type %s", column, format_type_be(type))));
}

/* A column of numbers; NULL if there is none of that name */
static char *
number_column(Oid table, const char *name)
{
	AttrNumber	number = get_attnum(table, name);

	return number > 0 && RecsysTypeIsWeight(getBaseType(get_atttype(table, number))) ? pstrdup(name) : NULL;
}

/* By usual names; NULL: there is none */
static char *
usual_amount(Oid table)
{
	static const char *const whole[] = {"amount", "revenue", "total"};
	char	   *price;

	for (int i = 0; i < (int) lengthof(whole); i++)
		if (number_column(table, whole[i]) != NULL)
			return pstrdup(whole[i]);
	price = number_column(table, "price");
	return price != NULL && number_column(table, "quantity") != NULL ? pstrdup("price * quantity") : price;
}

static void
fill_columns(JsonbContainer *object, Purchases *found)
{
	Oid			type;
	char	   *text;

	found->user = column(object, "user", found->table, found->user, &type);
	check_key(found->user, type);
	found->item = column(object, "item", found->table, found->item, &type);
	check_key(found->item, type);
	found->time = column(object, "time", found->table, found->time, &type);
	check_time(found->time, type);
	if ((text = RecsysJsonText(object, "condition")) != NULL)
		found->condition = RecsysKeptExpression(text, found->table, RECSYS_EVENTS,
												RECSYS_BOOLEAN_RESULT, &type);
	if ((text = RecsysJsonText(object, "amount")) == NULL)
		text = usual_amount(found->table);
	if (text != NULL)
		found->amount = RecsysKeptExpression(text, found->table, RECSYS_EVENTS,
											 RECSYS_NUMBER_RESULT, &type);
}

/*
 * What is not said is taken from the indexes: columns each by itself, the condition only where
 * they say which rows are purchases at all, that is, where no column has been named.
 */
static void
fill_from_indexes(JsonbContainer *object, Purchases *found)
{
	JsonbValue	value;
	bool		user = RecsysJsonGet(object, "user", &value);
	bool		item = RecsysJsonGet(object, "item", &value);
	bool		time = RecsysJsonGet(object, "time", &value);
	Purchases	indexed = {0};

	if (found->user == NULL && !(user && item && time) &&
		(read_indexes(found->table, true, &indexed) || read_indexes(found->table, false, &indexed)))
	{
		if (user || item || time)
			indexed.condition = NULL;
		*found = indexed;
	}
	if (found->time == NULL)
		found->time = only_time_column(found->table);
}

static Jsonb *
empty_object(void)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
}

/* As it is declared: JSON, or a name */
static Jsonb *
read_declared(const char *declared, Purchases *found)
{
	Jsonb	   *json = empty_object();
	char	   *table;

	if (declared[strspn(declared, " \t\r\n")] != '{')
	{
		find_named(declared, found);
		return json;
	}
	json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(declared)));
	RecsysJsonCheckKeys(&json->root, known_keys, lengthof(known_keys));
	table = RecsysJsonText(&json->root, "table");
	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("purchases have no table"),
				 errhint("Name one, as in %s.", EXAMPLE)));
	find_named(table, found);
	return json;
}

static void
check_complete(const Purchases *found, bool needs_amount)
{
	const char *lacking = found->user == NULL ? "user" : found->item == NULL ? "item" :
		found->time == NULL ? "time" : found->amount == NULL && needs_amount ? "amount" : NULL;

	if (lacking != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("it is not known which column of \"%s\" has the %s of a purchase",
						get_rel_name(found->table), lacking),
				 found->amount == NULL && needs_amount && found->time != NULL ?
				 errdetail("No amount is declared, and no column has a usual name for one.") :
				 errdetail("No recsys index over the table tells, nor is there a single column of times."),
				 errhint("Name it, as in %s.", EXAMPLE)));
}

static char *
query_text(const char *table, const char *user, const char *item, const char *time,
		   const char *amount, const char *condition)
{
	return psprintf("SELECT u, i, t, a FROM (SELECT (%s)::pg_catalog.text AS u, (%s)::pg_catalog.text AS i,"
					" (%s)::pg_catalog.timestamptz AS t, (%s)::pg_catalog.numeric AS a"
					" FROM %s AS events WHERE %s) AS p"
					" WHERE t >= $1 AND t < $2 AND u IS NOT NULL AND i IS NOT NULL",
					user, item, time, amount != NULL ? amount : "NULL", table,
					condition != NULL ? condition : "true");
}

/* May the current user read all of it? */
static void
check_rights(const char *query)
{
	Oid			types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID};
	int			nestlevel = RecsysBeginPlainNames();
	RawStmt    *raw = linitial_node(RawStmt, raw_parser(query, RAW_PARSE_DEFAULT));
	List	   *rewritten = pg_analyze_and_rewrite_fixedparams(raw, query, types, lengthof(types), NULL);
	ListCell   *cell;

	foreach(cell, rewritten)
		RecsysCheckQueryRights(lfirst_node(Query, cell));
	RecsysEndPlainNames(nestlevel);
}

Jsonb *
RecsysNormalPurchases(const char *declared, bool needs_amount)
{
	Purchases	found = {0};
	Jsonb	   *json = read_declared(declared, &found);
	JsonbParseState *state = NULL;
	char	   *table = RecsysKeptName(found.table);

	fill_from_indexes(&json->root, &found);
	fill_columns(&json->root, &found);
	check_complete(&found, needs_amount);
	check_rights(query_text(table, found.user, found.item, found.time, found.amount, found.condition));

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	RecsysJsonPutText(&state, "table", table);
	RecsysJsonPutText(&state, "user", found.user);
	RecsysJsonPutText(&state, "item", found.item);
	RecsysJsonPutText(&state, "time", found.time);
	RecsysJsonPutText(&state, "amount", found.amount);
	RecsysJsonPutText(&state, "condition", found.condition);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

static void
say_whose(void *arg)
{
	errcontext("reading purchases from %s", (const char *) arg);
}

/*
 * Times without a zone are those of the server's, not of whoever asks: or results would differ from
 * session to session.
 */
static void
set_time_zone(void)
{
	const char *zone = GetConfigOptionResetString("TimeZone");

	if (zone != NULL)
		(void) set_config_option("TimeZone", zone, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* The rows, read as the role; user, item, time, amount */
static Tuplestorestate *
read_as(Oid role, const Jsonb *kept, TimestampTz from, TimestampTz until)
{
	JsonbContainer *object = unconstify(JsonbContainer *, &kept->root);
	Tuplestorestate *store = tuplestore_begin_heap(false, false, work_mem);
	SPIExecuteOptions options = {0};
	ParamListInfo params = makeParamList(2);
	char	   *table = RecsysJsonText(object, "table");
	char	   *query = query_text(table, RecsysJsonText(object, "user"), RecsysJsonText(object, "item"),
								   RecsysJsonText(object, "time"), RecsysJsonText(object, "amount"),
								   RecsysJsonText(object, "condition"));
	ErrorContextCallback callback;
	RecsysRights before;
	bool		read_only;

	callback.callback = say_whose;
	callback.arg = table;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	for (int i = 0; i < 2; i++)
	{
		params->params[i].value = TimestampTzGetDatum(i == 0 ? from : until);
		params->params[i].isnull = false;
		params->params[i].pflags = PARAM_FLAG_CONST;
		params->params[i].ptype = TIMESTAMPTZOID;
	}
	options.params = params;
	options.read_only = true;
	options.dest = CreateTuplestoreDestReceiver();
	SetTuplestoreDestReceiverParams(options.dest, store, CurrentMemoryContext, true, NULL, NULL);

	RecsysBeginAs(role, &before);
	read_only = RecsysBeginReadOnly();
	set_time_zone();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_extended(query, &options) < 0)
		elog(ERROR, "SPI_execute_extended failed: %s", SPI_result_code_string(SPI_result));
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	RecsysEndReadOnly(read_only);
	RecsysEndAs(&before);
	error_context_stack = callback.previous;
	return store;
}

/* The first n columns of the relation */
static TupleDesc
describe(int n)
{
	TupleDesc	descriptor = CreateTemplateTupleDesc(n);

	TupleDescInitEntry(descriptor, 1, "user_id", TEXTOID, -1, 0);
	TupleDescInitEntry(descriptor, 2, "item_id", TEXTOID, -1, 0);
	TupleDescInitEntry(descriptor, 3, "time", TIMESTAMPTZOID, -1, 0);
	TupleDescInitEntry(descriptor, 4, "amount", NUMERICOID, -1, 0);
	if (n == PURCHASE_COLUMNS)
		TupleDescInitEntry(descriptor, PURCHASE_COLUMNS, "purchase", INT8OID, -1, 0);
	return descriptor;
}

/* The same with users as the log has them and a number for each, which frees what it is made of */
static Tuplestorestate *
number_rows(Tuplestorestate *rows, TupleDesc descriptor, bool pseudonyms, int64 *count)
{
	Tuplestorestate *store = tuplestore_begin_heap(true, false, work_mem);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(describe(PURCHASE_COLUMNS - 1),
													&TTSOpsMinimalTuple);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "recsys purchases",
												  ALLOCSET_SMALL_SIZES);

	*count = 0;
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		Datum		values[PURCHASE_COLUMNS];
		bool		isnull[PURCHASE_COLUMNS] = {false};
		MemoryContext old = MemoryContextSwitchTo(scratch);

		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(slot);
		memcpy(values, slot->tts_values, sizeof(Datum) * (PURCHASE_COLUMNS - 1));
		memcpy(isnull, slot->tts_isnull, sizeof(bool) * (PURCHASE_COLUMNS - 1));
		/* one of these in a sum, and the sum is that, too */
		if (!isnull[3] && (numeric_is_nan(DatumGetNumeric(values[3])) || numeric_is_inf(DatumGetNumeric(values[3]))))
			isnull[3] = true;
		if (pseudonyms)
			values[0] = CStringGetTextDatum(RecsysLogKey(TextDatumGetCString(values[0])));
		values[PURCHASE_COLUMNS - 1] = Int64GetDatum(++*count);
		tuplestore_putvalues(store, descriptor, values, isnull);
		MemoryContextSwitchTo(old);
		MemoryContextReset(scratch);
	}
	MemoryContextDelete(scratch);
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(rows);
	return store;
}

uint64
RecsysRegisterPurchases(const Jsonb *kept, Oid role, TimestampTz from, TimestampTz until,
						bool pseudonyms, const char *name)
{
	TupleDesc	descriptor = describe(PURCHASE_COLUMNS);
	int64		count = 0;

	registered = kept == NULL ? tuplestore_begin_heap(true, false, work_mem) :
		number_rows(read_as(role, kept, from, until), descriptor, pseudonyms, &count);
	RecsysNameRows(name, registered, descriptor, (double) count);
	return count;
}

void
RecsysReleasePurchases(const char *name)
{
	RecsysForgetRows(name, registered);
	registered = NULL;
}
