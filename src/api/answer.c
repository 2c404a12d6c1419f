/*
 * answer.c
 *	  The rows that a SQL function returns.
 */
#include "postgres.h"

#include "api/answer.h"
#include "compat.h"
#include "source/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

void
RecsysAnswerInit(RecsysAnswer *answer, FunctionCallInfo fcinfo)
{
	InitMaterializedSRF(fcinfo, 0);
	answer->result = (ReturnSetInfo *) fcinfo->resultinfo;
	answer->context = CurrentMemoryContext;
	answer->item_type = getBaseType(TupleDescAttr(answer->result->setDesc, 0)->atttypid);
}

Oid
RecsysAnswerInitArray(RecsysAnswer *answer, FunctionCallInfo fcinfo)
{
	Oid			element;

	RecsysAnswerInit(answer, fcinfo);
	element = get_element_type(answer->item_type);
	answer->item_type = getBaseType(element);
	return element;
}

void
RecsysAnswerCheckKind(const RecsysAnswer *answer, RecsysKeyKind kind, const char *recommender)
{
	RecsysKeyKind wanted;

	if (RecsysKeyKindOfType(answer->item_type, &wanted) && wanted == kind)
		return;
	if (recommender == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the query returns %s item keys, but %s was asked for",
						RecsysKeyKindName(kind), format_type_be(answer->item_type)),
				 kind == RECSYS_KEY_INT ? errhint("Leave out item_type.") :
				 errhint("Add item_type => NULL::%s.", RecsysKeyKindName(kind))));
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("recommender \"%s\" has %s item keys, but %s was asked for",
					recommender, RecsysKeyKindName(kind), format_type_be(answer->item_type)),
			 kind == RECSYS_KEY_INT ?
			 errhint("Pass item keys as bigint, or leave out item_type.") :
			 errhint("Pass item keys as %s, or a typed NULL where the function has none: item_type => NULL::%s.",
					 RecsysKeyKindName(kind), RecsysKeyKindName(kind))));
}

void
RecsysAnswerPut(RecsysAnswer *answer, Datum *values, bool *isnull)
{
	tuplestore_putvalues(answer->result->setResult, answer->result->setDesc, values, isnull);
}

Datum
RecsysAnswerItem(const RecsysAnswer *answer, RecsysGraphReader *reader, uint32 item)
{
	RecsysKey	key;

	RecsysGraphNeedKey(reader, item, &key);
	return RecsysKeyToDatum(answer->item_type, &key);
}
