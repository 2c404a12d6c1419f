/*
 * loggedrows.c
 *	  What the log has of lists whose makers were left to chance.
 *
 * The log is read as the keeper.  The caller sees requests of experiments and bandits whose owner he
 * may act as, those of neither by the recommender's owner, and all of them as the keeper or a
 * member of pg_read_all_data.
 *
 * By arms: in an experiment or a bandit that the target was an arm of, the list as a whole was left to
 * chance, with one propensity.  The target shows its own lists with probability 1 and those of the
 * other arms never.  Requests of one user are a unit: an experiment gives them all to one arm, and
 * they would be alike anyway.
 *
 * By places: where each item has a propensity of its own.  Left out are the lists of experiments,
 * whose propensities are products with the share of the variant, of interleaving, and of bandits
 * whose arms are whole lists: an item may have been in the lists of several arms.
 *
 * Revenue is that of the purchases that recsys.configure_log has named, attributed as it says, read
 * with the rights of who has named them; without any, the values of logged events "purchase".
 */
#include "postgres.h"

#include "api/keep/keeper.h"
#include "api/log/attribution.h"
#include "api/log/logsettings.h"
#include "api/log/purchases.h"
#include "api/log/wholelog.h"
#include "api/offpolicy/loggedrows.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#define BATCH_ROWS 1000

/*
 * Requests that the caller may see.  $1, $2: from and until; $3: his OID; $4: sees all; $5: logged by;
 * $6: kind of event; $7: rewards are values; $8: k; $9: the target; $10: most requests; $11: seed;
 * $12: window of purchases
 */
#define VISIBLE \
	"WITH experiments AS MATERIALIZED (SELECT e.name FROM recsys.experiment e JOIN pg_roles o ON o.rolname = e.owner" \
	"  WHERE $4 OR pg_has_role($3, o.oid, 'USAGE'))," \
	" bandits AS MATERIALIZED (SELECT b.name FROM recsys.bandit b JOIN pg_roles o ON o.rolname = b.owner" \
	"  WHERE $4 OR pg_has_role($3, o.oid, 'USAGE'))," \
	" recommenders AS MATERIALIZED (SELECT s.name FROM recsys.recommender s JOIN pg_roles o ON o.rolname = s.owner" \
	"  WHERE pg_has_role($3, o.oid, 'USAGE')" \
	"  UNION ALL SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c" \
	"  JOIN pg_namespace n ON n.oid = c.relnamespace" \
	"  WHERE c.relkind IN ('i', 'I') AND pg_has_role($3, c.relowner, 'USAGE'))," \
	" visible AS (SELECT r.* FROM recsys.request_log r" \
	"  WHERE r.time >= $1 AND r.time < $2 AND r.propensities IS NOT NULL AND cardinality(r.propensities) > 0" \
	"  AND ($5::text IS NULL OR $5 IN (r.experiment, r.bandit, r.recommender))" \
	"  AND CASE WHEN $4 THEN true" \
	"   WHEN r.experiment IS NOT NULL THEN r.experiment IN (SELECT name FROM experiments)" \
	"   WHEN r.bandit IS NOT NULL THEN r.bandit IN (SELECT name FROM bandits)" \
	"   ELSE r.recommender IN (SELECT name FROM recommenders) END)"

#define EVENTS \
	"SELECT e.request_id, e.item_id, CASE WHEN $7 THEN sum(e.value) ELSE 1 END AS reward" \
	" FROM recsys.event_log e WHERE e.request_time >= $1 AND e.request_time < $2 AND e.kind = $6 GROUP BY 1, 2"

/* Each place with request, unit or user, position, item, propensity, reward; then what is its own */
#define PLACES \
	"i.position::integer, i.item_id, coalesce(w.reward, 0)::double precision"

#define OF_PLACES \
	" CROSS JOIN LATERAL unnest(r.item_ids) WITH ORDINALITY i (item_id, position)" \
	" LEFT JOIN rewards w ON w.request_id = r.request_id AND w.item_id = i.item_id" \
	" WHERE i.position <= $8 AND i.item_id IS NOT NULL"

/* What has chosen between lists; the variant of an experiment may be a bandit, which chooses for it. */
#define CHOICE "coalesce('experiment ' || r.experiment, 'bandit ' || r.bandit)"

#define ARMS_QUERY \
	", choices AS (SELECT DISTINCT " CHOICE " AS choice FROM visible r" \
	"  WHERE r.recommender = $9 AND r.arms IS NULL AND r.propensities[1] < 1)" \
	" SELECT r.request_id::text," \
	" coalesce('user ' || r.user_id, 'session ' || r.session_id, 'request ' || r.request_id::text)," \
	" " PLACES ", r.propensities[1], r.recommender, r.recommender = $9 AND r.arms IS NULL" \
	" FROM visible r JOIN choices c ON c.choice = " CHOICE \
	OF_PLACES " AND r.propensities[1] IS NOT NULL"

