/*
 * complete_basket.c
 *	  complete_basket(): what the rules of a materialized view say about a basket.
 *
 * A rule fires when the basket holds its whole antecedent and not its
 * consequent.  Several rules may fire for one consequent; the one with the
 * highest confidence speaks for it, and consequents stand in that order, as the
 * share of like baskets that hold them.  Weighting by lift, or adding up what
 * several rules say, hit hidden items of real baskets less often.
 *
 * The rules are read by a query with the caller's rights, as any other relation.
 * Its plan is kept for the next call, and so is what has been found out about
 * the relation's columns; both are dropped when the server says that the relation
 * has changed.  The plan is a generic one: planning anew for each basket would
 * take longer than reading the rules by an index.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/recommender.h"
#include "api/call/suggestion.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "core/rows/dictionary.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(recsys_complete_basket);

/* Plans kept at a time; one more than these starts anew. */
#define MOST_PLANS 64

#define RULES_HINT \
	"Create it as in CREATE MATERIALIZED VIEW product_rules AS SELECT * FROM association_rules('order_items_recsys')."

/* What a query for rules returns, in this order */
enum
{
	CONSEQUENT, CONFIDENCE, LIFT, SUPPORT, ANTECEDENT, COLUMNS
};

typedef struct RulesKey
{
	Oid			relation;
	Oid			item_type;		/* of the answer */
} RulesKey;

typedef struct RulesPlan
{
	RulesKey	key;
	bool		valid;
	int			uses;			/* by calls that have not returned */
	RecsysKeyKind kind;			/* of the item keys */
	SPIPlanPtr	plan;
} RulesPlan;

/* The rule that speaks for a consequent */
typedef struct Suggestion
{
	RecsysKey	key;
	Datum		antecedent;
	double		confidence;
	double		lift;
	int64		support;
} Suggestion;

static HTAB *plans = NULL;

static void
forget_plans(Datum arg, Oid relation)
{
	HASH_SEQ_STATUS status;
	RulesPlan  *entry;

	hash_seq_init(&status, plans);
	while ((entry = hash_seq_search(&status)) != NULL)
		if (!OidIsValid(relation) || entry->key.relation == relation)
			entry->valid = false;
}

static void
create_plans(void)
{
	HASHCTL		control;

	control.keysize = sizeof(RulesKey);
	control.entrysize = sizeof(RulesPlan);
	plans = hash_create("recsys rules", 16, &control, HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(forget_plans, (Datum) 0);
}

static void
release_plan(RulesPlan *entry)
{
	if (entry->plan != NULL)
		SPI_freeplan(entry->plan);
	entry->plan = NULL;
}

/* Make room for one more. */
static void
trim_plans(void)
{
	HASH_SEQ_STATUS status;
	RulesPlan  *entry;

	if (hash_get_num_entries(plans) < MOST_PLANS)
		return;
	hash_seq_init(&status, plans);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->uses > 0)
			continue;
		release_plan(entry);
		hash_search(plans, &entry->key, HASH_REMOVE, NULL);
	}
}

/*
 * Locks the relation as a query would, and for longer: names and columns that are
 * looked up from here on are those of the query.  Who may not read any of it is not
 * to wait for the lock.
 */
static void
lock_rules(Oid relation)
{
	Oid			user = GetUserId();
	bool		is_missing = false;

	if (pg_class_aclcheck_ext(relation, user, ACL_SELECT, &is_missing) != ACLCHECK_OK && !is_missing &&
		pg_attribute_aclcheck_all(relation, user, ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(relation)),
					   RecsysNameForMessage(relation));
	LockRelationOid(relation, AccessShareLock);
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relation)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 is_missing ? errmsg("relation with OID %u does not exist", relation) :
				 errmsg("the relation with the rules has been dropped"),
				 errhint(RULES_HINT)));
}

static Oid
column_type(Oid relation, const char *name)
{
	AttrNumber	number = get_attnum(relation, name);

	if (number <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("\"%s\" has no column \"%s\"", get_rel_name(relation), name),
				 errdetail("Rules have the columns antecedent, consequent, confidence, lift and support."),
				 errhint(RULES_HINT)));
	return get_atttype(relation, number);
}

static void
check_number(Oid relation, const char *name)
{
	Oid			type = column_type(relation, name);

	if (!RecsysTypeIsWeight(type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of \"%s\" has type %s, which is no number", name,
						get_rel_name(relation), format_type_be(type)),
				 errhint(RULES_HINT)));
}

/* Rules are compared with a basket under the collation of their columns. */
static void
check_collation(Oid relation, const char *name, RecsysKeyKind kind)
{
	Oid			type;
	int32		modifier;
	Oid			collation;

	get_atttypetypmodcoll(relation, get_attnum(relation, name), &type, &modifier, &collation);
	RecsysCheckCollation(kind, collation,
						 "Create the rules with COLLATE \"C\" or another deterministic collation.");
}

/*
 * Errors out unless the relation looks like rules with item keys that the answer can hold.
 * Returns the type of an antecedent's elements, and the kind of its keys.
 */
