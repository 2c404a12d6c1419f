/*
 * unitquery.c
 *	  The one query that says what each unit of an experiment has done, of raw rows of the log.
 *
 * Parts of it (requests; clicks and carts; attributed purchases; all purchases; the time before)
 * each give rows by unit with some of the figures, the others 0, which are added up at the end.  Each
 * part reads the log once.  Impressions are only counted, by the lengths of arrays; a
 * purchase's item is looked for in the lists of its user, see api/log/attribution.
 *
 * Requests of variants that have been taken away are among them: who has seen one of these and another
 * is in two, as the sums say that were kept meanwhile.
 *
 * Parameters: $1 experiment, $2 start, $3 from, $4 until, $5 window, $6 the time before, $7 the end
 * of requests.
 */
#include "postgres.h"

#include "api/log/attribution.h"
#include "api/verdict/unitfigures.h"
#include "api/verdict/unitquery.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"

/* Figures of a part: SQL for each; NULL: 0 */
typedef struct Part
{
	const char *figure[RECSYS_UNIT_FIGURES];
} Part;

/* The requests of the experiment from some time on, as r */
#define REQUESTS(from) \
	"recsys.request_log AS r WHERE r.experiment = $1 AND r.variant IS NOT NULL" \
	" AND r.time >= " from " AND r.time < LEAST($4, $7)"

/* Clocks differ: nothing comes before its request */
#define EVENT_TIME(event) "GREATEST(" event ".time, " event ".request_time)"

#define HAS_LATENCY "r.latency_ms >= 0 AND r.latency_ms < 1e9"

static const char *
unit_column(const RecsysStretch *stretch)
{
	return stretch->experiment->by_session ? "session_id" : "user_id";
}

static bool
from_start(const RecsysStretch *stretch)
{
	return stretch->from <= stretch->start;
}

static bool
looks_before(const RecsysStretch *stretch)
{
	return stretch->pre_period > 0;
}

/* SELECT unit, first_time, variants, segment and figures, up to FROM */
static void
append_part(StringInfo out, const char *head, const Part *part)
{
	appendStringInfo(out, "SELECT %s", head);
	for (int f = 0; f < RECSYS_UNIT_FIGURES; f++)
		appendStringInfo(out, ", %s%s AS %s", part->figure[f] != NULL ? part->figure[f] : "0::",
						 part->figure[f] != NULL ? "" : RecsysFigureNames[f].type,
						 RecsysFigureNames[f].name);
}

#define NO_HEAD "NULL::timestamptz AS first_time, NULL::text AS variant, NULL::text AS other_variant, NULL::text AS segment"

/* Ids of requests are in the order of their times, and so the first one's segment is found */
#define FIRST_SEGMENT \
	"substr(min((r.request_id::text || COALESCE(r.segment, '')) COLLATE \"C\"), 37)"

static void
append_shown(StringInfo out, const RecsysStretch *stretch)
{
	Part		part = {0};
	char	   *head = psprintf("r.%s AS unit, min(r.time) AS first_time, min(r.variant COLLATE \"C\") AS variant,"
								" max(r.variant COLLATE \"C\") AS other_variant, %s AS segment",
								unit_column(stretch),
								stretch->experiment->segment != NULL ? FIRST_SEGMENT : "''::text");

	part.figure[RECSYS_REQUESTS] = "count(*)";
	part.figure[RECSYS_IMPRESSIONS] = "sum(cardinality(r.item_ids))::int8";
	part.figure[RECSYS_LATENCY] = "COALESCE(sum((r.latency_ms * 1000)::int8) FILTER (WHERE " HAS_LATENCY "), 0)::int8";
	part.figure[RECSYS_TIMED_REQUESTS] = "count(*) FILTER (WHERE " HAS_LATENCY ")";
	append_part(out, head, &part);
	appendStringInfo(out, " FROM " REQUESTS("$3") " AND r.%s IS NOT NULL GROUP BY r.%s",
					 unit_column(stretch), unit_column(stretch));
}