#define PLACES_QUERY \
	", sample AS (SELECT r.* FROM visible r" \
	"  WHERE r.user_id IS NOT NULL AND r.experiment IS NULL AND r.policy IS DISTINCT FROM 'interleaving'" \
	"  AND (r.bandit IS NULL OR r.arms IS NOT NULL)" \
	"  ORDER BY hashtextextended(r.request_id::text, $11), r.request_id LIMIT $10)" \
	" SELECT r.request_id::text, r.user_id, " PLACES ", r.propensities[i.position]" \
	" FROM sample r" OF_PLACES \
	" AND r.propensities[i.position] IS NOT NULL" \
	" ORDER BY r.user_id, r.request_id, i.position"

#define PARAMETERS 12

typedef void (*PutRow) (void *arg, HeapTuple tuple, TupleDesc desc);

static bool
sees_all(void)
{
	return RecsysIsKeeper() || has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_DATA);
}

/* What is known of purchases, and who may read them */
typedef struct Purchases
{
	RecsysLogSettings settings;
	Oid			role;
} Purchases;

static void
find_purchases(const RecsysLoggedAsk *ask, Purchases *purchases)
{
	RecsysLogSettings *settings = &purchases->settings;

	memset(purchases, 0, sizeof(Purchases));
	RecsysReadLogSettings(settings);
	if (!ask->valued)
		settings->purchases = NULL;
	if (settings->purchases == NULL)
		return;
	purchases->role = RecsysPurchasesReader(settings);
}

/* Purchases from the first of the requests on, as a relation of that name */
static void
register_purchases(const Purchases *purchases, Oid *types, Datum *values)
{
	bool		isnull;
	Datum		first;
	Datum		last;

	(void) RecsysKeeperQuery(RecsysHere("SELECT min(time), least(max(time) + $3, now()) FROM recsys.request_log"
										" WHERE time >= $1 AND time < $2"), 3,
							 (Oid[]) {types[0], types[1], types[11]},
							 (Datum[]) {values[0], values[1], values[11]}, NULL, true);
	first = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	last = isnull ? (Datum) 0 : SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
	(void) RecsysRegisterPurchases(isnull ? NULL : purchases->settings.purchases, purchases->role,
								   isnull ? 0 : DatumGetTimestampTz(first),
								   isnull ? 0 : DatumGetTimestampTz(last),
								   purchases->settings.pseudonymous, "purchases");
}

/* The query as a whole: what is visible, what was rewarded, and the rest */
static char *
whole_query(const Purchases *purchases, const char *rest)
{
	RecsysAttribution attribution = {
		.requests = "(SELECT request_id, time, user_id, item_ids FROM recsys.request_log"
		" WHERE time >= $1 AND time < $2 AND user_id IS NOT NULL)",
		.purchases = "purchases",
		.window = "$12",
		.credit = purchases->settings.attribution
	};
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfoString(&query, VISIBLE ", rewards AS (");
	if (purchases->settings.purchases == NULL)
		appendStringInfoString(&query, EVENTS);
	else
	{
		appendStringInfoString(&query, "SELECT a.request_id, a.item_id, sum(a.amount * a.credit) AS reward FROM (");
		RecsysAppendAttribution(&query, &attribution);
		appendStringInfoString(&query, ") a GROUP BY 1, 2");
	}
	appendStringInfo(&query, ")%s", rest);
	return query.data;
}

static void
fill_parameters(const RecsysLoggedAsk *ask, const Purchases *purchases, Datum *values, char *nulls)
{
	Interval   *window = palloc0(sizeof(Interval));

	window->time = purchases->settings.window;
	memset(nulls, ' ', PARAMETERS);
	values[0] = TimestampTzGetDatum(ask->since);
	values[1] = TimestampTzGetDatum(ask->until);
	values[2] = ObjectIdGetDatum(GetUserId());
	values[3] = BoolGetDatum(sees_all());
	values[4] = ask->logged_by == NULL ? (Datum) 0 : CStringGetTextDatum(ask->logged_by);
	nulls[4] = ask->logged_by == NULL ? 'n' : ' ';
	values[5] = CStringGetTextDatum(ask->kind);
	values[6] = BoolGetDatum(ask->valued);
	values[7] = Int32GetDatum(ask->k);
	values[8] = CStringGetTextDatum(ask->target);
	values[9] = Int32GetDatum(ask->max_requests);
	values[10] = Int64GetDatum((int64) ask->seed);
	values[11] = IntervalPGetDatum(window);
}

