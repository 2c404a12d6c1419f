/*
 * viewqueue.c
 *	  The materialized views that recsys.refresh has to refresh, one after the other.
 *
 * Beside those that recsys.create_views has made, these are all whose query calls a function of the
 * extension and gives it the name of the recommender, or of one of its indexes, as a constant; and
 * those that read one of all these.  Queries are looked at as the server keeps them, with those of
 * the plain views in them: no names are looked for in texts.  That takes no locks, and so waits for
 * nobody's refresh.
 */
#include "postgres.h"

#include "access/transam.h"
#include "api/call/rights.h"
#include "api/declare/names.h"
#include "api/views/viewmarks.h"
#include "api/views/viewqueue.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "compat.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "source/input/keytext.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

/* What the queries of a materialized view have, those of its views among them */
typedef struct Reading
{
	const RecsysViewNames *names;
	Oid			extension;
	List	   *views;			/* of OIDs: looked into already */
	List	   *reads;			/* of OIDs: materialized views */
	bool		in_call;		/* within the arguments of a function of the extension */
	bool		is_named;		/* one of them names the recommender */
} Reading;

/* A materialized view that is to be refreshed */
typedef struct Candidate
{
	Oid			oid;
	List	   *reads;
	bool		is_placed;
} Candidate;

static bool read_node(Node *node, void *context);

/*
 * A name without a schema means an index wherever it is, if the search path leads nowhere, as it
 * does in a refresh.
 */
static bool
names_index(const RecsysViewNames *names, const char *name)
{
	List	   *parts;
	const char *schema;
	ListCell   *cell;

	if (!SplitIdentifierString(pstrdup(name), '.', &parts) || parts == NIL || list_length(parts) > 3)
		return false;
	schema = list_length(parts) == 1 ? NULL : list_nth(parts, list_length(parts) - 2);
	foreach(cell, names->indexes)
	{
		char	   *index = get_rel_name(lfirst_oid(cell));
		Oid			found;

		if (index == NULL || strcmp(index, llast(parts)) != 0)
			continue;
		if (schema != NULL && get_namespace_oid(schema, true) == get_rel_namespace(lfirst_oid(cell)))
			return true;
		found = schema == NULL ? RelnameGetRelid(index) : InvalidOid;
		if (schema == NULL && (!OidIsValid(found) || found == lfirst_oid(cell)))
			return true;
	}
	return false;
}

static bool
names_recommender(const RecsysViewNames *names, const Const *constant)
{
	const char *text;

	if (constant->constisnull)
		return false;
	if (constant->consttype == REGCLASSOID)
		return list_member_oid(names->indexes, DatumGetObjectId(constant->constvalue));
	if (constant->consttype == NAMEOID)
		text = NameStr(*DatumGetName(constant->constvalue));
	else if (RecsysTypeIsText(constant->consttype))
		text = RecsysTextOfDatum(constant->consttype, constant->constvalue);
	else
		return false;
	return (names->is_declared && strcmp(text, names->name) == 0) || names_index(names, text);
}

static bool
is_of_extension(Oid function, Oid extension)
{
	return OidIsValid(extension) && function >= FirstNormalObjectId &&
		getExtensionOfObject(ProcedureRelationId, function) == extension;
}

/* The query of a view, as the server keeps it; NULL where it has gone meanwhile */
static Query *
query_of(Oid view)
{
	static Oid	types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(view)};
	List	   *queries;

	if (SPI_execute_with_args("SELECT r.ev_action::pg_catalog.text FROM pg_catalog.pg_rewrite AS r"
							  " WHERE r.ev_class OPERATOR(pg_catalog.=) $1 AND r.ev_type OPERATOR(pg_catalog.=) '1'",
							  1, types, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the query of view %u", view);
	if (SPI_processed == 0)
		return NULL;
	queries = stringToNode(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1));
	SPI_freetuptable(SPI_tuptable);
	return queries == NIL ? NULL : linitial_node(Query, queries);
}

