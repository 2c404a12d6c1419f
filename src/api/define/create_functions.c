/*
 * create_functions.c
 *	  recsys.create_functions(): functions with the exact types of a shop.
 *
 * Gateways and drivers look at the types of a function's parameters and columns.  Those of
 * recommend fit all shops; these fit one.  They are plain functions in SQL, owned by who has
 * them made, which call the others by their names: nothing has to be made again when the
 * extension is updated.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/call/recommender.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "source/input/keytext.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(recsys_create_functions);

/* By this comment they are known as made here, and may be replaced. */
#define MARK "made by recsys.create_functions: "

/* What all of them are made of */
typedef struct Wrapper
{
	const char *schema;			/* where they go, quoted */
	Oid			schema_oid;
	const char *verbs;			/* schema of the extension, quoted */
	const char *recommender;	/* a literal */
	Oid			user;			/* types, as the columns have them */
	Oid			item;
	const char *user_type;		/* the same as SQL */
	const char *item_type;
	const char *call_type;		/* of item keys in the calls that are made */
	ReturnSetInfo *result;
} Wrapper;

/* The parameters of a function */
typedef enum Parameters
{
	OF_USER,
	OF_USER_AND_CONTEXT,
	OF_ITEM,
	OF_ITEMS,
	OF_NONE,
	OF_USER_AND_ITEM
} Parameters;

typedef struct Function
{
	const char *name;
	Parameters	parameters;
	bool		has_k;
	const char *columns;		/* behind the item */
	const char *item_column;
	const char *comment;
	const char *typed_as;		/* behind the type of the items in calls that give it */
} Function;

static const Function functions[] = {
	{"recommend", OF_USER, true, "score real, source text, rank integer", "item_id",
	"the k best items for a user", ", true, NULL::pg_catalog.interval"},
	{"recommend_with_context", OF_USER_AND_CONTEXT, true, "score real, source text, rank integer",
	"item_id", "the k best items for a user, or a visitor, with what the context says", NULL},
	{"similar_items", OF_ITEM, true, "score real, support bigint, rank integer", "item_id",
	"the k items that are most like an item", NULL},
	{"goes_with", OF_ITEM, true, "score real, support bigint, rank integer", "item_id",
	"the k items that go best with an item", NULL},
	{"popular_items", OF_NONE, true, "users bigint, score double precision, rank integer", "item_id",
	"the k most popular items", ", NULL::pg_catalog.timestamptz, NULL::pg_catalog.interval"},
	{"trending_items", OF_NONE, true,
		"users bigint, expected double precision, score double precision, rank integer", "item_id",
	"the k items that are taken much more often lately than they used to be",
	", NULL::pg_catalog.interval"},
	{"recommend_for_items", OF_ITEMS, true, "score real, source text, rank integer", "item_id",
	"the k best items to go with the given ones", NULL},
	{"recommend_for_session", OF_ITEMS, true, "score real, source text, rank integer", "item_id",
	"the k items that come next after the given ones, the last one last", NULL},
	{"explain_recommendation", OF_USER_AND_ITEM, false,
		"contribution double precision, weight double precision, similarity real, support bigint, rank integer, part text, signal text, reason text",
	"because_item_id", "what is behind a recommendation, part by part", NULL},
	{"buy_again", OF_USER, true,
		"score real, times integer, last_bought_at pg_catalog.timestamptz, due_at pg_catalog.timestamptz, rank integer",
	"item_id", "items that a user is likely to buy again", ", NULL::pg_catalog.timestamptz"},
	{"next_basket", OF_USER, true, "score real, source text, rank integer", "item_id",
	"the k items that a user will most likely buy next time", ", NULL::pg_catalog.timestamptz"},
	{"recently_viewed", OF_USER, true, "last_at pg_catalog.timestamptz, times integer, rank integer",
	"item_id", "the k items that a user had last", ""},
	{"on_sale_for", OF_USER, true,
		"score real, price double precision, usual_price double precision, discount real, rank integer",
	"item_id", "items for a user that cost less than they usually do", ", NULL::pg_catalog.jsonb"},
};