/* Clicks and carts by request; whether its first click is in the stretch */
static void
append_events(StringInfo out, const RecsysStretch *stretch)
{
	appendStringInfoString(out, "SELECT e.request_id, e.request_time,"
						   " count(*) FILTER (WHERE e.kind = 'click') AS clicks,"
						   " count(*) FILTER (WHERE e.kind = 'cart') AS carts,"
						   " (count(*) FILTER (WHERE e.kind = 'click'");
	if (!from_start(stretch))
		appendStringInfoString(out, " AND NOT EXISTS (SELECT FROM recsys.event_log AS b"
							   " WHERE b.request_id = e.request_id AND b.request_time = e.request_time"
							   " AND b.kind = 'click' AND " EVENT_TIME("b") " < $3)");
	appendStringInfoString(out, ") > 0)::int4 AS clicked FROM recsys.event_log AS e"
						   " WHERE e.kind IN ('click', 'cart') AND " EVENT_TIME("e") " >= $3 AND " EVENT_TIME("e") " < $4"
						   " AND e.request_time >= $2 AND e.request_time < LEAST($4, $7)"
						   " GROUP BY e.request_id, e.request_time");
}

static void
append_touched(StringInfo out, const RecsysStretch *stretch)
{
	Part		part = {0};

	part.figure[RECSYS_CLICKS] = "sum(e.clicks)::int8";
	part.figure[RECSYS_CARTS] = "sum(e.carts)::int8";
	part.figure[RECSYS_CLICKED_REQUESTS] = "sum(e.clicked)::int8";
	append_part(out, psprintf("r.unit, %s", NO_HEAD), &part);
	appendStringInfo(out, " FROM (SELECT r.request_id, r.time, r.%s AS unit FROM " REQUESTS("$2")
					 " AND r.%s IS NOT NULL) AS r JOIN (", unit_column(stretch), unit_column(stretch));
	append_events(out, stretch);
	appendStringInfoString(out, ") AS e ON e.request_id = r.request_id AND e.request_time = r.time GROUP BY r.unit");
}

/*
 * Those of the stretch.  The relation has none from after it, and from before it only those for CUPED;
 * nothing is known of its columns, so that a condition too many would make it look small.
 */
static const char *
stretch_purchases(const RecsysStretch *stretch)
{
	return looks_before(stretch) ? "(SELECT * FROM purchases AS b WHERE b.time >= $3)" : "purchases";
}

/* Attributed purchases, of the shop's table */
static void
append_bought(StringInfo out, const RecsysStretch *stretch)
{
	Part		part = {0};
	RecsysAttribution attribution = {
		.columns = "r.unit",
		.purchases = stretch_purchases(stretch),
		.window = "$5",
		.credit = stretch->attribution
	};

	attribution.requests = psprintf("(SELECT r.request_id, r.time, r.user_id, r.item_ids, r.%s AS unit FROM "
									REQUESTS("GREATEST($2, $3 - $5)") " AND r.%s IS NOT NULL)",
									unit_column(stretch), unit_column(stretch));
	part.figure[RECSYS_ORDERS] = "sum(a.credit)";
	part.figure[RECSYS_REVENUE] = "COALESCE(sum(a.credit * a.amount), 0)";
	append_part(out, psprintf("a.unit, %s", NO_HEAD), &part);
	appendStringInfoString(out, " FROM (");
	RecsysAppendAttribution(out, &attribution);
	appendStringInfoString(out, ") AS a GROUP BY a.unit");
}

/* All purchases of a user since the first request */
static void
append_all_of_users(StringInfo out, const RecsysStretch *stretch, const Part *part)
{
	append_part(out, psprintf("f.unit, %s", NO_HEAD), part);
	appendStringInfo(out, " FROM %s AS p JOIN firsts AS f ON f.unit = p.user_id AND p.time >= f.first_time GROUP BY f.unit",
					 stretch_purchases(stretch));
}

/* A purchase is of the session of the user's last request before it */
static void
append_all_of_sessions(StringInfo out, const RecsysStretch *stretch, const Part *part)
{
	append_part(out, psprintf("p.unit, %s", NO_HEAD), part);
	appendStringInfo(out, " FROM (SELECT DISTINCT ON (b.purchase) b.amount, r.session_id AS unit FROM %s AS b"
					 " JOIN (SELECT * FROM " REQUESTS("$2") " AND r.session_id IS NOT NULL) AS r"
					 " ON r.user_id = b.user_id AND r.time <= b.time"
					 " ORDER BY b.purchase, r.time DESC, r.request_id DESC) AS p GROUP BY p.unit",
					 stretch_purchases(stretch));
}