static void
read_view(Oid view, Reading *reading)
{
	Query	   *query;
	bool		in_call = reading->in_call;

	if (list_member_oid(reading->views, view))
		return;
	check_stack_depth();
	reading->views = lappend_oid(reading->views, view);
	query = query_of(view);
	reading->in_call = false;
	(void) read_node((Node *) query, reading);
	reading->in_call = in_call;
}

static void
read_relation(const RangeTblEntry *entry, Reading *reading)
{
	if (entry->rtekind != RTE_RELATION)
		return;
	if (entry->relkind == RELKIND_VIEW)
		read_view(entry->relid, reading);
	else if (entry->relkind == RELKIND_MATVIEW)
		reading->reads = list_append_unique_oid(reading->reads, entry->relid);
}

static bool
read_query(Query *query, Reading *reading)
{
	ListCell   *cell;

	/* a view stands in its own query, too, for the server's sake */
	foreach(cell, query->rtable)
		read_relation(lfirst_node(RangeTblEntry, cell), reading);
	return query_tree_walker(query, read_node, reading, 0);
}

static bool
read_node(Node *node, void *context)
{
	Reading    *reading = context;
	bool		in_call = reading->in_call;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return read_query((Query *) node, reading);
	if (IsA(node, Const) && reading->in_call)
		reading->is_named = reading->is_named || names_recommender(reading->names, (Const *) node);
	if (IsA(node, FuncExpr) && is_of_extension(((FuncExpr *) node)->funcid, reading->extension))
		reading->in_call = true;
	(void) expression_tree_walker(node, read_node, context);
	reading->in_call = in_call;
	return false;
}

/* Ready views are of one recommender, whichever index they name. */
static bool
is_wanted(Oid view, const Reading *reading)
{
	if (RecsysIsMadeView(view))
		return RecsysIsMadeViewOf(view, reading->names->name);
	return reading->is_named || list_member_oid(reading->names->graphs, view);
}

/* Of a recommender that is gone: nobody's refresh would come by, and nobody notice. */
static void
warn_of_orphan(Oid view)
{
	char	   *recommender;

	if (!RecsysIsMadeView(view))
		return;
	recommender = RecsysMadeViewRecommender(view);
	if (RecsysRecommenderExists(recommender))
		return;
	ereport(WARNING,
			(errmsg("%s is not refreshed", RecsysKeptName(view)),
			 errdetail("It is of recommender \"%s\", which has been dropped or renamed.", recommender),
			 errhint("recsys.create_views takes it over for another recommender. Or drop it: SELECT * FROM recsys.drop_views(%s, %s);",
					 quote_literal_cstr(recommender),
					 quote_literal_cstr(get_namespace_name(get_rel_namespace(view))))));
}

static void
warn_of_orphans(List *candidates)
{
	ListCell   *cell;

	foreach(cell, candidates)
		warn_of_orphan(((Candidate *) lfirst(cell))->oid);
}

/* One that has been dropped meanwhile has no owner, which would be an error. */
static bool
may_refresh(Oid view)
{
	return get_rel_relkind(view) == RELKIND_MATVIEW &&
		(RECSYS_OWNS_RELATION(view) || RECSYS_MAY_MAINTAIN(view));
}

/* Anybody can have a view that names the recommender, and takes for ever. */
static bool
is_trusted(Oid view, const RecsysViewNames *names)
{
	Oid			owner = RecsysRelationOwner(view);

	if (!OidIsValid(owner))
		return false;
	return superuser_arg(owner) || list_member_oid(names->owners, owner) ||
		(!superuser() && has_privs_of_role(GetUserId(), owner));
}

