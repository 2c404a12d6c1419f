/*
 * viewmaking.c
 *	  One ready view: its materialized view, made, kept or replaced, and the view over it.
 *
 * Whether the query is still the same tells the server: a materialized view without data is made of
 * it, and both are written out.  So renamed columns and a restored dump change nothing.
 *
 * The view over it is what others read and build on.  It is replaced in place if its columns allow
 * that; else it is dropped and made again with the same grants, which fails, and undoes all, where
 * others depend on it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "api/call/commands.h"
#include "api/views/viewmaking.h"
#include "api/views/viewmarks.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

struct RecsysViewPair
{
	const RecsysViewMaking *making;
	const RecsysReadyView *view;
	const char *recommender;
	char	   *plain_name;		/* with schema, as SQL */
	char	   *full_name;		/* of the materialized view */
	char	   *new_name;		/* of one that is to take its place */
	Oid			plain;			/* InvalidOid: there is none */
	Oid			full;
	Oid			new;			/* InvalidOid: the query is the same */
	bool		is_wanted;		/* the recommender has something of the kind */
	const char *done;			/* so far, NULL: nothing */
};

typedef RecsysViewPair Pair;

static char *
full_part(const char *view)
{
	return psprintf("%s_mv", view);
}

static char *
new_part(const char *view)
{
	return psprintf("%s_mv_new", view);
}

char *
RecsysMaterializedName(const char *schema, const char *view)
{
	return psprintf("%s.%s", schema, full_part(view));
}

static const char *
drop_command(char kind)
{
	switch (kind)
	{
		case RELKIND_VIEW:
			return "DROP VIEW";
		case RELKIND_MATVIEW:
			return "DROP MATERIALIZED VIEW";
		case RELKIND_INDEX:
		case RELKIND_PARTITIONED_INDEX:
			return "DROP INDEX";
		case RELKIND_SEQUENCE:
			return "DROP SEQUENCE";
		case RELKIND_COMPOSITE_TYPE:
			return "DROP TYPE";
		case RELKIND_FOREIGN_TABLE:
			return "DROP FOREIGN TABLE";
		default:
			return "DROP TABLE";
	}
}

/* What has that name, if it has been made here and may be replaced; kind: that it has to be of */
static Oid
find_ours(const Pair *pair, const char *name, char kind)
{
	Oid			relation = get_relname_relid(name, pair->making->schema_oid);

	if (!OidIsValid(relation))
		return InvalidOid;
	if (get_rel_relkind(relation) != kind || !RecsysIsMadeView(relation))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("%s.%s already exists", pair->making->schema, name),
				 errdetail("It was not made by recsys.create_views, which replaces only its own."),
				 errhint("Choose another schema, or drop it: %s %s.%s;",
						 drop_command(get_rel_relkind(relation)), pair->making->schema, name)));
	RecsysCheckMadeView(relation, pair->recommender);
	return relation;
}

