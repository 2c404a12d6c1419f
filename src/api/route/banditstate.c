/*
 * banditstate.c
 *	  What a bandit has learned of its arms.
 *
 * Rows that are not folded are read with what their requests have brought so far
 * (recsys.bandit_paid), those of one trial one after the other.  A trial that is a moment younger
 * than `as_of` weighs a little more than 1, which is right: the weights of all are relative.
 */
#include "postgres.h"

#include <math.h>

#include "api/keep/keeper.h"
#include "api/route/banditstate.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Keys of the table of arms: a name of any length, and a place */
typedef struct ArmKey
{
	const char *name;
	int			place;
} ArmKey;

typedef struct ArmEntry
{
	ArmKey		key;
	RecsysBanditArm arm;
} ArmEntry;

#define DELTA_COLUMNS "d.arm, d.place, d.request_id, d.request_time, d.reward, d.features, p.paid"
#define WITH_PAID \
	" LEFT JOIN recsys.bandit_paid p ON d.reward IS NOT NULL" \
	" AND p.generation OPERATOR(pg_catalog.=) d.generation" \
	" AND p.request_id OPERATOR(pg_catalog.=) d.request_id" \
	" AND p.arm OPERATOR(pg_catalog.=) d.arm AND p.place OPERATOR(pg_catalog.=) d.place" \
	" ORDER BY (d.reward IS NULL) DESC, d.request_id, d.arm, d.place"

static const char *const state_query =
	"SELECT s.arm, s.place, s.trials, s.rewards, s.squares, s.sums, s.as_of, s.retired_at"
	" FROM recsys.bandit_state s WHERE s.generation OPERATOR(pg_catalog.=) $1";

static const Oid state_types[] = {
	TEXTOID, INT4OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8ARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID
};

static const Oid delta_types[] = {
	TEXTOID, INT4OID, UUIDOID, TIMESTAMPTZOID, FLOAT8OID, FLOAT8ARRAYOID, FLOAT8OID
};

static const char *const deltas_query =
	"SELECT " DELTA_COLUMNS " FROM (SELECT f.* FROM recsys.bandit_delta f"
	" WHERE f.generation OPERATOR(pg_catalog.=) $1) d"
	WITH_PAID;

static const char *const take_query =
	"WITH d AS (DELETE FROM recsys.bandit_delta t WHERE t.ctid OPERATOR(pg_catalog.=) ANY (ARRAY("
	"SELECT f.ctid FROM recsys.bandit_delta f WHERE f.generation OPERATOR(pg_catalog.=) $1 LIMIT $2))"
	" RETURNING t.*)"
	" SELECT " DELTA_COLUMNS " FROM d"
	WITH_PAID;

static uint32
hash_key(const void *key, Size size)
{
	const ArmKey *arm = key;

	return hash_bytes((const unsigned char *) arm->name, strlen(arm->name)) ^ (uint32) arm->place;
}

static int
compare_keys(const void *a, const void *b, Size size)
{
	const ArmKey *left = a;
	const ArmKey *right = b;

	return left->place != right->place ? 1 : strcmp(left->name, right->name);
}

bool
RecsysBanditIsCapped(const RecsysBandit *bandit)
{
	return bandit->nplaces > 0 || bandit->options.kind == RECSYS_POLICY_THOMPSON ||
		bandit->options.kind == RECSYS_POLICY_UCB1;
}

RecsysBanditArm *
RecsysFindBanditArm(RecsysBanditState *state, const char *name, int place, bool make)
{
	ArmKey		key = {name, place};
	bool		found;
	ArmEntry   *entry = hash_search(state->arms, &key, make ? HASH_ENTER : HASH_FIND, &found);

	if (entry == NULL)
		return NULL;
	if (!found)
	{
		entry->key.name = MemoryContextStrdup(state->context, name);
		memset(&entry->arm, 0, sizeof(RecsysBanditArm));
		entry->arm.name = entry->key.name;
		entry->arm.place = place;
	}
	return &entry->arm;
}

RecsysBanditArm *
RecsysBanditArmOfEntry(void *entry)
{
	return &((ArmEntry *) entry)->arm;
}