/* Puts the rows of a query, of which this is the rest, in the context of the caller. */
static void
read_log(const RecsysLoggedAsk *ask, const char *rest, PutRow put, void *arg)
{
	Oid			types[PARAMETERS] = {TIMESTAMPTZOID, TIMESTAMPTZOID, OIDOID, BOOLOID, TEXTOID, TEXTOID,
	BOOLOID, INT4OID, TEXTOID, INT4OID, INT8OID, INTERVALOID};
	MemoryContext caller = CurrentMemoryContext;
	Datum		values[PARAMETERS];
	char		nulls[PARAMETERS];
	Purchases	purchases;
	RecsysRights rights;
	Portal		portal;

	find_purchases(ask, &purchases);
	fill_parameters(ask, &purchases, values, nulls);
	RecsysBeginAsKeeper(&rights);
	RecsysBeginWholeLog(&(RecsysLogExtent) {.from = ask->since,.until = ask->until});
	if (purchases.settings.purchases != NULL)
		register_purchases(&purchases, types, values);
	portal = SPI_cursor_open_with_args(NULL, RecsysHere(whole_query(&purchases, rest)), PARAMETERS, types, values,
									   nulls, true, 0);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, BATCH_ROWS);
		if (SPI_processed == 0)
			break;
		MemoryContextSwitchTo(caller);
		for (uint64 i = 0; i < SPI_processed; i++)
			put(arg, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
		SPI_freetuptable(SPI_tuptable);
		CHECK_FOR_INTERRUPTS();
	}
	SPI_cursor_close(portal);
	RecsysEndWholeLog();
	RecsysEndAsKeeper(&rights);
	MemoryContextSwitchTo(caller);
}

/* The columns of PLACES, with the two before them and the propensity behind */
static void
read_place(HeapTuple tuple, TupleDesc desc, RecsysLoggedPlace *place)
{
	bool		isnull;
	Datum		propensity = SPI_getbinval(tuple, desc, 6, &isnull);

	place->propensity = DatumGetFloat8(propensity);
	place->request = SPI_getvalue(tuple, desc, 1);
	place->user = SPI_getvalue(tuple, desc, 2);
	place->position = DatumGetInt32(SPI_getbinval(tuple, desc, 3, &isnull));
	place->item = SPI_getvalue(tuple, desc, 4);
	place->reward = DatumGetFloat8(SPI_getbinval(tuple, desc, 5, &isnull));
}

typedef struct ArmsReading
{
	RecsysPolicyTable *table;
	const char *target;
	MemoryContext scratch;
} ArmsReading;

/* A PutRow: what was shown is, for the reward model, the arm at its place */
static void
put_arm(void *arg, HeapTuple tuple, TupleDesc desc)
{
	ArmsReading *reading = arg;
	MemoryContext old = MemoryContextSwitchTo(reading->scratch);
	RecsysLoggedPlace place;
	RecsysPolicyRow row = {0};
	bool		isnull;

	read_place(tuple, desc, &place);
	row.reward = place.reward;
	row.propensity = place.propensity;
	row.request = place.request;
	row.unit = place.user;
	row.position = place.position;
	row.item = SPI_getvalue(tuple, desc, 7);
	row.target_item = reading->target;
	row.target = DatumGetBool(SPI_getbinval(tuple, desc, 8, &isnull));
	MemoryContextSwitchTo(old);
	RecsysPolicyTableAdd(reading->table, &row);
	MemoryContextReset(reading->scratch);
}

RecsysPolicyTable *
RecsysReadLoggedArms(const RecsysLoggedAsk *ask)
{
	RecsysPolicyParts parts = {0};
	ArmsReading reading;

	parts.request = parts.unit = parts.position = parts.item = parts.target_item = true;
	reading.table = RecsysPolicyTableCreate(&parts);
	reading.table->whole_lists = true;
	reading.target = ask->target;
	reading.scratch = AllocSetContextCreate(CurrentMemoryContext, "recsys logged row",
											ALLOCSET_DEFAULT_SIZES);
	read_log(ask, ARMS_QUERY, put_arm, &reading);
	MemoryContextDelete(reading.scratch);
	return reading.table->n == 0 ? NULL : reading.table;
}

typedef struct PlacesReading
{
	RecsysLoggedPlace *places;
	uint32		n;
	uint32		room;
} PlacesReading;

/* A PutRow */
static void
put_place(void *arg, HeapTuple tuple, TupleDesc desc)
{
	PlacesReading *reading = arg;

	if (reading->n == reading->room)
	{
		reading->room *= 2;
		reading->places = recsys_realloc_huge(reading->places, sizeof(RecsysLoggedPlace) * (Size) reading->room);
	}
	read_place(tuple, desc, &reading->places[reading->n++]);
}

uint32
RecsysReadLoggedPlaces(const RecsysLoggedAsk *ask, RecsysLoggedPlace **places)
{
	PlacesReading reading = {0};

	reading.room = 1024;
	reading.places = palloc(sizeof(RecsysLoggedPlace) * reading.room);
	read_log(ask, PLACES_QUERY, put_place, &reading);
	*places = reading.places;
	return reading.n;
}
