/*
 * localplan.c
 *	  The plans of a query over tables of Citus, on the node that has their rows.
 *
 * A query whose tables are all on every node has one plan, as any other.  One that looks up a user
 * has a plan for each shard that it has come to: those are of one row, and there are as many as the
 * node has shards of users.  Which tables have the rows may change at any time, by a move, or when
 * a table is distributed anew.  So they are found for each run, which takes looks into caches, and
 * names are looked for again when the server says that something has changed.  Plans over tables
 * that are gone go when another one is made.
 */
#include "postgres.h"

#include "api/here/localnames.h"
#include "api/here/localplan.h"
#include "storage/sinval.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

typedef struct Variant
{
	List	   *tables;
	RecsysOnePlan one;			/* as it was when another one was taken */
} Variant;

struct RecsysLocalPlan
{
	char	   *query;
	char	   *part;
	bool		by_user;
	List	   *names;			/* of RecsysShellName */
	uint64		checked;		/* the count of changes that the names are as of, and one more */
	MemoryContext context;
	List	   *variants;
	Variant    *current;		/* the one that has been chosen last; NULL: none yet */
	List	   *wanted;			/* tables of the plan that is being made */
};

/* A table that is divided has a part of its rows on each node, which are of use for one user. */
static void
refuse_divided(const RecsysLocalPlan *local)
{
	int			divided = 0;
	ListCell   *cell;

	foreach(cell, local->names)
	{
		RecsysShellName *name = lfirst(cell);

		if (!name->divided)
			continue;
		if (!local->by_user || ++divided > 1)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("table \"%s\" is distributed, and each node has a part of its rows only",
							get_rel_name(name->shell)),
					 errhint("What \"%s\" reads of all users has to be on every node: create_reference_table makes it so.",
							 local->part)));
	}
}

/*
 * On a busy server this is done for most calls.  What the parser leaves behind must not stay for as
 * long as the plans do.
 */
static void
find_names(RecsysLocalPlan *local)
{
	MemoryContext scratch;
	MemoryContext old;
	List	   *names;
	ListCell   *cell;

	AcceptInvalidationMessages();
	if (local->checked == SharedInvalidMessageCounter + 1)
		return;
	scratch = AllocSetContextCreate(CurrentMemoryContext, "recsys local names", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(scratch);
	names = RecsysFindShellNames(local->query);
	MemoryContextSwitchTo(local->context);
	list_free_deep(local->names);
	local->names = NIL;
	foreach(cell, names)
		local->names = lappend(local->names, memcpy(palloc(sizeof(RecsysShellName)), lfirst(cell),
													sizeof(RecsysShellName)));
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	refuse_divided(local);
	local->checked = SharedInvalidMessageCounter + 1;
}

RecsysLocalPlan *
RecsysMakeLocalPlan(const char *part, const char *query, bool by_user)
{
	MemoryContext context;
	RecsysLocalPlan *local;

	if (RecsysFindShellNames(query) == NIL)
		return NULL;
	context = AllocSetContextCreate(CurrentMemoryContext, "recsys local plan", ALLOCSET_SMALL_SIZES);
	local = MemoryContextAllocZero(context, sizeof(RecsysLocalPlan));
	local->query = MemoryContextStrdup(context, query);
	local->part = MemoryContextStrdup(context, part);
	local->by_user = by_user;
	local->context = context;
	return local;
}

MemoryContext
RecsysLocalPlanContext(RecsysLocalPlan *local)
{
	return local->context;
}

/* What is known of the plan at hand goes back to where it is kept. */
static void
take(RecsysLocalPlan *local, Variant *variant, RecsysOnePlan *one)
{
	if (local->current != NULL)
		local->current->one = *one;
	local->current = variant;
	*one = variant->one;
}

const char *
RecsysChooseLocalPlan(RecsysLocalPlan *local, Oid type, const Datum *user, RecsysOnePlan *one)
{
	List	   *tables;
	ListCell   *cell;

	find_names(local);
	tables = RecsysLocalTables(local->names, type, local->by_user ? user : NULL);
	if (local->current != NULL && equal(local->current->tables, tables))
		return NULL;
	foreach(cell, local->variants)
	{
		if (!equal(((Variant *) lfirst(cell))->tables, tables))
			continue;
		take(local, lfirst(cell), one);
		return NULL;
	}
	local->wanted = tables;
	return RecsysWithLocalTables(local->query, local->names, tables);
}

/* Is one of its tables gone, as when a shard has moved?  Then nobody runs it any more. */
static bool
is_gone(const Variant *variant)
{
	ListCell   *cell;

	foreach(cell, variant->tables)
		if (OidIsValid(lfirst_oid(cell)) &&
			!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(lfirst_oid(cell))))
			return true;
	return false;
}

/* So there are no more plans than there are shards here, however many have come and gone. */
static void
drop_gone(RecsysLocalPlan *local)
{
	ListCell   *cell;

	foreach(cell, local->variants)
	{
		Variant    *variant = lfirst(cell);

		if (variant == local->current || !is_gone(variant))
			continue;
		local->variants = foreach_delete_current(local->variants, cell);
		SPI_freeplan(variant->one.plan);
		list_free(variant->tables);
		pfree(variant);
	}
}

void
RecsysKeepLocalPlan(RecsysLocalPlan *local, const RecsysOnePlan *made, RecsysOnePlan *one)
{
	MemoryContext old = MemoryContextSwitchTo(local->context);
	Variant    *variant = palloc0(sizeof(Variant));

	variant->tables = list_copy(local->wanted);
	variant->one = *made;
	local->variants = lappend(local->variants, variant);
	MemoryContextSwitchTo(old);
	take(local, variant, one);
	drop_gone(local);
}

void
RecsysFreeLocalPlan(RecsysLocalPlan *local)
{
	ListCell   *cell;

	foreach(cell, local->variants)
		SPI_freeplan(((Variant *) lfirst(cell))->one.plan);
	MemoryContextDelete(local->context);
}
