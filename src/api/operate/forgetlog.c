/*
 * forgetlog.c
 *	  Forgetting a user in the log.
 *
 * The log has a user's key as text, and one number may be a customer's in one table and an order's in
 * another.  So only requests of recommenders that know the user by the index at hand are
 * deleted: of the index itself, and of declared recommenders with a signal over it, which is what
 * requests of experiments and bandits have as their recommender, too.  The user may have been logged
 * under the key or, where the log has or had pseudonyms, under that.
 *
 * A log that is one of all nodes loses the same rows by one statement after the other, as Citus
 * has it.  What experiments keep is on the coordinator, and another node has it deleted there by
 * a session of its own: that stays if the caller's transaction is rolled back, as what indexes
 * forget does.  It waits for a lock for LOCK_TIMEOUT at most, since nobody would see that the
 * caller has it.
 *
 * A distributed recommender's indexes of shards forget one by one.  The log is not theirs to look
 * after: it is looked through once, for all of them, by who has called for the recommender.
 */
#include "postgres.h"

#include "am/entry/shards.h"
#include "am/entry/shells.h"
#include "api/call/distributed.h"
#include "api/declare/declaredrows.h"
#include "api/declare/jsonfields.h"
#include "api/declare/names.h"
#include "api/keep/keeper.h"
#include "api/log/pseudonym.h"
#include "api/log/wholelog.h"
#include "api/operate/forgetlog.h"
#include "api/shards/nodes.h"
#include "api/shards/shardprofile.h"
#include "catalog/index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "storage/lockdefs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

#define LOCK_TIMEOUT "20s"

/* An index that is divided has been asked for by the names of its shards' indexes, too, perhaps. */
static List *
add_shard_names(Oid index, List *names)
{
	Oid			table = IndexGetRelation(index, true);
	ListCell   *cell;

	if (!OidIsValid(table) || !RecsysIsShell(table))
		return names;
	foreach(cell, RecsysShardsOf(table))
		names = lappend(names, RecsysShardName(index, *(int64 *) lfirst(cell)));
	return names;
}

/* The indexes, and those of their partitions, which may have been recommenders of their own before */
static List *
index_names(List *indexes)
{
	List	   *names = NIL;
	ListCell   *cell;
	ListCell   *below;

	foreach(cell, indexes)
	{
		foreach(below, find_all_inheritors(lfirst_oid(cell), NoLock, NULL))
			names = lappend(names, RecsysKeptName(lfirst_oid(below)));
		names = add_shard_names(lfirst_oid(cell), names);
	}
	return names;
}

static bool
has_name(const List *names, const char *name)
{
	const ListCell *cell;

	foreach(cell, names)
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	return false;
}

static bool
has_signal_over(Jsonb *definition, const List *names)
{
	JsonbValue	value;
	JsonbContainer *signals;
	bool		found = false;

	if (!RecsysJsonGet(&definition->root, "signals", &value))
		return false;
	signals = RecsysJsonArray(&value, "signals");
	for (uint32 i = 0; i < JsonContainerSize(signals) && !found; i++)
	{
		char	   *events = RecsysJsonText(RecsysJsonObject(getIthJsonbValueFromContainer(signals, i),
															 "signals"), "events");

		found = events != NULL && has_name(names, events);
	}
	return found;
}

static List *
recommenders_over(List *indexes)
{
	List	   *over = index_names(indexes);
	List	   *names = list_copy(over);
	ListCell   *cell;

	foreach(cell, RecsysAllDeclared())
	{
		RecsysDeclaredRow *row = lfirst(cell);

		if (has_signal_over(row->definition, over))
			names = lappend(names, row->name);
	}
	return names;
}

static Datum
as_array(const List *texts)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(texts), 1));
	const ListCell *cell;
	int			count = 0;

	foreach(cell, texts)
		elements[count++] = CStringGetTextDatum(lfirst(cell));
	return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * Requests, their events, and what experiments keep of the user or of sessions with these requests;
 * experiments of which the log has nothing any more are found by their recommenders.  Their daily
 * sums, which are of many, are made anew by the next refresh, if the log still has all of the others.
 */
static const char forget_query[] =
"WITH gone AS (DELETE FROM recsys.request_log"
" WHERE user_id = ANY ($1) AND recommender = ANY ($2) RETURNING request_id, time, experiment, user_id, session_id),"
" events AS (DELETE FROM recsys.event_log AS e USING gone AS g"
" WHERE e.request_id = g.request_id AND e.request_time = g.time),"
" known AS (SELECT experiment, user_id AS unit FROM gone UNION SELECT experiment, session_id FROM gone"
" UNION SELECT x.name, u FROM recsys.experiment AS x, unnest($1) AS u WHERE EXISTS"
" (SELECT FROM jsonb_array_elements(x.definition -> 'variants') AS v WHERE v ->> 'recommender' = ANY ($2))),"
" units AS (DELETE FROM recsys.experiment_unit AS u USING known AS k"
" WHERE u.experiment = k.experiment AND u.unit = k.unit RETURNING u.experiment, u.first_time)"
" UPDATE recsys.experiment_state AS s SET stale_since = LEAST(s.stale_since, g.since)"
" FROM (SELECT experiment, min(first_time) AS since FROM units GROUP BY experiment) AS g WHERE g.experiment = s.experiment";