static void
append_all(StringInfo out, const RecsysStretch *stretch)
{
	Part		part = {0};

	part.figure[RECSYS_ALL_ORDERS] = "count(*)";
	part.figure[RECSYS_ALL_REVENUE] = "COALESCE(sum(p.amount), 0)";
	if (stretch->experiment->by_session)
		append_all_of_sessions(out, stretch, &part);
	else
		append_all_of_users(out, stretch, &part);
}

/* Requests of any recommender before a new unit's first one */
static void
append_shown_before(StringInfo out)
{
	Part		part = {0};

	part.figure[RECSYS_PRE_REQUESTS] = "count(*)";
	part.figure[RECSYS_PRE_IMPRESSIONS] = "sum(cardinality(r.item_ids))::int8";
	append_part(out, "f.unit, " NO_HEAD, &part);
	appendStringInfoString(out, " FROM newcomers AS f JOIN recsys.request_log AS r ON r.user_id = f.unit"
						   " AND r.time >= f.first_time - $6 AND r.time < f.first_time"
						   " WHERE r.time >= $3 - $6 AND r.time < $4 GROUP BY f.unit");
}

static void
append_touched_before(StringInfo out)
{
	Part		part = {0};

	part.figure[RECSYS_PRE_CLICKS] = "count(*) FILTER (WHERE e.kind = 'click')";
	part.figure[RECSYS_PRE_CARTS] = "count(*) FILTER (WHERE e.kind = 'cart')";
	part.figure[RECSYS_PRE_CLICKED_REQUESTS] = "count(DISTINCT e.request_id) FILTER (WHERE e.kind = 'click')";
	append_part(out, "f.unit, " NO_HEAD, &part);
	appendStringInfoString(out, " FROM newcomers AS f JOIN recsys.request_log AS r ON r.user_id = f.unit"
						   " AND r.time >= f.first_time - $6 AND r.time < f.first_time"
						   " JOIN recsys.event_log AS e ON e.request_id = r.request_id AND e.request_time = r.time"
						   " AND e.time < f.first_time AND e.kind IN ('click', 'cart')"
						   " WHERE r.time >= $3 - $6 AND r.time < $4"
						   " AND e.request_time >= $3 - $6 AND e.request_time < $4 GROUP BY f.unit");
}

static void
append_bought_before(StringInfo out)
{
	Part		part = {0};

	part.figure[RECSYS_PRE_ORDERS] = "count(*)";
	part.figure[RECSYS_PRE_REVENUE] = "COALESCE(sum(p.amount), 0)";
	append_part(out, "f.unit, " NO_HEAD, &part);
	appendStringInfoString(out, " FROM newcomers AS f JOIN purchases AS p ON p.user_id = f.unit"
						   " AND p.time >= f.first_time - $6 AND p.time < f.first_time GROUP BY f.unit");
}

static void
append_before(StringInfo out, const RecsysStretch *stretch)
{
	appendStringInfoString(out, " UNION ALL ");
	append_shown_before(out);
	appendStringInfoString(out, " UNION ALL ");
	append_touched_before(out);
	if (stretch->has_purchases)
	{
		appendStringInfoString(out, " UNION ALL ");
		append_bought_before(out);
	}
}

/* Units with their first requests: all, and those that have not been there before */
static void
append_firsts(StringInfo out, const RecsysStretch *stretch)
{
	if (from_start(stretch))
	{
		appendStringInfoString(out, ", firsts AS (SELECT unit, first_time FROM shown), newcomers AS (SELECT unit, first_time FROM shown)");
		return;
	}
	appendStringInfoString(out, ", newcomers AS MATERIALIZED (SELECT s.unit, s.first_time FROM shown AS s WHERE NOT EXISTS"
						   " (SELECT FROM recsys.experiment_unit AS u WHERE u.experiment = $1 AND u.unit = s.unit))"
						   ", firsts AS (SELECT unit, first_time FROM newcomers UNION ALL"
						   " SELECT unit, first_time FROM recsys.experiment_unit WHERE experiment = $1)");
}