/* The numbers of an array; NULL if there are not n of them. */
static double *
numbers_of(Datum datum, int n)
{
	ArrayType  *array = DatumGetArrayTypeP(datum);

	if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != n || ARR_HASNULL(array) ||
		ARR_ELEMTYPE(array) != FLOAT8OID)
		return NULL;
	return (double *) ARR_DATA_PTR(array);
}

static double
weight_at(const RecsysBanditState *state, TimestampTz time)
{
	return state->bandit->half_life > 0 ?
		RecsysDecayFactor((double) (state->as_of - time) / USECS_PER_SEC, state->bandit->half_life) : 1;
}

/* What a tuple has in a column, or nothing */
static Datum
column(int row, int number, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, isnull);
}

static Datum
needed(int row, int number)
{
	bool		isnull;
	Datum		value = column(row, number, &isnull);

	if (isnull)
		elog(ERROR, "column %d of a bandit's row is null", number);
	return value;
}

static void
read_arm(RecsysBanditState *state, int row)
{
	const RecsysBandit *bandit = state->bandit;
	RecsysBanditArm *arm = RecsysFindBanditArm(state, TextDatumGetCString(needed(row, 1)),
											   DatumGetInt32(needed(row, 2)), true);
	double		factor = weight_at(state, DatumGetTimestampTz(needed(row, 7)));
	bool		isnull;
	Datum		value;

	arm->counts.trials = DatumGetFloat8(needed(row, 3));
	arm->counts.sum = DatumGetFloat8(needed(row, 4));
	arm->counts.squares = DatumGetFloat8(needed(row, 5));
	RecsysArmDecay(&arm->counts, factor);
	value = column(row, 6, &isnull);
	if (!isnull && bandit->nfeatures > 0)
	{
		int			length = RecsysLinearLength(bandit->options.dimension);
		double	   *sums = numbers_of(value, length);

		if (sums != NULL)
		{
			arm->sums = MemoryContextAlloc(state->context, sizeof(double) * length);
			memcpy(arm->sums, sums, sizeof(double) * length);
			RecsysLinearDecay(arm->sums, bandit->options.dimension, factor);
		}
	}
	value = column(row, 8, &isnull);
	arm->retired_at = isnull ? 0 : DatumGetTimestampTz(value);
}