/* Declarations of the parameters; types gets those of the input. */
static char *
declare_parameters(const Wrapper *wrapper, const Function *function, Oid *types, int *ntypes)
{
	StringInfoData text;
	int			n = 0;

	initStringInfo(&text);
	if (function->parameters == OF_USER || function->parameters == OF_USER_AND_CONTEXT ||
		function->parameters == OF_USER_AND_ITEM)
	{
		appendStringInfo(&text, "user_id %s", wrapper->user_type);
		types[n++] = wrapper->user;
	}
	if (function->parameters == OF_ITEM || function->parameters == OF_USER_AND_ITEM)
	{
		appendStringInfo(&text, "%sitem_id %s", n > 0 ? ", " : "", wrapper->item_type);
		types[n++] = wrapper->item;
	}
	if (function->parameters == OF_ITEMS)
	{
		appendStringInfo(&text, "items %s[]", wrapper->item_type);
		types[n++] = get_array_type(wrapper->item);
	}
	if (function->parameters == OF_USER_AND_CONTEXT)
	{
		appendStringInfoString(&text, ", context pg_catalog.jsonb");
		types[n++] = JSONBOID;
	}
	if (function->has_k)
	{
		appendStringInfo(&text, "%sk integer DEFAULT 10", n > 0 ? ", " : "");
		types[n++] = INT4OID;
	}
	*ntypes = n;
	return text.data;
}

/* The call that a function makes; $1, $2 … are its parameters. */
static char *
call(const Wrapper *wrapper, const Function *function)
{
	const char *type = wrapper->call_type;
	const char *name = wrapper->recommender;

	switch (function->parameters)
	{
		case OF_USER:
			return psprintf("%s($1, $2, %s, NULL::%s%s)", function->name, name, type,
							function->typed_as);
		case OF_USER_AND_CONTEXT:
			return psprintf("recommend($1, $3, %s, NULL::%s, true, NULL::pg_catalog.interval, $2)",
							name, type);
		case OF_ITEM:
			return psprintf("%s($1::%s, $2, %s)", function->name, type, name);
		case OF_ITEMS:
			return psprintf("%s($1::%s[], $2, %s)", function->name, type, name);
		case OF_NONE:
			return psprintf("%s($1, %s, NULL::%s%s)", function->name, name, type, function->typed_as);
		case OF_USER_AND_ITEM:
			return psprintf("explain_recommendation($1, $2::%s, %s)", type, name);
	}
	return NULL;
}

/* The names of columns in a list of declarations, each with r. before it */
static char *
column_names(const char *columns)
{
	StringInfoData names;
	const char *column = columns;

	initStringInfo(&names);
	while (column != NULL)
	{
		appendStringInfo(&names, ", r.%.*s", (int) strcspn(column, " "), column);
		column = strstr(column, ", ");
		if (column != NULL)
			column += strlen(", ");
	}
	return names.data;
}

static void
run(const char *command)
{
	int			result = SPI_execute(command, false, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
}

/*
 * Replacing a function leaves its owner, who could change it afterwards: nobody's function whose
 * code the caller does not trust with his rights, whatever its comment says.
 */
static void
check_function_owner(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	if (superuser() ? !superuser_arg(owner) : !has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("function %s belongs to role \"%s\"", format_procedure_qualified(function),
						GetUserNameFromId(owner, false)),
				 errdetail("That role could change it after it has been replaced."),
				 errhint("Choose another schema, or drop it: DROP FUNCTION %s;",
						 format_procedure_qualified(function))));
}

/* A function of that name and parameters that is somebody's own is not replaced. */
static void
check_ours(const Wrapper *wrapper, const Function *function, const Oid *types, int ntypes)
{
	oidvector  *arguments = buildoidvector(types, ntypes);
	Oid			existing = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
										   CStringGetDatum(function->name), PointerGetDatum(arguments),
										   ObjectIdGetDatum(wrapper->schema_oid));
	char	   *comment;

	if (!OidIsValid(existing))
		return;
	comment = GetComment(existing, ProcedureRelationId, 0);
	if (comment == NULL || strncmp(comment, MARK, strlen(MARK)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_FUNCTION),
				 errmsg("function %s already exists", format_procedure_qualified(existing)),
				 errdetail("It was not made by recsys.create_functions, which replaces only its own."),
				 errhint("Choose another schema, or drop it: DROP FUNCTION %s;",
						 format_procedure_qualified(existing))));
	check_function_owner(existing);
}

static void
put_made(const Wrapper *wrapper, const char *signature)
{
	Datum		value = CStringGetTextDatum(signature);
	bool		isnull = false;

	tuplestore_putvalues(wrapper->result->setResult, wrapper->result->setDesc, &value, &isnull);
}

