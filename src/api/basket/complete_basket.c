/*
 * complete_basket.c
 *	  complete_basket(): what the rules of a materialized view say about a basket.
 *
 * A rule fires when the basket holds its whole antecedent and not its
 * consequent.  Several rules may fire for one consequent; the one with the
 * highest confidence speaks for it, and consequents stand in that order, as the
 * share of like baskets that hold them.  Weighting by lift, or adding up what
 * several rules say, hit hidden items of real baskets less often.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "api/basket/rules_plan.h"
#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "catalog/pg_collation.h"
#include "core/rows/dictionary.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(recsys_complete_basket);

/* Arguments */
enum
{
	ITEMS, K, RULES
};

/* The rule that speaks for a consequent */
typedef struct Suggestion
{
	RecsysKey	key;
	Datum		antecedent;
	double		confidence;
	double		lift;
	int64		support;
} Suggestion;

/* The basket without NULLs: its keys sorted, and the array that the rules are compared with */
typedef struct Basket
{
	RecsysKeyKind kind;
	RecsysKey  *keys;
	int			count;
	Datum		array;
	FmgrInfo   *compare;		/* of two such arrays */
} Basket;

static int
compare_keys(const void *a, const void *b, void *arg)
{
	return RecsysKeyCompare(((Basket *) arg)->kind, a, b);
}

static void
read_basket(FunctionCallInfo fcinfo, RecsysKeyKind kind, const char *rules, Basket *basket)
{
	Oid			type = RecsysKeyKindType(kind);
	int16		length;
	bool		byvalue;
	char		alignment;
	Datum	   *values;

	basket->kind = kind;
	basket->compare = &lookup_type_cache(get_array_type(type), TYPECACHE_CMP_PROC_FINFO)->cmp_proc_finfo;
	basket->count = RecsysArgKeyArray(fcinfo, ITEMS, type, rules, &basket->keys);
	values = palloc(sizeof(Datum) * Max(basket->count, 1));
	for (int i = 0; i < basket->count; i++)
		values[i] = RecsysKeyToDatum(type, &basket->keys[i]);
	get_typlenbyvalalign(type, &length, &byvalue, &alignment);
	basket->array = PointerGetDatum(construct_array(values, basket->count, type, length, byvalue,
													alignment));
	qsort_arg(basket->keys, basket->count, sizeof(RecsysKey), compare_keys, basket);
}

static bool
basket_has(Basket *basket, const RecsysKey *key)
{
	return bsearch_arg(key, basket->keys, basket->count, sizeof(RecsysKey), compare_keys, basket) != NULL;
}

static int
compare_suggestions(const void *a, const void *b, void *arg)
{
	const Suggestion *left = a;
	const Suggestion *right = b;

	if (left->confidence != right->confidence)
		return left->confidence > right->confidence ? -1 : 1;
	if (left->lift != right->lift)
		return left->lift > right->lift ? -1 : 1;
	if (left->support != right->support)
		return left->support > right->support ? -1 : 1;
	return RecsysKeyCompare(((Basket *) arg)->kind, &left->key, &right->key);
}

/*
 * Which of two rules for a consequent is shown?  Of rules that are worth the same, the
 * one whose antecedent sorts first, wherever they stand in the relation.
 */
static bool
is_better(const Suggestion *one, const Suggestion *other, Basket *basket)
{
	int			order = compare_suggestions(one, other, basket);

	if (order == 0)
		order = DatumGetInt32(FunctionCall2Coll(basket->compare, C_COLLATION_OID,
												one->antecedent, other->antecedent));
	return order < 0;
}

