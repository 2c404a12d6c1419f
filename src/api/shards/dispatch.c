/*
 * dispatch.c
 *	  Lists of a distributed recommender: on the node that has the user.
 *
 * The history is in the user's shard, the neighbors of its items are on every node.  So a list is made
 * where the shard is.  On that node its index is read directly; from any other the call goes to a
 * function that recsys.distribute() has made for the recommender's types, which Citus takes to the node
 * of its first argument, in a transaction block, too.  There it calls recommend() again, which then
 * finds the shard.
 *
 * Where a shard is, its placement says, not whether a table of its name exists: moves leave tables
 * behind.  It is looked at again when the table is locked, from when on it stays.
 *
 * The forced way of Citus has nothing to do with plans of the caller's statement: it works in views,
 * WITH, joins and functions, since the call inside is a statement of its own.
 */
#include "postgres.h"

#include "am/entry/shells.h"
#include "am/lists/owner.h"
#include "am/store/columns.h"
#include "api/scoring/itemnumbers.h"
#include "api/shards/dispatch.h"
#include "api/shards/forgotten.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "source/input/clock.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* So often a shard is looked for that moves in the meantime. */
#define MOST_LOOKS 5

/* Can a column of the type have the key?  Nobody of the shop has it if not. */
static bool
fits(Oid type, RecsysKeyKind kind, const RecsysKey *key)
{
	if (kind != RECSYS_KEY_INT)
		return true;
	if (type == INT2OID)
		return key->number >= PG_INT16_MIN && key->number <= PG_INT16_MAX;
	if (type == INT4OID)
		return key->number >= PG_INT32_MIN && key->number <= PG_INT32_MAX;
	return true;
}

void
RecsysFindUserPlace(const RecsysDistributed *distributed, const RecsysRecommender *shell,
					const RecsysKey *user, RecsysUserPlace *place)
{
	Oid			type = shell->columns.user_type;
	int64		shard;

	memset(place, 0, sizeof(*place));
	place->here = true;
	if (user == NULL || !fits(type, shell->columns.user_kind, user))
		return;
	place->known = true;
	place->key = *user;
	place->value = RecsysKeyToDatum(type, user);
	shard = RecsysShardOfValue(distributed->table, type, get_typcollation(type), place->value);
	for (int look = 0; look < MOST_LOOKS && RecsysShardIsHere(shard); look++)
	{
		RecsysRecommender part;

		place->index = RecsysShardRelation(distributed->index, shard);
		if (!OidIsValid(place->index))
			continue;
		RecsysOpenPart(place->index, &part);
		RecsysCloseRecommender(&part);
		if (RecsysShardIsHere(shard))
			return;
	}
	place->here = false;
}

/*
 * Is there anything of the user that was forgotten and that the index does not know to be?  Rows that
 * were there when the user was forgotten are marked, unless the index was built since.
 */
static bool
has_unmarked(RecsysRecommender *history, const RecsysKey *user, TimestampTz until)
{
	RecsysInteraction *rows;
	Buffer		bucket;
	RecsysOwner owner;
	bool		marked;

	if (!RecsysLockOwner(history->index, RECSYS_USERS, user, &bucket, &owner))
		return false;
	marked = (owner->flags & RECSYS_OWNER_FORGOTTEN) != 0;
	UnlockReleaseBuffer(bucket);
	if (marked)
		return false;
	return history->columns.time_column == 0 ||
		RecsysReadUserRows(history, user, RecsysTimeOfColumn(history->columns.time_type, until), &rows) > 0;
}

void
RecsysReadProfileHere(const RecsysDistributed *distributed, const RecsysUserPlace *place,
					  RecsysRecommender *graph, int64 half_life, RecsysProfile *profile)
{
	RecsysRecommender history;
	TimestampTz until;

	memset(profile, 0, sizeof(*profile));
	if (!place->known)
		return;
	RecsysOpenPart(place->index, &history);
	if (!RecsysWasForgotten(distributed, history.columns.user_kind, &place->key, &until) ||
		!has_unmarked(&history, &place->key, until))
	{
		RecsysReadProfile(&history, &place->key, half_life, profile);
		RecsysTranslateProfile(&history, graph, profile);
	}
	RecsysCloseRecommender(&history);
}

char *
RecsysConcreteName(const RecsysDistributed *distributed, const char *suffix)
{
	char	   *name = get_rel_name(distributed->index);
	int			length = pg_mbcliplen(name, strlen(name), NAMEDATALEN - 2 - (int) strlen(suffix));

	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(distributed->index)),
									  psprintf("%.*s_%s", length, name, suffix));
}

void
RecsysAskNodeOf(const RecsysDistributed *distributed, const char *function, int nargs, Oid *types,
				Datum *values, const char *nulls, RecsysRemotePut put, RecsysAnswer *answer)
{
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT * FROM %s(", RecsysConcreteName(distributed, function));
	for (int i = 0; i < nargs; i++)
		appendStringInfo(&query, "%s$%d", i > 0 ? ", " : "", i + 1);
	appendStringInfoChar(&query, ')');

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args(query.data, nargs, types, values, nulls, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(SPI_result));
	for (uint64 i = 0; i < SPI_processed; i++)
		put(answer, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

/* A row of a list: the key of its item is of a type of the recommender's, the rest is as it is. */
static void
put_row(RecsysAnswer *answer, HeapTuple tuple, TupleDesc descriptor)
{
	Datum		values[4];
	bool		isnull[4];
	RecsysKey	item;

	for (int i = 0; i < 4; i++)
		values[i] = SPI_getbinval(tuple, descriptor, i + 1, &isnull[i]);
	RecsysKeyFromDatum(getBaseType(SPI_gettypeid(descriptor, 1)), values[0], &item);
	values[0] = RecsysAnswerKey(answer, &item);
	RecsysAnswerPut(answer, values, isnull);
}

static void
ask_other_node(const RecsysDistributed *distributed, const RecsysRecommender *shell, RecsysAnswer *answer,
			   const RecsysUserPlace *place, const RecsysListAsk *ask)
{
	Oid			types[] = {shell->columns.user_type, INT8OID, BOOLOID, INTERVALOID};
	Datum		values[] = {place->value, Int64GetDatum(ask->k), BoolGetDatum(ask->exclude_seen),
		PointerGetDatum(ask->half_life)};
	char		nulls[] = "    ";

	if (ask->half_life == NULL)
		nulls[3] = 'n';
	RecsysAskNodeOf(distributed, "recommend", lengthof(types), types, values, nulls, put_row, answer);
}

void
RecsysPutDistributed(const RecsysDistributed *distributed, const RecsysRecommender *shell,
					 RecsysAnswer *answer, const RecsysKey *user, const RecsysListAsk *ask)
{
	RecsysUserPlace place;
	RecsysRecommender graph;
	RecsysProfile profile;

	if (ask->k <= 0)
		return;
	RecsysFindUserPlace(distributed, shell, user, &place);
	if (!place.here)
	{
		ask_other_node(distributed, shell, answer, &place, ask);
		return;
	}
	RecsysOpenGraphOf(distributed, &graph);
	RecsysReadProfileHere(distributed, &place, &graph, ask->decay, &profile);
	RecsysPutRecommendations(&graph, answer, &profile, ask->k, ask->exclude_seen);
	RecsysCloseRecommender(&graph);
}
