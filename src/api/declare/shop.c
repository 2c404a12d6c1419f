/*
 * shop.c
 *	  A declared recommender as a session has it.
 *
 * Shops are kept by name until their row has another version.  One that is in use then lives
 * on until it is released.  Uses are on a stack, each with the subtransaction that it began
 * in; the abort of that, or of the transaction, ends it.  While a shop is in use names mean
 * what they mean for everyone, as its expressions are written.
 */
#include "postgres.h"

#include "access/xact.h"
#include "api/call/recommender.h"
#include "api/call/rights.h"
#include "api/declare/declaredrows.h"
#include "api/declare/missing.h"
#include "api/declare/names.h"
#include "api/declare/plan.h"
#include "api/declare/shop.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "storage/sinval.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/varlena.h"

/* Shops kept at a time; one more than these starts anew. */
#define MAX_SHOPS 64

typedef struct KnownShop
{
	RecsysShop	shop;
	RecsysRowVersion version;
	List	   *relations;		/* of RangeVar: what the signals read */
	int			uses;
	bool		current;		/* in the list of those that are found */
	uint64		checked;		/* its signals exist, one more than the count of changes by then */
} KnownShop;

typedef struct ShopUse
{
	KnownShop  *known;
	SubTransactionId subtransaction;
	int			nestlevel;
	struct ShopUse *below;
} ShopUse;

static List *shops = NIL;		/* of KnownShop */
static ShopUse *uses = NULL;

/* The shop is the first thing in its KnownShop. */
static KnownShop *
known_shop(RecsysShop *shop)
{
	return (KnownShop *) shop;
}

static void
free_shop(KnownShop *known)
{
	ListCell   *cell;

	foreach(cell, known->shop.plans)
		RecsysPlanDiscard(lfirst(cell));
	MemoryContextDelete(known->shop.context);
}

/* It is not found any more. */
static void
forget_shop(KnownShop *known)
{
	shops = list_delete_ptr(shops, known);
	known->current = false;
	if (known->uses == 0)
		free_shop(known);
}

static void
end_use(void)
{
	ShopUse    *use = uses;

	uses = use->below;
	use->known->uses--;
	if (use->known->uses == 0 && !use->known->current)
		free_shop(use->known);
	pfree(use);
}

static void
end_transaction(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE)
		while (uses != NULL)
			end_use();
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		while (uses != NULL && uses->subtransaction == mine)
			end_use();
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		for (ShopUse *use = uses; use != NULL && use->subtransaction == mine; use = use->below)
			use->subtransaction = parent;
}

static bool
exists(const RangeVar *range)
{
	Oid			schema = get_namespace_oid(range->schemaname, true);

	return OidIsValid(schema) && OidIsValid(get_relname_relid(range->relname, schema));
}

/* Other parts are read by queries, whose errors say what is gone. */
void
RecsysCheckSignals(RecsysShop *shop)
{
	KnownShop  *known = known_shop(shop);
	List	   *missing = NIL;
	ListCell   *cell;

	/* names with schemas lead to the same until something is said to have changed */
	AcceptInvalidationMessages();
	if (known->checked == SharedInvalidMessageCounter + 1)
		return;
	foreach(cell, known->relations)
	{
		RangeVar   *range = lfirst(cell);

		if (!exists(range))
			missing = lappend(missing,
							  quote_qualified_identifier(range->schemaname, range->relname));
	}
	if (missing != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation %s does not exist", (char *) linitial(missing)),
				 errcontext("\"signals\" of recommender \"%s\"", known->shop.definition->name),
				 errhint("%s", RecsysHintWithout(&known->shop, "signals", missing))));
	known->checked = SharedInvalidMessageCounter + 1;
}

void
RecsysUseShop(RecsysShop *shop)
{
	static bool registered = false;
	ShopUse    *use;

	if (!registered)
	{
		RegisterXactCallback(end_transaction, NULL);
		RegisterSubXactCallback(end_subtransaction, NULL);
		registered = true;
	}
	RecsysCheckSignals(shop);
	use = MemoryContextAlloc(TopMemoryContext, sizeof(ShopUse));
	use->known = known_shop(shop);
	use->subtransaction = GetCurrentSubTransactionId();
	use->below = uses;
	use->known->uses++;
	shop->calls++;
	uses = use;
	use->nestlevel = RecsysBeginPlainNames();
}

void
RecsysReleaseShop(RecsysShop *shop)
{
	if (uses == NULL || uses->known != known_shop(shop))
		elog(ERROR, "recommender \"%s\" is not what has been used last", shop->definition->name);
	RecsysEndPlainNames(uses->nestlevel);
	end_use();
}

static KnownShop *
find_known(const char *name)
{
	ListCell   *cell;

	foreach(cell, shops)
	{
		KnownShop  *known = lfirst(cell);

		if (strcmp(known->shop.definition->name, name) == 0)
			return known;
	}
	return NULL;
}

static void
add_relation(KnownShop *known, const char *name)
{
	if (name != NULL)
		known->relations =
			lappend(known->relations,
					makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name))));
}

