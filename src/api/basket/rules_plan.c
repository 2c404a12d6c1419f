/*
 * rules_plan.c
 *	  Plans that read the rules of a relation, kept from call to call.
 *
 * The rules are read by a query with the caller's rights, as any other relation.
 * Its plan is kept for the next call, and so is what has been found out about
 * the relation's columns; both are dropped when the server says that the relation
 * has changed.  The plan is a generic one: planning anew for each basket would
 * take longer than reading the rules by an index.
 */
#include "postgres.h"

#include "am/store/relchanges.h"
#include "api/basket/rules_plan.h"
#include "api/call/recommender.h"
#include "api/call/suggestion.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* Plans kept at a time; one more than these starts anew. */
#define MAX_PLANS 64

static HTAB *plans = NULL;

static void
forget_plans(Datum arg, Oid relation)
{
	HASH_SEQ_STATUS status;
	RecsysRulesPlan *entry;

	hash_seq_init(&status, plans);
	while ((entry = hash_seq_search(&status)) != NULL)
		if (!OidIsValid(relation) || entry->key.relation == relation)
			entry->valid = false;
}

static void
create_plans(void)
{
	HASHCTL		control;

	control.keysize = sizeof(RecsysRulesKey);
	control.entrysize = sizeof(RecsysRulesPlan);
	plans = hash_create("recsys rules", 16, &control, HASH_ELEM | HASH_BLOBS);
	RecsysOnRelationChange(forget_plans);
}

static void
release_plan(RecsysRulesPlan *entry)
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
	RecsysRulesPlan *entry;

	if (hash_get_num_entries(plans) < MAX_PLANS)
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

void
RecsysLockRules(Oid relation)
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
				 errhint(RECSYS_RULES_HINT)));
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
				 errhint(RECSYS_RULES_HINT)));
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
				 errhint(RECSYS_RULES_HINT)));
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
				 errhint(RECSYS_RULES_HINT)));

	consequent = getBaseType(column_type(relation, "consequent"));
	if (!RecsysKeyKindOfType(consequent, has))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"consequent\" of \"%s\" has type %s, which is no item key",
						get_rel_name(relation), format_type_be(consequent)),
				 type_is_array(consequent) ?
				 errdetail("Rules with several items in the consequent cannot be used here.") : 0,
				 errhint(RECSYS_RULES_HINT)));
	element = get_element_type(getBaseType(column_type(relation, "antecedent")));
	if (getBaseType(element) != consequent)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"antecedent\" of \"%s\" must be an array of the type of column \"consequent\"",
						get_rel_name(relation)),
				 errhint(RECSYS_RULES_HINT)));
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
	const char *item_type = RecsysTypeInSql(key_type, -1);
	const char *array_type = RecsysTypeInSql(get_array_type(answer->item_type), -1);
	const char *column_type = RecsysTypeInSql(get_array_type(element), -1);
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

RecsysRulesPlan *
RecsysGetRulesPlan(Oid relation, const RecsysAnswer *answer)
{
	RecsysRulesKey key;
	RecsysRulesPlan *entry;
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