/* All that the current user may refresh, in the order in which they were made */
static List *
views_of_user(const RecsysViewNames *names)
{
	List	   *views = NIL;

	if (SPI_execute("SELECT c.oid FROM pg_catalog.pg_class AS c WHERE c.relkind OPERATOR(pg_catalog.=) 'm' ORDER BY c.oid",
					false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the materialized views");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Oid			view = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1,
														  &isnull));

		if (may_refresh(view) && is_trusted(view, names))
			views = lappend_oid(views, view);
	}
	return views;
}

/* Behind all that it reads; views cannot read each other in a circle. */
static void
place(Candidate *candidate, List *candidates, List **queue)
{
	ListCell   *cell;

	check_stack_depth();
	if (candidate->is_placed)
		return;
	candidate->is_placed = true;
	foreach(cell, candidates)
	{
		Candidate  *other = lfirst(cell);

		if (list_member_oid(candidate->reads, other->oid))
			place(other, candidates, queue);
	}
	*queue = lappend_oid(*queue, candidate->oid);
}

static List *
in_order(List *candidates)
{
	List	   *queue = NIL;
	ListCell   *cell;

	foreach(cell, candidates)
		place(lfirst(cell), candidates, &queue);
	return queue;
}

static List *
add_candidate(List *candidates, Oid view, const Reading *reading)
{
	Candidate  *candidate = palloc0(sizeof(Candidate));

	candidate->oid = view;
	candidate->reads = reading->reads;
	return lappend(candidates, candidate);
}

/* The sources themselves, and what plain views among them read */
static List *
materialized_sources(const RecsysViewNames *names)
{
	List	   *found = NIL;
	ListCell   *cell;

	foreach(cell, names->sources)
	{
		Oid			source = lfirst_oid(cell);
		Reading		reading = {.names = names};

		if (get_rel_relkind(source) == RELKIND_MATVIEW)
			found = list_append_unique_oid(found, source);
		else if (get_rel_relkind(source) == RELKIND_VIEW)
		{
			read_view(source, &reading);
			found = list_concat_unique_oid(found, reading.reads);
		}
	}
	return found;
}

List *
RecsysQueueSources(const RecsysViewNames *names)
{
	List	   *candidates = NIL;
	ListCell   *cell;

	foreach(cell, materialized_sources(names))
	{
		Reading		reading = {.names = names};

		if (!may_refresh(lfirst_oid(cell)))
			continue;
		read_view(lfirst_oid(cell), &reading);
		candidates = add_candidate(candidates, lfirst_oid(cell), &reading);
	}
	return in_order(candidates);
}

static bool
reads_any(const Candidate *candidate, List *others)
{
	ListCell   *cell;

	foreach(cell, others)
		if (list_member_oid(candidate->reads, ((Candidate *) lfirst(cell))->oid))
			return true;
	return false;
}

/* What is made of materialized views that are refreshed comes along, and what is made of that. */
static List *
with_readers(List *wanted, List *rest)
{
	bool		more = true;

	while (more)
	{
		ListCell   *cell;

		more = false;
		foreach(cell, rest)
			if (reads_any(lfirst(cell), wanted))
			{
				wanted = lappend(wanted, lfirst(cell));
				rest = foreach_delete_current(rest, cell);
				more = true;
			}
	}
	warn_of_orphans(rest);
	return wanted;
}

List *
RecsysQueueViews(const RecsysViewNames *names)
{
	List	   *wanted = NIL;
	List	   *rest = NIL;
	List	   *sources = materialized_sources(names);
	ListCell   *cell;
	Oid			extension = get_extension_oid("recsys", true);

	foreach(cell, views_of_user(names))
	{
		Oid			view = lfirst_oid(cell);
		Reading		reading = {.names = names,.extension = extension};

		CHECK_FOR_INTERRUPTS();
		if (list_member_oid(sources, view))
			continue;
		read_view(view, &reading);
		if (is_wanted(view, &reading))
			wanted = add_candidate(wanted, view, &reading);
		else
			rest = add_candidate(rest, view, &reading);
	}
	return in_order(with_readers(wanted, rest));
}