RecsysBanditState *
RecsysReadBanditRows(const RecsysBandit *bandit, bool read_only, MemoryContext in)
{
	static SPIPlanPtr plan = NULL;
	MemoryContext context = AllocSetContextCreate(in, "recsys bandit state", ALLOCSET_DEFAULT_SIZES);
	RecsysBanditState *state = MemoryContextAllocZero(context, sizeof(RecsysBanditState));
	HASHCTL		control = {.keysize = sizeof(ArmKey),.entrysize = sizeof(ArmEntry),
	.hash = hash_key,.match = compare_keys,.hcxt = context};
	Oid			types[] = {UUIDOID};
	Datum		values[] = {UUIDPGetDatum(&bandit->generation)};
	uint64		rows;

	state->bandit = bandit;
	state->context = context;
	state->as_of = GetCurrentTimestamp();
	state->arms = hash_create("arms of a bandit", 64, &control,
							  HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	rows = RecsysKeeperRun(RecsysKeeperPlan(&plan, state_query, lengthof(types), types), values, NULL,
						   read_only);
	RecsysNeedTypes(state_types, lengthof(state_types));
	for (int i = 0; i < (int) rows; i++)
		read_arm(state, i);
	SPI_freetuptable(SPI_tuptable);
	return state;
}

/* What a policy has seen, if it still looks at the same. */
static const double *
features_of(const RecsysBanditState *state, int row, TimestampTz time)
{
	const RecsysBandit *bandit = state->bandit;
	bool		isnull;
	Datum		value = column(row, 6, &isnull);

	if (isnull || bandit->nfeatures == 0 || time < bandit->features_since)
		return NULL;
	return numbers_of(value, bandit->options.dimension);
}

static double *
sums_of(RecsysBanditState *state, RecsysBanditArm *arm)
{
	if (arm->sums == NULL)
		arm->sums = MemoryContextAllocZero(state->context, sizeof(double) *
										   RecsysLinearLength(state->bandit->options.dimension));
	return arm->sums;
}

static bool
same_trial(const RecsysBanditPaid *a, const RecsysBanditPaid *b)
{
	return memcmp(&a->request, &b->request, UUID_LEN) == 0 && a->place == b->place &&
		strcmp(a->arm, b->arm) == 0;
}

/* Notes what a trial has brought by now, for the next row of it, and for recsys.bandit_paid. */
static void
note_paid(RecsysBanditState *state, const RecsysBanditPaid *trial)
{
	if (state->npaid > 0 && same_trial(&state->paid[state->npaid - 1], trial))
	{
		state->paid[state->npaid - 1].paid = trial->paid;
		return;
	}
	if (state->npaid == state->room)
	{
		state->room = Max(64, state->room * 2);
		state->paid = state->paid == NULL ?
			MemoryContextAlloc(state->context, sizeof(RecsysBanditPaid) * state->room) :
			repalloc_huge(state->paid, sizeof(RecsysBanditPaid) * (Size) state->room);
	}
	state->paid[state->npaid++] = *trial;
}

static void
add_reward(RecsysBanditState *state, RecsysBanditArm *arm, int row, double reward)
{
	const RecsysBandit *bandit = state->bandit;
	RecsysBanditPaid trial = {.arm = arm->name,.place = arm->place};
	const double *features;
	double		weight;
	double		before = 0;
	double		after;
	bool		isnull;
	Datum		paid = column(row, 7, &isnull);

	trial.request = *DatumGetUUIDP(needed(row, 3));
	trial.time = DatumGetTimestampTz(needed(row, 4));
	if (state->npaid > 0 && same_trial(&state->paid[state->npaid - 1], &trial))
		before = state->paid[state->npaid - 1].paid;
	else if (!isnull)
		before = DatumGetFloat8(paid);
	after = before + reward;
	if (RecsysBanditIsCapped(bandit))
		after = Max(0, Min(1, after));
	trial.paid = after;
	note_paid(state, &trial);

	weight = weight_at(state, trial.time);
	RecsysArmReward(&arm->counts, before, after - before, weight);
	features = features_of(state, row, trial.time);
	if (features != NULL)
		RecsysLinearReward(sums_of(state, arm), bandit->options.dimension, features, after - before,
						   weight);
}

static void
add_trial(RecsysBanditState *state, RecsysBanditArm *arm, int row)
{
	TimestampTz time = DatumGetTimestampTz(needed(row, 4));
	double		weight = weight_at(state, time);
	const double *features = features_of(state, row, time);

	RecsysArmTrial(&arm->counts, 0, weight);
	if (features != NULL)
		RecsysLinearTrial(sums_of(state, arm), state->bandit->options.dimension, features, weight);
}

static void
add_rows(RecsysBanditState *state, int rows)
{
	RecsysNeedTypes(delta_types, lengthof(delta_types));
	for (int i = 0; i < rows; i++)
	{
		RecsysBanditArm *arm = RecsysFindBanditArm(state, TextDatumGetCString(needed(i, 1)),
												   DatumGetInt32(needed(i, 2)), true);
		bool		isnull;
		Datum		reward = column(i, 5, &isnull);

		CHECK_FOR_INTERRUPTS();
		if (isnull)
			add_trial(state, arm, i);
		else
			add_reward(state, arm, i, DatumGetFloat8(reward));
		arm->changed = true;
	}
	SPI_freetuptable(SPI_tuptable);
	state->deltas += rows;
}

void
RecsysAddBanditDeltas(RecsysBanditState *state)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {UUIDOID};
	Datum		values[] = {UUIDPGetDatum(&state->bandit->generation)};

	add_rows(state, (int) RecsysKeeperRun(RecsysKeeperPlan(&plan, deltas_query, lengthof(types), types),
										  values, NULL, true));
}

int
RecsysTakeBanditDeltas(RecsysBanditState *state, int most)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {UUIDOID, INT4OID};
	Datum		values[] = {UUIDPGetDatum(&state->bandit->generation), Int32GetDatum(most)};
	int			rows = (int) RecsysKeeperRun(RecsysKeeperPlan(&plan, take_query, lengthof(types), types),
											 values, NULL, false);

	state->npaid = 0;
	add_rows(state, rows);
	return rows;
}
