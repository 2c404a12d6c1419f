/*
 * personas.c
 *	  Where a customer stands in the life cycle: new, active, at risk, lost.
 *
 * Recency is the R of RFM (Hughes, Strategic Database Marketing, 1994), but a month without
 * a purchase says one thing of a grocer's customers and another of a furniture shop's.  So
 * it is measured in the gap that is typical: that of the shop, with the user's own gaps
 * added to it, each counting as much as the shop's does.
 *
 *		gap = (typical + (latest - first)) / count
 *
 * If purchases of who still buys come at random at that rate (Ehrenberg 1959; Schmittlein,
 * Morrison and Colombo 1987, "Counting your customers"), a silence of more than 2 gaps has the
 * probability exp(-2) = 14 %, and one of more than 4 gaps exp(-4) = 2 %.  These are where
 * "at risk" and "lost" begin.  Until then who has come once is "new", others are "active".
 */
#include "postgres.h"

#include "api/profile/personas.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "source/input/values.h"

#define AT_RISK_GAPS 2.0
#define LOST_GAPS 4.0

PG_FUNCTION_INFO_V1(recsys_persona);

const char *const RecsysPersonaNames[RECSYS_PERSONAS] = {"new", "active", "at risk", "lost"};

const char *
RecsysPersonaOf(int64 first, int64 latest, int64 count, int64 now, int64 typical_gap)
{
	double		gap;
	double		silence;

	if (count <= 0)
		return RecsysPersonaNames[0];
	if (latest == RECSYS_NO_TIME)
		return NULL;
	if (typical_gap <= 0)
		typical_gap = RECSYS_UNKNOWN_GAP;
	gap = ((double) typical_gap + ((double) latest - (double) first)) / (double) count;
	silence = (double) now - (double) latest;
	if (silence > LOST_GAPS * gap)
		return RecsysPersonaNames[3];
	if (silence > AT_RISK_GAPS * gap)
		return RecsysPersonaNames[2];
	return RecsysPersonaNames[count == 1 ? 0 : 1];
}

static int64
day_of(int64 time)
{
	int64		day = time / USECS_PER_DAY;

	return time < 0 && time % USECS_PER_DAY != 0 ? day - 1 : day;
}

static int
compare_days(const void *a, const void *b)
{
	int64		left = *(const int64 *) a;
	int64		right = *(const int64 *) b;

	return (left > right) - (left < right);
}

int64
RecsysCountActs(const RecsysInteraction *rows, int n, int64 now, int64 *first, int64 *latest)
{
	int64	   *days = palloc_extended(sizeof(int64) * (Size) Max(n, 1), MCXT_ALLOC_HUGE);
	int			ndays = 0;
	int64		acts = 0;

	*first = *latest = RECSYS_NO_TIME;
	for (int i = 0; i < n; i++)
	{
		int64		time = Min(rows[i].time, now);

		if (!(rows[i].weight > 0) || rows[i].time == RECSYS_NO_TIME)
			continue;
		*first = *first == RECSYS_NO_TIME ? time : Min(*first, time);
		*latest = Max(*latest, time);
		days[ndays++] = day_of(time);
	}
	qsort(days, ndays, sizeof(int64), compare_days);
	for (int i = 0; i < ndays; i++)
		acts += i == 0 || days[i] != days[i - 1];
	pfree(days);
	return acts;
}

/* Arguments: first_at, latest_at, acts, typical_gap, as_of; a NULL gap is an unknown one. */
Datum
recsys_persona(PG_FUNCTION_ARGS)
{
	int64		acts = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2);
	bool		timed = !PG_ARGISNULL(0) && !PG_ARGISNULL(1);
	double		gap = PG_ARGISNULL(3) ? 0 : RecsysIntervalMicroseconds(PG_GETARG_INTERVAL_P(3));
	const char *persona;

	if (PG_ARGISNULL(4))
		PG_RETURN_NULL();
	persona = RecsysPersonaOf(timed ? PG_GETARG_TIMESTAMPTZ(0) : RECSYS_NO_TIME,
							  timed ? PG_GETARG_TIMESTAMPTZ(1) : RECSYS_NO_TIME, acts,
							  PG_GETARG_TIMESTAMPTZ(4),
							  gap >= (double) PG_INT64_MAX / 2 ? PG_INT64_MAX / 2 : (int64) gap);
	if (persona == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(persona));
}
