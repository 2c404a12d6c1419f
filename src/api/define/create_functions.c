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
#include "api/call/distributed.h"
#include "api/call/commands.h"
#include "api/call/extensionschema.h"
#include "api/call/recommender.h"
#include "api/call/rights.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/define/shopfunctions.h"
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
	bool		segments;		/* are they declared? */
	bool		content;
	ReturnSetInfo *result;
} Wrapper;

/* A call or a declaration with the shop's names in it. */
static char *
filled(const Wrapper *wrapper, const char *template)
{
	StringInfoData text;

	initStringInfo(&text);
	for (const char *next = template; *next != '\0'; next++)
	{
		if (*next != '%')
		{
			appendStringInfoChar(&text, *next);
			continue;
		}
		next++;
		appendStringInfoString(&text,
							   *next == 'U' ? wrapper->user_type :
							   *next == 'I' ? wrapper->item_type :
							   *next == 'R' ? wrapper->recommender :
							   *next == 'T' ? wrapper->call_type : wrapper->verbs);
	}
	return text.data;
}

/* Declarations of the parameters; types gets their types. */
static char *
declare_parameters(const Wrapper *wrapper, const RecsysShopFunction *function, Oid *types, int *ntypes)
{
	StringInfoData text;
	int			n = 0;

	initStringInfo(&text);
	for (; function->parameters[n] != SHOP_END; n++)
	{
		const RecsysShopDeclaration *declaration = &RecsysShopDeclarations[function->parameters[n]];

		appendStringInfo(&text, "%s%s", n > 0 ? ", " : "", filled(wrapper, declaration->text));
		types[n] = declaration->type == ANYCOMPATIBLEOID ? wrapper->user :
			declaration->type == ANYELEMENTOID ? wrapper->item :
			declaration->type == ANYARRAYOID ? get_array_type(wrapper->item) : declaration->type;
	}
	*ntypes = n;
	return text.data;
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
	if (!RecsysTrustsOwner(owner))
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
check_ours(const Wrapper *wrapper, const RecsysShopFunction *function, const Oid *types, int ntypes)
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
signature_of(const Wrapper *wrapper, const RecsysShopFunction *function, const Oid *types, int ntypes)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%s.%s(", wrapper->schema, function->name);
	for (int i = 0; i < ntypes; i++)
		appendStringInfo(&text, "%s%s", i > 0 ? ", " : "", RecsysTypeInSql(types[i], -1));
	appendStringInfoChar(&text, ')');
	return text.data;
}

/* What it returns, and its body. */
static char *
returns(const Wrapper *wrapper, const RecsysShopFunction *function, char **body)
{
	char	   *calls = filled(wrapper, function->call);

	if (function->item_column == NULL)
	{
		*body = psprintf("SELECT %s", calls);
		return pstrdup(function->result);
	}
	*body = psprintf("SELECT r.%s::%s%s FROM %s r", function->item_column, wrapper->item_type,
					 column_names(function->result), calls);
	return psprintf("TABLE (%s %s, %s)", function->item_column, wrapper->item_type, function->result);
}

static void
make_function(const Wrapper *wrapper, const RecsysShopFunction *function)
{
	Oid			types[SHOP_MAX_PARAMETERS];
	int			ntypes;
	char	   *parameters = declare_parameters(wrapper, function, types, &ntypes);
	char	   *signature = signature_of(wrapper, function, types, ntypes);
	char	   *body;
	char	   *result = returns(wrapper, function, &body);

	check_ours(wrapper, function, types, ntypes);
	RecsysRunCommand(psprintf("CREATE OR REPLACE FUNCTION %s.%s(%s) RETURNS %s LANGUAGE sql %s COST 1000%s AS %s",
				 wrapper->schema, function->name, parameters, result,
				 function->kind == SHOP_WRITES ? "VOLATILE PARALLEL UNSAFE" : "STABLE PARALLEL RESTRICTED",
				 function->item_column != NULL ? " ROWS 10" : "", quote_literal_cstr(body)));
	RecsysRunCommand(psprintf("COMMENT ON FUNCTION %s IS %s", signature,
				 quote_literal_cstr(psprintf(MARK "%s, by recommender %s", function->comment,
											 wrapper->recommender))));
	put_made(wrapper, signature);
}

/* Has the recommender declared what a function lives on? */
static bool
is_wanted(const Wrapper *wrapper, const RecsysShopFunction *function)
{
	switch (function->kind)
	{
		case SHOP_READS_SEGMENTS:
			return wrapper->segments;
		case SHOP_READS_CONTENT:
			return wrapper->content;
		case SHOP_READS:
		case SHOP_WRITES:
			break;
	}
	return true;
}

/* The exact types of the columns of an index.  An enum has no function of its own: text has. */
static void
find_types(Wrapper *wrapper, const char *index)
{
	RecsysRecommender recommender;
	TupleDesc	descriptor;
	RecsysKeyKind kind;

	(void) RecsysOpenForColumns(index, &recommender);
	descriptor = RelationGetDescr(recommender.definition);
	kind = recommender.columns.item_kind;
	wrapper->user = TupleDescAttr(descriptor, RECSYS_USER_COLUMN - 1)->atttypid;
	wrapper->item = TupleDescAttr(descriptor, RECSYS_ITEM_COLUMN - 1)->atttypid;
	RecsysCloseRecommender(&recommender);
	wrapper->user_type = RecsysTypeInSql(wrapper->user, -1);
	wrapper->item_type = RecsysTypeInSql(wrapper->item, -1);
	wrapper->call_type = RecsysTypeInSql(RecsysKeyKindType(kind), -1);
}

static void
find_recommender(Wrapper *wrapper, const char *name)
{
	RecsysShop *shop = RecsysServedShop(name);

	if (shop != NULL)
	{
		wrapper->recommender = quote_literal_cstr(shop->definition->name);
		wrapper->segments = shop->definition->nsegments > 0;
		wrapper->content = shop->definition->content != NULL;
		find_types(wrapper, shop->definition->signals[0].events);
	}
	else
	{
		wrapper->recommender = quote_literal_cstr(RecsysKeptName(RecsysNamedRecommender(name)));
		find_types(wrapper, name);
	}
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
	wrapper.schema_oid = RecsysSchemaNamed(schema);
	wrapper.schema = pstrdup(quote_identifier(schema));

	nestlevel = RecsysBeginPlainNames();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	wrapper.verbs = pstrdup(quote_identifier(RecsysExtensionSchema()));
	for (int i = 0; i < RecsysNShopFunctions; i++)
	{
		if (is_wanted(&wrapper, &RecsysShopFunctions[i]))
			make_function(&wrapper, &RecsysShopFunctions[i]);
	}
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	RecsysEndPlainNames(nestlevel);
	return (Datum) 0;
}
