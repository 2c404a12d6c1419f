/*
 * attribution.c
 *	  Which request a purchase is of.
 *
 * Purchases are few and requests many, so they are joined by the user, and then a purchase's item is
 * looked for in the lists of the few requests that are left: no list is ever unnested.
 */
#include "postgres.h"

#include "api/log/attribution.h"

/* All touches, with the place of the item */
static void
append_touches(StringInfo out, const RecsysAttribution *attribution)
{
	appendStringInfo(out, "SELECT p.purchase, p.item_id, p.time, p.amount, r.request_id,"
					 " r.time AS request_time, array_position(r.item_ids, p.item_id) AS position");
	if (attribution->columns != NULL)
		appendStringInfo(out, ", %s", attribution->columns);
	appendStringInfo(out, " FROM %s AS p JOIN %s AS r ON r.user_id = p.user_id"
					 " AND r.time <= p.time AND r.time > p.time - %s AND p.item_id = ANY (r.item_ids)",
					 attribution->purchases, attribution->requests, attribution->window);
}

/*
 * Rounded to so many digits that sums of money are exact, with what is left by rounding for the
 * last touch.  Touches are added up in an order, so that all sums come out alike.
 */
static void
append_shares(StringInfo out, const RecsysAttribution *attribution)
{
	appendStringInfoString(out, "SELECT s.*, CASE WHEN s.touch = s.touches THEN"
						   " 1 - COALESCE(sum(s.share) OVER (PARTITION BY s.purchase ORDER BY s.touch"
						   " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)"
						   " ELSE s.share END AS credit FROM (SELECT w.*,"
						   " round((w.weight / sum(w.weight) OVER (PARTITION BY w.purchase ORDER BY w.touch"
						   " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))::numeric, 12) AS share"
						   " FROM (SELECT t.*, ln(2::float8) / ln(1 + t.position::float8) AS weight,"
						   " row_number() OVER (PARTITION BY t.purchase ORDER BY t.request_time, t.request_id) AS touch,"
						   " count(*) OVER (PARTITION BY t.purchase) AS touches FROM (");
	append_touches(out, attribution);
	appendStringInfoString(out, ") AS t) AS w) AS s");
}

void
RecsysAppendAttribution(StringInfo out, const RecsysAttribution *attribution)
{
	bool		last = strcmp(attribution->credit, "last") == 0;

	if (strcmp(attribution->credit, "position") == 0)
	{
		append_shares(out, attribution);
		return;
	}
	appendStringInfoString(out, "SELECT DISTINCT ON (t.purchase) t.*, 1::numeric AS credit FROM (");
	append_touches(out, attribution);
	appendStringInfo(out, ") AS t ORDER BY t.purchase, t.request_time%s, t.request_id%s",
					 last ? " DESC" : "", last ? " DESC" : "");
}