static KnownShop *
make_shop(const RecsysDeclaredRow *row, const RecsysRowVersion *version)
{
	/* below the current context until it is whole, so that an error leaves nothing */
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys shop",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	KnownShop  *known = palloc0(sizeof(KnownShop));

	known->shop.context = context;
	known->shop.definition = RecsysDefinitionRead(row->name, row->owner, row->definition);
	known->shop.declared = (Jsonb *) PG_DETOAST_DATUM_COPY(JsonbPGetDatum(row->definition));
	known->version = *version;
	for (int i = 0; i < known->shop.definition->nsignals; i++)
	{
		add_relation(known, known->shop.definition->signals[i].events);
		add_relation(known, known->shop.definition->signals[i].graph);
		add_relation(known, known->shop.definition->signals[i].predicts);
	}
	MemoryContextSetIdentifier(context, known->shop.definition->name);
	MemoryContextSetParent(context, CacheMemoryContext);

	MemoryContextSwitchTo(TopMemoryContext);
	if (list_length(shops) >= MAX_SHOPS)
		forget_shop(linitial(shops));
	shops = lappend(shops, known);
	known->current = true;
	MemoryContextSwitchTo(old);
	return known;
}

RecsysShop *
RecsysMakeShop(const char *events, const char *label)
{
	MemoryContext context = AllocSetContextCreate(CacheMemoryContext, "recsys shop",
												  ALLOCSET_DEFAULT_SIZES);
	KnownShop  *known = MemoryContextAllocZero(context, sizeof(KnownShop));
	RecsysDefinition *definition = MemoryContextAllocZero(context, sizeof(RecsysDefinition));
	RecsysSignal *signal = MemoryContextAllocZero(context, sizeof(RecsysSignal));

	signal->events = MemoryContextStrdup(context, events);
	signal->label = MemoryContextStrdup(context, label);
	signal->weight = 1;
	signal->half_life = RECSYS_OWN_HALF_LIFE;
	signal->exclude = true;
	definition->name = signal->label;
	definition->signals = signal;
	definition->nsignals = 1;
	definition->min_users = 1;
	known->shop.context = context;
	known->shop.definition = definition;

	/* not in the list: the end of its use frees it, and so does that of the transaction */
	RecsysUseShop(&known->shop);
	return &known->shop;
}

/* By its name as it is in the table */
static RecsysShop *
find_named(const char *name)
{
	KnownShop  *known = find_known(name);
	RecsysRowVersion version;
	RecsysDeclaredRow row;

	if (known != NULL)
		version = known->version;
	else
		memset(&version, 0, sizeof(version));
	row.name = NULL;
	if (!RecsysFindDeclared(name, &row, &version))
	{
		if (known != NULL)
			forget_shop(known);
		return NULL;
	}
	if (row.name == NULL)
		return &known->shop;
	if (known != NULL)
		forget_shop(known);
	return &make_shop(&row, &version)->shop;
}

/* The index of the first signal, by its name as it is kept, if that leads to one */
static Oid
first_index(const RecsysDeclaredRow *row)
{
	RecsysDefinition *definition = RecsysDefinitionRead(row->name, row->owner, row->definition);
	List	   *names = textToQualifiedNameList(cstring_to_text(definition->signals[0].events));

	return RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, true);
}

/*
 * Is it one that the caller may use without having named it?  He must be able to read what it
 * is made of.  And since its expressions run with his rights, they must come from somebody
 * whose code he runs anyway: a superuser, himself, a role that he has the rights of, or the owner
 * of the table that is read, whose policies would run as well.
 */
static bool
is_for_caller(const RecsysDeclaredRow *row)
{
	Oid			owner = get_role_oid(row->owner, true);
	Oid			index = first_index(row);
	Oid			table = OidIsValid(index) ? IndexGetRelation(index, true) : InvalidOid;

	if (!OidIsValid(table) || !OidIsValid(owner) || !RecsysMayUseSchema(index) ||
		!RecsysMayReadColumns(table, index))
		return false;
	if (superuser_arg(owner))
		return true;
	if (superuser())
		return false;
	return has_privs_of_role(GetUserId(), owner) || RECSYS_ROLE_OWNS_RELATION(table, owner);
}

/* One over an index must not be passed over for the index because there is another one, too. */
static void
refuse_several(List *names)
{
	StringInfoData list;
	ListCell   *cell;

	initStringInfo(&list);
	foreach(cell, names)
		appendStringInfo(&list, "%s%s", foreach_current_index(cell) > 0 ? ", " : "", (char *) lfirst(cell));
	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
			 errmsg("there is more than one recommender"),
			 errdetail("Declared recommenders are %s.", list.data),
			 errhint("Name the one you mean, as in recommender => %s.",
					 quote_literal_cstr(linitial(names)))));
}

static RecsysShop *
find_only(void)
{
	List	   *rows = RecsysAllDeclared();
	List	   *names = NIL;
	ListCell   *cell;

	foreach(cell, rows)
		if (is_for_caller(lfirst(cell)))
			names = lappend(names, ((RecsysDeclaredRow *) lfirst(cell))->name);
	if (list_length(names) > 1)
		refuse_several(names);
	return names != NIL ? find_named(linitial(names)) : NULL;
}

RecsysShop *
RecsysFindShop(const char *name)
{
	List	   *parts;

	if (name == NULL)
		return find_only();
	if (RecsysIsPlainName(name))
		return find_named(name);

	/* as any name in SQL it may have quotes, or capital letters that mean nothing */
	if (!SplitIdentifierString(pstrdup(name), '.', &parts) || list_length(parts) != 1)
		return NULL;
	return find_named(linitial(parts));
}

Oid
RecsysNeedShopOwner(const RecsysDefinition *definition)
{
	Oid			owner = get_role_oid(definition->owner, true);

	if (OidIsValid(owner) && has_privs_of_role(GetUserId(), owner))
		return owner;
	if (!OidIsValid(owner) && superuser())
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\", the owner of recommender \"%s\", does not exist", definition->owner,
						definition->name),
				 errhint("Drop the recommender and create it again.")));
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("must be owner of recommender \"%s\"", definition->name)));
}
