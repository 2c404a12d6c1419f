/*
 * answer.c
 *	  The rows that a SQL function returns.
 */
#include "postgres.h"

#include "api/call/answer.h"
#include "api/call/suggestion.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "funcapi.h"
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
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	/* what the executor expects is what the function declares, and need not be made of that again */
	InitMaterializedSRF(fcinfo, result != NULL && IsA(result, ReturnSetInfo) &&
						result->expectedDesc != NULL ? MAT_SRF_USE_EXPECTED_DESC : 0);
	answer->result = result;
	answer->call = fcinfo;
	answer->context = CurrentMemoryContext;
	answer->collected = NULL;
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
	Oid			type = answer->collected != NULL ? answer->collected->item_type : answer->item_type;

	answer->kind = kind;
	if (RecsysKeyFitsType(type, kind))
		return;
	if (recommender == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the query returns %s item keys, but %s was asked for",
						RecsysKeyKindName(kind), format_type_be(type)),
				 errhint("Use %s.", RecsysSuggestCall(answer->call, kind, NULL))));
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("recommender \"%s\" has %s item keys, but %s was asked for",
					recommender, RecsysKeyKindName(kind), format_type_be(type)),
			 errhint("Use %s.", RecsysSuggestCall(answer->call, kind, recommender))));
}

void
RecsysAnswerCollect(RecsysAnswer *answer, FunctionCallInfo fcinfo, Oid item_type,
					RecsysKeptRows *collected)
{
	memset(collected, 0, sizeof(*collected));
	collected->context = CurrentMemoryContext;
	collected->item_type = item_type;
	collected->size = 16;
	collected->items = palloc(sizeof(char *) * collected->size);
	collected->scores = palloc(sizeof(float) * collected->size);
	collected->sources = palloc(sizeof(char *) * collected->size);
	answer->result = NULL;
	answer->call = fcinfo;
	answer->item_type = TEXTOID;
	answer->context = CurrentMemoryContext;
	answer->collected = collected;
}

void
RecsysAnswerServes(RecsysAnswer *answer, const char *recommender, Oid user_type, const RecsysKey *user)
{
	RecsysKeptRows *collected = answer->collected;
	RecsysKeyKind kind;
	MemoryContext old;

	if (collected == NULL || collected->recommender != NULL)
		return;
	old = MemoryContextSwitchTo(collected->context);
	collected->kind = answer->kind;
	collected->recommender = pstrdup(recommender);
	if (user != NULL && RecsysKeyKindOfType(user_type, &kind))
		collected->user = TextDatumGetCString(RecsysKeyToValue(TEXTOID, kind, user));
	MemoryContextSwitchTo(old);
}

/* A source is one of a few words, and mostly that of the row before. */
static const char *
keep_source(const RecsysKeptRows *collected, Datum source)
{
	text	   *value = DatumGetTextPP(source);
	const char *before = collected->count > 0 ? collected->sources[collected->count - 1] : NULL;

	if (before != NULL && strlen(before) == VARSIZE_ANY_EXHDR(value) &&
		memcmp(before, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)) == 0)
		return before;
	return text_to_cstring(value);
}

/* Columns: item, score, source */
static void
collect(RecsysKeptRows *collected, Datum *values)
{
	MemoryContext old = MemoryContextSwitchTo(collected->context);

	if (collected->count == collected->size)
	{
		collected->size *= 2;
		collected->items = repalloc_huge(collected->items, sizeof(char *) * collected->size);
		collected->scores = repalloc_huge(collected->scores, sizeof(float) * collected->size);
		collected->sources = repalloc_huge(collected->sources, sizeof(char *) * collected->size);
	}
	collected->items[collected->count] = TextDatumGetCString(values[0]);
	collected->scores[collected->count] = DatumGetFloat4(values[1]);
	collected->sources[collected->count] = keep_source(collected, values[2]);
	collected->count++;
	MemoryContextSwitchTo(old);
}

void
RecsysAnswerPut(RecsysAnswer *answer, Datum *values, bool *isnull)
{
	if (answer->collected != NULL)
		collect(answer->collected, values);
	else
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

typedef struct KeysWanted
{
	const RecsysAnswer *answer;
	RecsysKey  *keys;
	bool	   *found;
} KeysWanted;

static void
take_key(void *arg, int position, RecsysGraphRow row)
{
	KeysWanted *wanted = arg;
	char	   *copy;

	if (row == NULL)
		return;
	copy = palloc(row->keylen + 1);
	memcpy(copy, RecsysRowKey(row), row->keylen);
	RecsysKeyLoad(wanted->answer->kind, copy, row->keylen, &wanted->keys[position]);
	wanted->found[position] = true;
}

void
RecsysAnswerItems(const RecsysAnswer *answer, RecsysGraphReader *reader, const uint32 *items, int n,
				  Datum *values)
{
	RecsysKey	keys[RECSYS_ANSWER_ITEMS];
	bool		found[RECSYS_ANSWER_ITEMS] = {false};
	KeysWanted	wanted = {answer, keys, found};
	bool		for_keys = reader->for_keys;

	Assert(n <= RECSYS_ANSWER_ITEMS);
	reader->for_keys = true;
	RecsysGraphVisitRows(reader, items, n, take_key, &wanted);
	reader->for_keys = for_keys;
	for (int i = 0; i < n; i++)
	{
		if (!found[i])
			RecsysNoItem(reader->index, items[i]);
		values[i] = RecsysAnswerKey(answer, &keys[i]);
	}
}
