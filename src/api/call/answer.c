/*
 * answer.c
 *	  The rows that a SQL function returns.
 */
#include "postgres.h"

#include "api/call/answer.h"
#include "api/call/suggestion.h"
#include "compat.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Errors out unless item keys of some recommender can be had in the type. */
static void
check_item_type(FunctionCallInfo call, Oid type)
{
	RecsysKeyKind kind;

	if (RecsysKeyKindOfType(type, &kind))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("item keys cannot be returned as %s", format_type_be(type)),
			 errdetail("Item keys are bigint, integer, smallint, text, character varying, character, name, uuid or an enum, or of a domain over one of these."),
			 errhint("Ask for text, which holds all of them: %s.",
					 RecsysSuggestCall(call, RECSYS_KEY_TEXT, NULL))));
}

static void
init(RecsysAnswer *answer, FunctionCallInfo fcinfo)
{
	InitMaterializedSRF(fcinfo, 0);
	answer->result = (ReturnSetInfo *) fcinfo->resultinfo;
	answer->call = fcinfo;
	answer->context = CurrentMemoryContext;
	answer->item_type = getBaseType(TupleDescAttr(answer->result->setDesc, 0)->atttypid);
}

void
RecsysAnswerInit(RecsysAnswer *answer, FunctionCallInfo fcinfo)
{
	init(answer, fcinfo);
	check_item_type(fcinfo, answer->item_type);
}

Oid
RecsysAnswerInitArray(RecsysAnswer *answer, FunctionCallInfo fcinfo)
{
	Oid			element;

	init(answer, fcinfo);
	element = get_element_type(answer->item_type);
	answer->item_type = getBaseType(element);
	check_item_type(fcinfo, answer->item_type);
	return element;
}

void
RecsysAnswerCheckKind(RecsysAnswer *answer, RecsysKeyKind kind, const char *recommender)
{
	answer->kind = kind;
	if (RecsysKeyFitsType(answer->item_type, kind))
		return;
	if (recommender == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the query returns %s item keys, but %s was asked for",
						RecsysKeyKindName(kind), format_type_be(answer->item_type)),
				 errhint("Use %s.", RecsysSuggestCall(answer->call, kind, NULL))));
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("recommender \"%s\" has %s item keys, but %s was asked for",
					recommender, RecsysKeyKindName(kind), format_type_be(answer->item_type)),
			 errhint("Use %s.", RecsysSuggestCall(answer->call, kind, recommender))));
}

void
RecsysAnswerPut(RecsysAnswer *answer, Datum *values, bool *isnull)
{
	tuplestore_putvalues(answer->result->setResult, answer->result->setDesc, values, isnull);
}

Datum
RecsysAnswerKey(const RecsysAnswer *answer, const RecsysKey *key)
{
	return RecsysKeyToValue(answer->item_type, answer->kind, key);
}

Datum
RecsysAnswerItem(const RecsysAnswer *answer, RecsysGraphReader *reader, uint32 item)
{
	RecsysKey	key;

	RecsysGraphNeedKey(reader, item, &key);
	return RecsysAnswerKey(answer, &key);
}