/* The rule as a suggestion; false if it says nothing new, or nothing at all. */
static bool
form_suggestion(HeapTuple tuple, TupleDesc desc, Basket *basket, Suggestion *suggestion)
{
	Datum		values[RECSYS_RULES_COLUMNS];
	bool		isnull[RECSYS_RULES_COLUMNS];

	heap_deform_tuple(tuple, desc, values, isnull);
	for (int i = 0; i < RECSYS_RULES_COLUMNS; i++)
		if (isnull[i])
			return false;
	suggestion->confidence = DatumGetFloat8(values[RECSYS_RULES_CONFIDENCE]);
	suggestion->lift = DatumGetFloat8(values[RECSYS_RULES_LIFT]);
	if (!isfinite(suggestion->confidence) || !isfinite(suggestion->lift))
		return false;
	suggestion->support = DatumGetInt64(values[RECSYS_RULES_SUPPORT]);
	suggestion->antecedent = values[RECSYS_RULES_ANTECEDENT];
	RecsysKeyFromDatum(RecsysKeyKindType(basket->kind), values[RECSYS_RULES_CONSEQUENT], &suggestion->key);
	return !basket_has(basket, &suggestion->key);
}

/* One suggestion for each consequent of the rules that SPI has found, best first. */
static Suggestion *
choose(Basket *basket, int *count)
{
	RecsysDictionary *known = RecsysDictionaryCreate(basket->kind, 0);
	Suggestion *suggestions = NULL;
	uint32		room = 0;

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Suggestion	suggestion;
		uint32		number;

		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (!form_suggestion(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, basket, &suggestion))
			continue;
		number = RecsysDictionaryIntern(known, &suggestion.key);
		if (number == room)
		{
			room = Max(64, room * 2);
			suggestions = suggestions == NULL ?
				recsys_alloc_huge(sizeof(Suggestion) * room) :
				recsys_realloc_huge(suggestions, sizeof(Suggestion) * (Size) room);
		}
		if (number == (uint32) *count)
			suggestions[(*count)++] = suggestion;
		else if (is_better(&suggestion, &suggestions[number], basket))
			suggestions[number] = suggestion;
	}
	RecsysDictionaryFree(known);
	if (*count > 1)
		qsort_arg(suggestions, *count, sizeof(Suggestion), compare_suggestions, basket);
	return suggestions;
}

static void
put_suggestions(RecsysAnswer *answer, RecsysRulesPlan *entry, Basket *basket, int k)
{
	Suggestion *suggestions;
	int			count = 0;
	int			code = SPI_execute_plan(entry->plan, &basket->array, NULL, true, 0);

	if (code != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(code));
	suggestions = choose(basket, &count);
	for (int i = 0; i < Min(k, count); i++)
	{
		Datum		values[6];
		bool		isnull[6] = {false, false, false, false, false, false};

		values[0] = RecsysAnswerKey(answer, &suggestions[i].key);
		values[1] = Float8GetDatum(suggestions[i].confidence);
		values[2] = Float8GetDatum(suggestions[i].lift);
		values[3] = Int64GetDatum(suggestions[i].support);
		values[4] = suggestions[i].antecedent;
		values[5] = Int32GetDatum(i + 1);
		RecsysAnswerPut(answer, values, isnull);
	}
}

Datum
recsys_complete_basket(PG_FUNCTION_ARGS)
{
	RecsysAnswer answer;
	Basket		basket = {0};
	RecsysRulesPlan *volatile entry;
	int			k = RecsysArgK(fcinfo, K);

	if (PG_ARGISNULL(RULES))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("rules must not be NULL"),
				 errdetail("The third argument is the table or materialized view that holds the rules."),
				 errhint(RECSYS_RULES_HINT)));
	RecsysAnswerInit(&answer, fcinfo);
	RecsysLockRules(PG_GETARG_OID(RULES));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	entry = RecsysGetRulesPlan(PG_GETARG_OID(RULES), &answer);
	answer.kind = entry->kind;
	if (!PG_ARGISNULL(ITEMS) && k > 0)
	{
		int			uses;

		read_basket(fcinfo, answer.kind, "rules", &basket);
		uses = entry->uses++;
		PG_TRY();
		{
			put_suggestions(&answer, entry, &basket, k);
		}
		PG_FINALLY();
		{
			entry->uses = uses;
		}
		PG_END_TRY();
	}
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	return (Datum) 0;
}