/* With a new snapshot, as all that is asked here: it has to see what has just been made. */
static bool
same_query(Oid one, Oid other)
{
	static Oid	types[] = {OIDOID, OIDOID};
	Datum		values[] = {ObjectIdGetDatum(one), ObjectIdGetDatum(other)};
	bool		isnull;

	if (SPI_execute_with_args("SELECT pg_catalog.pg_get_viewdef($1) OPERATOR(pg_catalog.=) pg_catalog.pg_get_viewdef($2)",
							  2, types, values, NULL, false, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not compare views");
	return DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/* Commands that give a new relation of that name the grants that one has, but for its owner's */
static List *
grants_of(Oid relation, const char *name)
{
	static Oid	types[] = {OIDOID, TEXTOID};
	Datum		values[] = {ObjectIdGetDatum(relation), CStringGetTextDatum(name)};
	List	   *grants = NIL;

	if (SPI_execute_with_args("SELECT 'GRANT ' || a.privilege_type || ' ON TABLE ' || $2 || ' TO ' ||"
							  " CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END ||"
							  " CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END"
							  " FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a"
							  " WHERE c.oid = $1 AND a.grantee <> c.relowner",
							  2, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the rights of %s", name);
	for (uint64 i = 0; i < SPI_processed; i++)
		grants = lappend(grants, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	return grants;
}

static void
run_all(List *commands)
{
	ListCell   *cell;

	foreach(cell, commands)
		RecsysRunCommand(lfirst(cell));
}

static const char *
plain_query(const Pair *pair, Oid full, const char *full_name)
{
	StringInfoData out;
	Relation	open = relation_open(full, AccessShareLock);
	TupleDesc	descriptor = RelationGetDescr(open);

	initStringInfo(&out);
	for (int i = 0; i < descriptor->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(descriptor, i)->attname);

		if (strcmp(name, RECSYS_VIEW_KEY) != 0)
			appendStringInfo(&out, "%s%s", out.len == 0 ? "SELECT " : ", ", quote_identifier(name));
	}
	relation_close(open, NoLock);
	appendStringInfo(&out, " FROM %s", full_name);
	return out.data;
}

/* May the view go on with another materialized view: has it the same columns, or more behind? */
static bool
can_replace(Oid plain, Oid full)
{
	Relation	view = relation_open(plain, AccessShareLock);
	Relation	open = relation_open(full, AccessShareLock);
	TupleDesc	old = RelationGetDescr(view);
	TupleDesc	new = RelationGetDescr(open);
	int			x = 0;
	bool		same = true;

	for (int i = 0; i < new->natts; i++)
	{
		Form_pg_attribute to = TupleDescAttr(new, i);
		Form_pg_attribute from = x < old->natts ? TupleDescAttr(old, x) : NULL;

		if (strcmp(NameStr(to->attname), RECSYS_VIEW_KEY) == 0)
			continue;
		x++;
		if (from != NULL)
			same = same && strcmp(NameStr(to->attname), NameStr(from->attname)) == 0 &&
				to->atttypid == from->atttypid && to->atttypmod == from->atttypmod &&
				to->attcollation == from->attcollation;
	}
	same = same && x >= old->natts;
	relation_close(open, NoLock);
	relation_close(view, NoLock);
	return same;
}

static void
comment_on(const Pair *pair, const char *kind, const char *name, Oid relation)
{
	Relation	open = relation_open(relation, AccessShareLock);
	TupleDesc	descriptor = RelationGetDescr(open);
	List	   *commands = NIL;

	commands = lappend(commands, psprintf("COMMENT ON %s %s IS %s", kind, name,
										  quote_literal_cstr(RecsysViewComment(pair->recommender, pair->view->comment))));
	for (int i = 0; i < descriptor->natts; i++)
	{
		const char *column = NameStr(TupleDescAttr(descriptor, i)->attname);
		const char *comment = RecsysViewColumnComment(pair->view, column);

		if (comment != NULL)
			commands = lappend(commands, psprintf("COMMENT ON COLUMN %s.%s IS %s", name,
												  quote_identifier(column), quote_literal_cstr(comment)));
	}
	relation_close(open, NoLock);
	run_all(commands);
}

/* Those that are there already stay. */
static void
make_indexes(const Pair *pair)
{
	for (int i = 0; i < RECSYS_VIEW_INDEXES && pair->view->indexes[i].suffix != NULL; i++)
	{
		const RecsysViewIndex *index = &pair->view->indexes[i];
		char	   *name = psprintf("%s_%s", full_part(pair->view->name), index->suffix);
		Oid			there = get_relname_relid(name, pair->making->schema_oid);

		if (OidIsValid(there) && IndexGetRelation(there, true) == pair->full)
			continue;
		RecsysRunCommand(psprintf("CREATE %sINDEX %s ON %s USING %s", index->is_unique ? "UNIQUE " : "", name,
					 pair->full_name, index->on));
	}
}

static void
make_plain(Pair *pair, Oid full, const char *full_name)
{
	const char *query = plain_query(pair, full, full_name);
	List	   *grants = NIL;

	if (OidIsValid(pair->plain) && !can_replace(pair->plain, full))
	{
		grants = grants_of(pair->plain, pair->plain_name);
		RecsysRunCommand(psprintf("DROP VIEW %s", pair->plain_name));
	}
	RecsysRunCommand(psprintf("CREATE OR REPLACE VIEW %s AS %s", pair->plain_name, query));
	run_all(grants);
}

/* Another query than that of the old one: the view goes over to it, and it takes its name. */
static void
replace(Pair *pair)
{
	List	   *grants = grants_of(pair->full, pair->full_name);

	make_plain(pair, pair->new, pair->new_name);
	RecsysRunCommand(psprintf("DROP MATERIALIZED VIEW %s", pair->full_name));
	RecsysRunCommand(psprintf("ALTER MATERIALIZED VIEW %s RENAME TO %s", pair->new_name, full_part(pair->view->name)));
	pair->full = pair->new;
	run_all(grants);
}

static bool
is_filled(Oid full)
{
	Relation	open = relation_open(full, AccessShareLock);
	bool		filled = RelationIsPopulated(open);

	relation_close(open, NoLock);
	return filled;
}

static void
create(Pair *pair, const char *query)
{
	RecsysRunCommand(psprintf("CREATE MATERIALIZED VIEW %s AS %s WITH %sDATA", pair->full_name, query,
				 pair->making->with_data ? "" : "NO "));
	pair->full = get_relname_relid(full_part(pair->view->name), pair->making->schema_oid);
	pair->done = "created";
}

/* A new one for the old one, if its query is not the same */
static void
renew(Pair *pair, const char *query)
{
	const char *fill = NULL;

	RecsysRunCommand(psprintf("CREATE MATERIALIZED VIEW %s AS %s WITH NO DATA", pair->new_name, query));
	pair->new = get_relname_relid(new_part(pair->view->name), pair->making->schema_oid);
	if (!same_query(pair->full, pair->new))
	{
		pair->done = "replaced";
		fill = pair->new_name;
	}
	else
	{
		RecsysRunCommand(psprintf("DROP MATERIALIZED VIEW %s", pair->new_name));
		pair->new = InvalidOid;
		pair->done = OidIsValid(pair->plain) ? "kept" : "created";
		if (pair->making->with_data && !is_filled(pair->full))
		{
			pair->done = "filled";
			fill = pair->full_name;
		}
	}
	if (fill != NULL && pair->making->with_data)
		RecsysRunCommand(psprintf("REFRESH MATERIALIZED VIEW %s", fill));
}

static void
grant(const Pair *pair)
{
	ListCell   *cell;

	foreach(cell, pair->making->readers)
		RecsysRunCommand(psprintf("GRANT SELECT ON TABLE %s TO %s", pair->plain_name, (char *) lfirst(cell)));
}

RecsysViewPair *
RecsysPrepareView(const RecsysViewMaking *making, const RecsysReadyView *view, char **query)
{
	Pair	   *pair = palloc0(sizeof(Pair));

	pair->making = making;
	pair->view = view;
	pair->recommender = making->source->name;
	pair->plain_name = psprintf("%s.%s", making->schema, view->name);
	pair->full_name = RecsysMaterializedName(making->schema, view->name);
	pair->new_name = psprintf("%s.%s", making->schema, new_part(view->name));
	*query = view->query(making->source);
	pair->is_wanted = *query != NULL;
	pair->plain = find_ours(pair, view->name, RELKIND_VIEW);
	pair->full = find_ours(pair, full_part(view->name), RELKIND_MATVIEW);
	(void) find_ours(pair, new_part(view->name), '\0');
	if (!pair->is_wanted)
		return pair;
	if (OidIsValid(pair->full))
		renew(pair, *query);
	else
		create(pair, *query);
	return pair;
}

const char *
RecsysFinishView(RecsysViewPair *pair)
{
	const RecsysViewMaking *making = pair->making;

	if (!pair->is_wanted)
		return RecsysDropMadeView(making->schema, making->schema_oid, pair->view->name, NULL) ?
			"dropped" : NULL;
	if (OidIsValid(pair->new))
		replace(pair);
	else if (strcmp(pair->done, "created") == 0 || !can_replace(pair->plain, pair->full))
		make_plain(pair, pair->full, pair->full_name);
	make_indexes(pair);
	comment_on(pair, "MATERIALIZED VIEW", pair->full_name, pair->full);
	comment_on(pair, "VIEW", pair->plain_name,
			   get_relname_relid(pair->view->name, making->schema_oid));
	grant(pair);
	return pair->done;
}

static bool
is_made_of(Oid relation, const char *recommender)
{
	if (!OidIsValid(relation))
		return false;
	return recommender == NULL ? RecsysIsMadeView(relation) : RecsysIsMadeViewOf(relation, recommender);
}

bool
RecsysDropMadeView(const char *schema, Oid schema_oid, const char *view, const char *recommender)
{
	Oid			plain = get_relname_relid(view, schema_oid);
	Oid			full = get_relname_relid(full_part(view), schema_oid);
	bool		dropped = false;

	if (is_made_of(plain, recommender))
	{
		RecsysRunCommand(psprintf("DROP VIEW %s.%s", schema, view));
		dropped = true;
	}
	if (is_made_of(full, recommender))
	{
		RecsysRunCommand(psprintf("DROP MATERIALIZED VIEW %s", RecsysMaterializedName(schema, view)));
		dropped = true;
	}
	return dropped;
}
