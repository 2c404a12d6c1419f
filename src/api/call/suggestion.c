/*
 * suggestion.c
 *	  The call to make instead of the one that fails, for hints.
 *
 * A hint that has to be completed by hand leads to the next error.  So what is
 * printed is the call itself: with the values that were passed, those of item keys
 * replaced where they cannot be keys of the recommender, with item_type where no argument
 * tells the type of the answer, and logged if it was to be.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "api/call/suggestion.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "source/input/keytext.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

typedef enum ArgumentRole
{
	ARGUMENT_PLAIN,
	ARGUMENT_ITEMS,				/* one item key or an array of them: tells the type of the answer */
	ARGUMENT_SOURCE,			/* the recommender, or what is read instead of one */
	ARGUMENT_ITEM_TYPE,
	ARGUMENT_LOG				/* named, behind all others */
} ArgumentRole;

static ArgumentRole
role_of(const char *name)
{
	if (strcmp(name, "item_id") == 0 || strcmp(name, "items") == 0)
		return ARGUMENT_ITEMS;
	if (strcmp(name, "recommender") == 0 || strcmp(name, "query") == 0 ||
		strcmp(name, "rules") == 0 || strcmp(name, "graph") == 0)
		return ARGUMENT_SOURCE;
	if (strcmp(name, "item_type") == 0)
		return ARGUMENT_ITEM_TYPE;
	if (strcmp(name, "log") == 0)
		return ARGUMENT_LOG;
	return ARGUMENT_PLAIN;
}

static void
append_value(StringInfo call, FunctionCallInfo fcinfo, int argument, Oid type)
{
	Oid			output;
	bool		varlena;
	char	   *text;

	/* nobody wants to read a picture */
	if (PG_ARGISNULL(argument) || type == BYTEAOID)
	{
		appendStringInfoString(call, "NULL");
		return;
	}
	getTypeOutputInfo(type, &output, &varlena);
	text = OidOutputFunctionCall(output, PG_GETARG_DATUM(argument));
	if (type == INT2OID || type == INT4OID || type == INT8OID)
		appendStringInfoString(call, text);
	else
		appendStringInfoString(call, quote_literal_cstr(text));
}

/* Everything can be text; the other kinds read only what is written as they are. */
static void
append_items(StringInfo call, FunctionCallInfo fcinfo, int argument, Oid type, RecsysKeyKind kind)
{
	bool		many = type_is_array(type);
	const char *sample = kind == RECSYS_KEY_INT ? "42" : "00000000-0000-0000-0000-000000000000";
	Oid			output;
	bool		varlena;
	char	   *text;

	if (kind != RECSYS_KEY_TEXT || PG_ARGISNULL(argument))
	{
		text = kind == RECSYS_KEY_TEXT ? "a" : pstrdup(sample);
		if (many)
			text = psprintf("{%s}", text);
	}
	else
	{
		getTypeOutputInfo(type, &output, &varlena);
		text = OidOutputFunctionCall(output, PG_GETARG_DATUM(argument));
	}
	appendStringInfoString(call, quote_literal_cstr(text));
}

char *
RecsysSuggestCall(FunctionCallInfo fcinfo, RecsysKeyKind kind, const char *recommender)
{
	Oid			function = fcinfo->flinfo->fn_oid;
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;
	StringInfoData call;
	Oid		   *types;
	char	  **names;
	char	   *modes;
	bool		with_items = false;
	bool		with_source = false;
	bool		with_log = false;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	form = (Form_pg_proc) GETSTRUCT(tuple);
	(void) get_func_arg_info(tuple, &types, &names, &modes);
	initStringInfo(&call);
	appendStringInfo(&call, "%s(",
					 quote_qualified_identifier(FunctionIsVisible(function) ? NULL :
												get_namespace_name(form->pronamespace),
												NameStr(form->proname)));
	for (int i = 0; i < fcinfo->nargs; i++)
	{
		ArgumentRole role = names == NULL ? ARGUMENT_PLAIN : role_of(names[i]);
		Oid			type = get_fn_expr_argtype(fcinfo->flinfo, i);

		if (role == ARGUMENT_ITEM_TYPE || role == ARGUMENT_LOG)
			break;
		if (!OidIsValid(type))
			type = types[i];
		if (i > 0)
			appendStringInfoString(&call, ", ");
		with_items |= role == ARGUMENT_ITEMS;
		if (role == ARGUMENT_ITEMS)
			append_items(&call, fcinfo, i, type, kind);
		else if (role == ARGUMENT_SOURCE && PG_ARGISNULL(i) && recommender != NULL)
			appendStringInfoString(&call, quote_literal_cstr(quote_identifier(recommender)));
		else
			append_value(&call, fcinfo, i, type);
		/* behind it those are left out that need not be given */
		with_source |= role == ARGUMENT_SOURCE;
		if (with_source && i + 1 >= fcinfo->nargs - form->pronargdefaults)
			break;
	}
	for (int i = 0; i < fcinfo->nargs; i++)
		with_log |= names != NULL && role_of(names[i]) == ARGUMENT_LOG && !PG_ARGISNULL(i) && PG_GETARG_BOOL(i);
	if (!with_items && kind != RECSYS_KEY_INT)
		appendStringInfo(&call, ", item_type => NULL::%s", RecsysKeyKindTypeName(kind));
	if (with_log)
		appendStringInfoString(&call, ", log => true");
	appendStringInfoChar(&call, ')');
	ReleaseSysCache(tuple);
	return call.data;
}