/* The distinct values of a column of the rows that a query has given, without NULL */
static List *
values_of(const char *column)
{
	int			number = SPI_fnumber(SPI_tuptable->tupdesc, column);
	List	   *values = NIL;

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *value = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, number);

		if (value != NULL && !has_name(values, value))
			values = lappend(values, value);
	}
	return values;
}

/* What experiments keep; $1 to $3: experiments that had requests, units, recommenders */
static const char units_query[] =
"WITH known AS (SELECT experiment, unit FROM unnest($1) AS experiment, unnest($2) AS unit"
" UNION SELECT x.name, unit FROM recsys.experiment AS x, unnest($2) AS unit WHERE EXISTS"
" (SELECT FROM jsonb_array_elements(x.definition -> 'variants') AS v WHERE v ->> 'recommender' = ANY ($3))),"
" units AS (DELETE FROM recsys.experiment_unit AS u USING known AS k"
" WHERE u.experiment = k.experiment AND u.unit = k.unit RETURNING u.experiment, u.first_time)"
" UPDATE recsys.experiment_state AS s SET stale_since = LEAST(s.stale_since, g.since)"
" FROM (SELECT experiment, min(first_time) AS since FROM units GROUP BY experiment) AS g"
" WHERE g.experiment = s.experiment";

static char *
as_literal(Datum texts)
{
	return psprintf("%s::pg_catalog.text[]",
					quote_literal_cstr(OidOutputFunctionCall(F_ARRAY_OUT, texts)));
}

/*
 * That query as a command for another session, in which names and operators mean what its search
 * path says: it is the keeper's session, and anybody's may be in there.
 */
static char *
as_command(const Datum *values)
{
	char	   *body = psprintf("BEGIN"
								" SET LOCAL search_path TO pg_catalog, pg_temp;"
								" SET LOCAL lock_timeout TO '" LOCK_TIMEOUT "';"
								" EXECUTE %s USING %s, %s, %s; END",
								quote_literal_cstr(RecsysHere(units_query)),
								as_literal(values[0]), as_literal(values[1]), as_literal(values[2]));

	return psprintf("DO %s", quote_literal_cstr(body));
}

/* The coordinator, which has what experiments keep, needs no other session to get at it. */
static void
forget_units(const List *experiments, const List *units, Datum recommenders)
{
	Oid			types[] = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID};
	Datum		values[] = {as_array(experiments), as_array(units), recommenders};

	if (RecsysLogIsKeptHere())
		(void) RecsysKeeperQuery(RecsysHere(units_query), lengthof(types), types, values, NULL, false);
	else
		(void) RecsysRunOnNode(RecsysCoordinator(), as_command(values), "forgetting a user in experiments");
}

/* Of a log of all nodes, as the keeper; the same parameters as above */
static void
forget_everywhere(List *users, const Oid *types, Datum *values)
{
	List	   *experiments;
	List	   *units;

	(void) RecsysKeeperQuery("SELECT experiment, user_id, session_id FROM recsys.request_log"
							 " WHERE user_id = ANY ($1) AND recommender = ANY ($2)",
							 2, unconstify(Oid *, types), values, NULL, false);
	experiments = values_of("experiment");
	units = list_concat(list_concat(values_of("user_id"), values_of("session_id")), users);
	(void) RecsysKeeperQuery("DELETE FROM recsys.event_log AS e USING recsys.request_log AS r"
							 " WHERE e.request_id = r.request_id AND e.request_time = r.time"
							 " AND r.user_id = ANY ($1) AND r.recommender = ANY ($2)",
							 2, unconstify(Oid *, types), values, NULL, false);
	(void) RecsysKeeperQuery("DELETE FROM recsys.request_log WHERE user_id = ANY ($1) AND recommender = ANY ($2)",
							 2, unconstify(Oid *, types), values, NULL, false);
	forget_units(experiments, units, values[1]);
}

/* Without those of shards, whose recommender forgets for all of them */
static List *
without_shards(List *indexes)
{
	List	   *others = NIL;
	ListCell   *cell;

	foreach(cell, indexes)
	{
		RecsysDistributed distributed;
		Oid			index = lfirst_oid(cell);

		if (!RecsysFindWholeOfShard(IndexGetRelation(index, true), index, &distributed))
			others = lappend_oid(others, index);
	}
	return others;
}

void
RecsysForgetInLog(List *indexes, const char *user)
{
	static Oid	types[] = {TEXTARRAYOID, TEXTARRAYOID};
	List	   *users = list_make1(unconstify(char *, user));
	Datum		values[2];
	char	   *pseudonym;
	RecsysRights before;

	if (!OidIsValid(RecsysKeptTable("request_log")))
		return;
	if (RecsysLogIsShared())
		indexes = without_shards(indexes);
	if (indexes == NIL)
		return;
	pseudonym = RecsysLogPseudonym(user);
	if (pseudonym != NULL)
		users = lappend(users, pseudonym);
	values[0] = as_array(users);
	values[1] = as_array(recommenders_over(indexes));
	RecsysBeginAsKeeper(&before);
	if (RecsysLogIsShared())
		forget_everywhere(users, types, values);
	else
		(void) RecsysKeeperQuery(forget_query, lengthof(types), types, values, NULL, false);
	RecsysEndAsKeeper(&before);
}