static Oid
check_rules(Oid relation, const RecsysAnswer *answer, RecsysKeyKind *has)
{
	char		kind = get_rel_relkind(relation);	/* it is locked: there is one */
	Oid			consequent;
	Oid			element;

	if (kind != RELKIND_RELATION && kind != RELKIND_MATVIEW && kind != RELKIND_VIEW &&
		kind != RELKIND_PARTITIONED_TABLE && kind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table or view", get_rel_name(relation)),
				 errdetail("Rules are read from a relation that holds them."),
				 errhint(RULES_HINT)));

	consequent = getBaseType(column_type(relation, "consequent"));
	if (!RecsysKeyKindOfType(consequent, has))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"consequent\" of \"%s\" has type %s, which is no item key",
						get_rel_name(relation), format_type_be(consequent)),
				 type_is_array(consequent) ?
				 errdetail("Rules with several items in the consequent cannot be used here.") : 0,
				 errhint(RULES_HINT)));
	element = get_element_type(getBaseType(column_type(relation, "antecedent")));
	if (getBaseType(element) != consequent)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"antecedent\" of \"%s\" must be an array of the type of column \"consequent\"",
						get_rel_name(relation)),
				 errhint(RULES_HINT)));
	check_collation(relation, "consequent", *has);
	check_collation(relation, "antecedent", *has);
	check_number(relation, "confidence");
	check_number(relation, "lift");
	check_number(relation, "support");

	if (!RecsysKeyFitsType(answer->item_type, *has))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the rules of \"%s\" have %s item keys, but %s was asked for",
						get_rel_name(relation), RecsysKeyKindName(*has),
						format_type_be(answer->item_type)),
				 errhint("Use %s.", RecsysSuggestCall(answer->call, *has, NULL))));
	return element;
}

/*
 * The basket is compared in the type that the column has, so that an index on it
 * can be used.  Everything is qualified: nothing depends on the search path.
 */
static SPIPlanPtr
prepare(Oid relation, const RecsysAnswer *answer, RecsysKeyKind *kind)
{
	Oid			element = check_rules(relation, answer, kind);
	Oid			key_type = RecsysKeyKindType(*kind);
	Oid			parameter = get_array_type(key_type);
	const char *item_type = format_type_be_qualified(key_type);
	const char *array_type = format_type_be_qualified(get_array_type(answer->item_type));
	const char *column_type = format_type_be_qualified(get_array_type(element));
	StringInfoData query;
	SPIPlanPtr	plan;

	initStringInfo(&query);
	appendStringInfo(&query,
					 "SELECT consequent::%s, confidence::pg_catalog.float8, lift::pg_catalog.float8, "
					 "support::pg_catalog.int8, antecedent::%s FROM %s "
					 "WHERE antecedent OPERATOR(pg_catalog.<@) ($1::%s)",
					 item_type, array_type,
					 quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
												get_rel_name(relation)),
					 column_type);
	plan = SPI_prepare_cursor(query.data, 1, &parameter, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	pfree(query.data);
	return plan;
}

static RulesPlan *
get_plan(Oid relation, const RecsysAnswer *answer)
{
	RulesKey	key;
	RulesPlan  *entry;
	bool		found;

	if (plans == NULL)
		create_plans();
	memset(&key, 0, sizeof(key));
	key.relation = relation;
	key.item_type = answer->item_type;
	entry = hash_search(plans, &key, HASH_FIND, NULL);
	if (entry != NULL && !entry->valid && entry->uses == 0)
	{
		release_plan(entry);
		hash_search(plans, &key, HASH_REMOVE, NULL);
		entry = NULL;
	}
	if (entry == NULL)
	{
		RecsysKeyKind kind;
		SPIPlanPtr	plan = prepare(relation, answer, &kind);

		trim_plans();
		SPI_keepplan(plan);
		entry = hash_search(plans, &key, HASH_ENTER, &found);
		entry->plan = plan;
		entry->kind = kind;
		entry->valid = true;
		entry->uses = 0;
	}
	return entry;
}

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
	basket->count = RecsysArgKeyArray(fcinfo, 0, type, rules, &basket->keys);
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
	int			low = 0;
	int			high = basket->count;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (RecsysKeyCompare(basket->kind, &basket->keys[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < basket->count && RecsysKeyCompare(basket->kind, &basket->keys[low], key) == 0;
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
 * Does one rule for a consequent speak louder than another?  Of rules that are worth the
 * same it is that of the antecedent that sorts first, wherever they stand in the relation.
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
	Datum		values[COLUMNS];
	bool		isnull[COLUMNS];

	heap_deform_tuple(tuple, desc, values, isnull);
	for (int i = 0; i < COLUMNS; i++)
		if (isnull[i])
			return false;
	suggestion->confidence = DatumGetFloat8(values[CONFIDENCE]);
	suggestion->lift = DatumGetFloat8(values[LIFT]);
	if (!isfinite(suggestion->confidence) || !isfinite(suggestion->lift))
		return false;
	suggestion->support = DatumGetInt64(values[SUPPORT]);
	suggestion->antecedent = values[ANTECEDENT];
	RecsysKeyFromDatum(RecsysKeyKindType(basket->kind), values[CONSEQUENT], &suggestion->key);
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
put_suggestions(RecsysAnswer *answer, RulesPlan *entry, Basket *basket, int k)
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

/* Arguments: items, k, rules */
Datum
recsys_complete_basket(PG_FUNCTION_ARGS)
{
	RecsysAnswer answer;
	Basket		basket = {0};
	RulesPlan  *volatile entry;
	int			k = RecsysArgK(fcinfo, 1);

	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("rules must not be NULL"),
				 errdetail("The third argument is the table or materialized view that holds the rules."),
				 errhint(RULES_HINT)));
	RecsysAnswerInit(&answer, fcinfo);
	lock_rules(PG_GETARG_OID(2));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	entry = get_plan(PG_GETARG_OID(2), &answer);
	answer.kind = entry->kind;
	if (!PG_ARGISNULL(0) && k > 0)
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
