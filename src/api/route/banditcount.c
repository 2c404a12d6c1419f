/*
 * banditcount.c
 *	  What becomes of a bandit's requests: trials and rewards, counted.
 *
 * Rows are inserted into recsys.bandit_delta, and nothing else is written or locked: whoever calls
 * waits for nobody.  A reward is of the trial that its request was; it is not counted for a bandit
 * that was created, or reset, since then.
 */
#include "postgres.h"

#include <math.h>

#include "api/keep/keeper.h"
#include "api/route/banditchoice.h"
#include "api/route/banditfeatures.h"
#include "api/route/banditfold.h"
#include "api/route/banditstate.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

/* An absurd value must not be all that is ever seen of the others. */
#define MOST_REWARD 1e9

static Datum
features_array(const RecsysRequest *request)
{
	Datum	   *values = palloc(sizeof(Datum) * Max(request->nfeatures, 1));

	for (int i = 0; i < request->nfeatures; i++)
		values[i] = Float8GetDatum(request->features[i]);
	return PointerGetDatum(construct_array(values, request->nfeatures, FLOAT8OID, sizeof(float8),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Features as they may be counted: those of the policy, as it could have seen them */
static bool
has_features(const RecsysBandit *bandit, const RecsysRequest *request)
{
	if (bandit->nfeatures == 0 || request->features == NULL ||
		request->nfeatures != bandit->options.dimension)
		return false;
	for (int i = 0; i < request->nfeatures; i++)
		if (!(fabs(request->features[i]) <= RECSYS_MOST_FEATURE))
			return false;
	return true;
}

/* A row; reward NULL: a trial. */
static void
insert_delta(const RecsysBandit *bandit, const RecsysRequest *request, const char *arm, int place,
			 const double *reward)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {UUIDOID, TEXTOID, INT4OID, UUIDOID, TIMESTAMPTZOID, FLOAT8OID, FLOAT8ARRAYOID};
	Datum		values[lengthof(types)];
	char		nulls[] = "       ";

	values[0] = UUIDPGetDatum(&bandit->generation);
	values[1] = CStringGetTextDatum(arm);
	values[2] = Int32GetDatum(place);
	values[3] = UUIDPGetDatum(&request->id);
	values[4] = TimestampTzGetDatum(request->time);
	values[5] = reward != NULL ? Float8GetDatum(*reward) : (Datum) 0;
	nulls[5] = reward != NULL ? ' ' : 'n';
	nulls[6] = has_features(bandit, request) ? ' ' : 'n';
	values[6] = nulls[6] == ' ' ? features_array(request) : (Datum) 0;
	(void) RecsysKeeperRun(RecsysKeeperPlan(&plan,
											"INSERT INTO recsys.bandit_delta"
											" (generation, arm, place, request_id, request_time, reward, features)"
											" VALUES ($1, $2, $3, $4, $5, $6, $7)",
											lengthof(types), types),
						   values, nulls, false);
}

/* The bandit of a request, if what comes of it is its */
static const RecsysBandit *
bandit_of(const RecsysRequest *request)
{
	const RecsysBandit *bandit;

	if (request->bandit == NULL)
		return NULL;

	/* as it is now, not as it was when the statement began */
	PushActiveSnapshot(GetTransactionSnapshot());
	bandit = RecsysFindBandit(request->bandit);
	PopActiveSnapshot();

	return bandit == NULL || request->time < bandit->counted_since ? NULL : bandit;
}

/* The arm at a place that the policy fills, NULL if there is none */
static const char *
arm_at(const RecsysRequest *request, int place)
{
	if (request->arms == NULL || place < 1 || place > request->count ||
		request->arms[place - 1] == NULL)
		return NULL;
	if (strcmp(request->arms[place - 1], RECSYS_CANDIDATE_ARM) != 0)
		return RECSYS_BASE_ARM;
	return request->items != NULL ? request->items[place - 1] : NULL;
}

static bool
is_arm(const RecsysBandit *bandit, const char *name)
{
	for (int i = 0; i < bandit->narms; i++)
		if (strcmp(bandit->arms[i], name) == 0)
			return true;
	return false;
}

void
RecsysCountTrial(const RecsysRequest *request)
{
	const RecsysBandit *bandit = bandit_of(request);
	RecsysRights before;
	int			rows = 0;

	if (bandit == NULL)
		return;
	RecsysBeginAsKeeper(&before);
	if (bandit->nplaces == 0 && request->arm != NULL && is_arm(bandit, request->arm))
	{
		insert_delta(bandit, request, request->arm, 0, NULL);
		rows++;
	}
	for (int i = 0; i < bandit->nplaces; i++)
	{
		const char *arm = arm_at(request, bandit->places[i]);

		if (arm == NULL)
			continue;
		insert_delta(bandit, request, arm, bandit->places[i], NULL);
		rows++;
	}
	RecsysFoldNowAndThen(bandit, rows);
	RecsysEndAsKeeper(&before);
}

/* What an event of a kind pays; false: nothing. */
static bool
pays(const RecsysBandit *bandit, const char *kind, double value, double *reward)
{
	for (int i = 0; i < bandit->nrewards; i++)
	{
		if (strcmp(bandit->rewards[i].kind, kind) != 0)
			continue;
		*reward = bandit->rewards[i].by_value ? value : bandit->rewards[i].value;
		if (!isfinite(*reward) || *reward == 0)
			return false;
		*reward = Max(-MOST_REWARD, Min(MOST_REWARD, *reward));
		return true;
	}
	return false;
}

static bool
is_place(const RecsysBandit *bandit, int place)
{
	for (int i = 0; i < bandit->nplaces; i++)
		if (bandit->places[i] == place)
			return true;
	return false;
}

/* Was it an arm once?  A request can be logged with any name as its arm.  As the keeper. */
static bool
was_arm(const RecsysBandit *bandit, const char *name)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {UUIDOID, TEXTOID};
	Datum		values[] = {UUIDPGetDatum(&bandit->generation), CStringGetTextDatum(name)};

	return RecsysKeeperRun(RecsysKeeperPlan(&plan,
											"SELECT 1 FROM recsys.bandit_state s"
											" WHERE s.generation OPERATOR(pg_catalog.=) $1 AND s.arm OPERATOR(pg_catalog.=) $2"
											" UNION ALL SELECT 1 FROM recsys.bandit_delta d"
											" WHERE d.generation OPERATOR(pg_catalog.=) $1 AND d.arm OPERATOR(pg_catalog.=) $2"
											" LIMIT 1", lengthof(types), types),
						   values, NULL, false) > 0;
}

void
RecsysCountReward(const RecsysRequest *request, const char *kind, int position, double value)
{
	const RecsysBandit *bandit = bandit_of(request);
	const char *arm;
	RecsysRights before;
	double		reward;

	if (bandit == NULL || !pays(bandit, kind, value, &reward))
		return;
	if (bandit->nplaces > 0)
		arm = is_place(bandit, position) ? arm_at(request, position) : NULL;
	else
	{
		arm = request->arm;
		position = 0;
	}
	if (arm == NULL)
		return;
	RecsysBeginAsKeeper(&before);
	if (position > 0 || is_arm(bandit, arm) || was_arm(bandit, arm))
	{
		insert_delta(bandit, request, arm, position, &reward);
		RecsysFoldNowAndThen(bandit, 1);
	}
	RecsysEndAsKeeper(&before);
}