static void
append_sums(StringInfo out)
{
	appendStringInfoString(out, " SELECT unit, min(first_time) AS first_time, min(variant COLLATE \"C\") AS variant,"
						   " max(other_variant COLLATE \"C\") AS other_variant, min(segment COLLATE \"C\") AS segment");
	for (int f = 0; f < RECSYS_UNIT_FIGURES; f++)
		appendStringInfo(out, ", sum(%s)::%s AS %s", RecsysFigureNames[f].name, RecsysFigureNames[f].type,
						 RecsysFigureNames[f].name);
	appendStringInfoString(out, " FROM parts GROUP BY unit");
}

void
RecsysAppendGains(StringInfo out, const RecsysStretch *stretch)
{
	appendStringInfoString(out, "WITH shown AS MATERIALIZED (");
	append_shown(out, stretch);
	appendStringInfoString(out, ")");
	append_firsts(out, stretch);
	appendStringInfoString(out, ", parts AS (SELECT * FROM shown UNION ALL ");
	append_touched(out, stretch);
	if (stretch->has_purchases)
	{
		appendStringInfoString(out, " UNION ALL ");
		append_bought(out, stretch);
		appendStringInfoString(out, " UNION ALL ");
		append_all(out, stretch);
	}
	if (looks_before(stretch))
		append_before(out, stretch);
	appendStringInfoString(out, ")");
	append_sums(out);
}

/* A unit of the stretch that was there before keeps its variant, segment and time. */
static void
append_units_head(StringInfo out, bool alone)
{
	if (alone)
		appendStringInfoString(out, "SELECT g.unit, g.first_time, g.variant, g.variant <> g.other_variant AS mixed, g.segment");
	else
		appendStringInfoString(out, "SELECT COALESCE(u.unit, g.unit) AS unit, COALESCE(u.first_time, g.first_time) AS first_time,"
							   " COALESCE(u.variant, g.variant) AS variant, COALESCE(u.mixed, false)"
							   " OR COALESCE(g.variant <> g.other_variant OR u.variant <> g.variant, false) AS mixed,"
							   " COALESCE(u.segment, g.segment) AS segment");
	for (int f = 0; f < RECSYS_UNIT_FIGURES; f++)
	{
		const char *name = RecsysFigureNames[f].name;

		if (alone)
			appendStringInfo(out, ", g.%s::float8 AS %s", name, name);
		else
			appendStringInfo(out, ", (COALESCE(u.%s, 0) + COALESCE(g.%s, 0))::float8 AS %s", name, name, name);
	}
}

void
RecsysAppendUnits(StringInfo out, const RecsysStretch *stretch)
{
	bool		alone = from_start(stretch);

	append_units_head(out, alone);
	if (!alone)
		appendStringInfoString(out, " FROM (SELECT * FROM recsys.experiment_unit WHERE experiment = $1) AS u FULL JOIN (");
	else
		appendStringInfoString(out, " FROM (");
	RecsysAppendGains(out, stretch);
	appendStringInfoString(out, ") AS g");
	if (!alone)
		appendStringInfoString(out, " ON g.unit = u.unit WHERE u.unit IS NOT NULL OR g.first_time IS NOT NULL");
	else
		appendStringInfoString(out, " WHERE g.first_time IS NOT NULL");
}

static Datum
interval_of(int64 microseconds)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = microseconds;
	return IntervalPGetDatum(interval);
}

void
RecsysStretchParameters(const RecsysStretch *stretch, Oid *types, Datum *values)
{
	const RecsysExperiment *experiment = stretch->experiment;
	static const Oid of[RECSYS_STRETCH_PARAMETERS] = {
		TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INTERVALOID, INTERVALOID,
		TIMESTAMPTZOID
	};

	memcpy(types, of, sizeof(of));
	values[0] = CStringGetTextDatum(experiment->name);
	values[1] = TimestampTzGetDatum(stretch->start);
	values[2] = TimestampTzGetDatum(stretch->from);
	values[3] = TimestampTzGetDatum(stretch->until);
	values[4] = interval_of(stretch->window);
	values[5] = interval_of(stretch->pre_period);
	values[6] = TimestampTzGetDatum(stretch->requests_until);
}