static char *
signature_of(const Wrapper *wrapper, const Function *function, const Oid *types, int ntypes)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%s.%s(", wrapper->schema, function->name);
	for (int i = 0; i < ntypes; i++)
		appendStringInfo(&text, "%s%s", i > 0 ? ", " : "", format_type_be_qualified(types[i]));
	appendStringInfoChar(&text, ')');
	return text.data;
}

static void
make_function(const Wrapper *wrapper, const Function *function)
{
	Oid			types[4];
	int			ntypes;
	char	   *parameters = declare_parameters(wrapper, function, types, &ntypes);
	char	   *signature = signature_of(wrapper, function, types, ntypes);
	char	   *body = psprintf("SELECT r.%s::%s%s FROM %s.%s r", function->item_column,
								wrapper->item_type, column_names(function->columns), wrapper->verbs,
								call(wrapper, function));

	check_ours(wrapper, function, types, ntypes);
	run(psprintf("CREATE OR REPLACE FUNCTION %s.%s(%s) RETURNS TABLE (%s %s, %s) "
				 "LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000 ROWS 10 AS %s",
				 wrapper->schema, function->name, parameters, function->item_column,
				 wrapper->item_type, function->columns, quote_literal_cstr(body)));
	run(psprintf("COMMENT ON FUNCTION %s IS %s", signature,
				 quote_literal_cstr(psprintf(MARK "%s, by recommender %s", function->comment,
											 wrapper->recommender))));
	put_made(wrapper, signature);
}

/* The schema that recommend and the others are in */
static char *
schema_of_verbs(void)
{
	char	   *schema;

	run("SELECT n.nspname FROM pg_catalog.pg_extension e"
		" JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace"
		" WHERE e.extname OPERATOR(pg_catalog.=) 'recsys'");
	if (SPI_processed != 1)
		elog(ERROR, "extension recsys does not exist");
	schema = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	return pstrdup(quote_identifier(schema));
}

/* The exact types of the columns of an index.  An enum has no function of its own: text has. */
static void
find_types(Wrapper *wrapper, const char *index)
{
	RecsysRecommender recommender;
	TupleDesc	descriptor;
	RecsysKeyKind kind;

	RecsysOpenRecommenderIndex(RecsysNamedRecommender(index), &recommender);
	descriptor = RelationGetDescr(recommender.index);
	kind = recommender.columns.item_kind;
	wrapper->user = TupleDescAttr(descriptor, RECSYS_USER_COLUMN - 1)->atttypid;
	wrapper->item = TupleDescAttr(descriptor, RECSYS_ITEM_COLUMN - 1)->atttypid;
	RecsysCloseRecommender(&recommender);
	wrapper->user_type = format_type_be_qualified(wrapper->user);
	wrapper->item_type = format_type_be_qualified(wrapper->item);
	wrapper->call_type = format_type_be_qualified(RecsysKeyKindType(kind));
}

static void
find_recommender(Wrapper *wrapper, const char *name)
{
	RecsysShop *shop = RecsysServedShop(name);

	if (shop != NULL)
	{
		wrapper->recommender = quote_literal_cstr(shop->definition->name);
		find_types(wrapper, shop->definition->signals[0].events);
	}
	else
	{
		wrapper->recommender = quote_literal_cstr(RecsysKeptName(RecsysNamedRecommender(name)));
		find_types(wrapper, name);
	}
}

static void
find_schema(Wrapper *wrapper, const char *name)
{
	wrapper->schema_oid = get_namespace_oid(name, true);
	if (!OidIsValid(wrapper->schema_oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema \"%s\" does not exist", name),
				 errhint("CREATE SCHEMA %s;", quote_identifier(name))));
	wrapper->schema = pstrdup(quote_identifier(name));
}

Datum
recsys_create_functions(PG_FUNCTION_ARGS)
{
	char	   *recommender = RecsysArgQuery(fcinfo, 0, "recommender");
	char	   *schema = RecsysArgQuery(fcinfo, 1, "schema");
	Wrapper		wrapper = {0};
	int			nestlevel;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	wrapper.result = (ReturnSetInfo *) fcinfo->resultinfo;
	find_recommender(&wrapper, recommender);
	find_schema(&wrapper, schema);

	nestlevel = RecsysBeginPlainNames();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	wrapper.verbs = schema_of_verbs();
	for (int i = 0; i < (int) lengthof(functions); i++)
		make_function(&wrapper, &functions[i]);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	RecsysEndPlainNames(nestlevel);
	return (Datum) 0;
}
