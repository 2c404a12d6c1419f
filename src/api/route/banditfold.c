/*
 * banditfold.c
 *	  Folding: from rows of trials and rewards to the state of a bandit.
 *
 * Who folds holds the bandit's lock until its transaction ends.  Nobody waits for it but who drops
 * or resets the bandit: others go on inserting rows, and fold another time.  So as to keep it for a
 * moment only, a transaction that goes on after the statement does not fold by itself, unless there
 * is so much that reading it is what costs: where all clients work in transaction blocks somebody has
 * to.
 *
 * The lock is of the class of advisory locks, with a last field that SQL functions do not use.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "api/keep/keeper.h"
#include "api/route/banditchoice.h"
#include "api/route/banditfold.h"
#include "api/route/banditstate.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "core/policy/retirement.h"
#include "fault.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Rows that are taken at once */
#define BATCH_ROWS 10000

/* A session that has written so many rows since it last tried folds. */
#define ROWS_BEFORE_FOLDING 200

/* So many rows that are not folded make a transaction fold whether or not it goes on. */
#define ROWS_TOO_MANY 2000

/* What a session has last seen of that */
static pg_uuid_t backlog_of;
static int64 backlog = 0;

/* What the SQL functions on advisory locks have is 1 or 2. */
#define LOCK_CLASS 3

/*
 * The lock of a bandit's state, until the end of the transaction; false if somebody else has it and
 * `wait` is false.
 */
static bool
lock_bandit_state(const pg_uuid_t *generation, bool wait)
{
	LOCKTAG		tag;
	uint64		hash = DatumGetUInt64(hash_any_extended(generation->data, UUID_LEN, 0));

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash, LOCK_CLASS);
	return LockAcquire(&tag, ExclusiveLock, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

/*
 * May this transaction fold?  Not under a snapshot that does not see what others have folded
 * meanwhile; nor where it may not write; and in a block only if the caller says so.
 */
static bool
may_fold(bool in_block)
{
	return !RecoveryInProgress() && !XactReadOnly && !IsInParallelMode() &&
		!IsolationUsesXactSnapshot() && (in_block || !IsTransactionBlock());
}

static void
write_arm(const RecsysBanditState *state, const RecsysBanditArm *arm)
{
	static SPIPlanPtr plan = NULL;
	const RecsysBandit *bandit = state->bandit;
	Oid			types[] = {UUIDOID, TEXTOID, INT4OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8ARRAYOID,
	TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[lengthof(types)];
	char		nulls[] = "         ";

	values[0] = UUIDPGetDatum(&bandit->generation);
	values[1] = CStringGetTextDatum(arm->name);
	values[2] = Int32GetDatum(arm->place);
	values[3] = Float8GetDatum(arm->counts.trials);
	values[4] = Float8GetDatum(arm->counts.sum);
	values[5] = Float8GetDatum(arm->counts.squares);
	nulls[6] = arm->sums == NULL ? 'n' : ' ';
	if (arm->sums != NULL)
	{
		int			n = RecsysLinearLength(bandit->options.dimension);
		Datum	   *sums = palloc(sizeof(Datum) * n);

		for (int i = 0; i < n; i++)
			sums[i] = Float8GetDatum(arm->sums[i]);
		values[6] = PointerGetDatum(construct_array(sums, n, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
													TYPALIGN_DOUBLE));
	}
	values[7] = TimestampTzGetDatum(state->as_of);
	values[8] = TimestampTzGetDatum(arm->retired_at);
	nulls[8] = arm->retired_at == 0 ? 'n' : ' ';
	(void) RecsysKeeperRun(RecsysKeeperPlan(&plan,
											"INSERT INTO recsys.bandit_state AS s"
											" (generation, arm, place, trials, rewards, squares, sums, as_of, retired_at)"
											" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
											" ON CONFLICT (generation, arm, place) DO UPDATE SET trials = $4,"
											" rewards = $5, squares = $6, sums = $7, as_of = $8, retired_at = $9",
											lengthof(types), types),
						   values, nulls, false);
}

static void
write_paid(const RecsysBanditState *state, const RecsysBanditPaid *paid)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {UUIDOID, UUIDOID, TEXTOID, INT4OID, TIMESTAMPTZOID, FLOAT8OID};
	Datum		values[lengthof(types)];

	values[0] = UUIDPGetDatum(&state->bandit->generation);
	values[1] = UUIDPGetDatum(&paid->request);
	values[2] = CStringGetTextDatum(paid->arm);
	values[3] = Int32GetDatum(paid->place);
	values[4] = TimestampTzGetDatum(paid->time);
	values[5] = Float8GetDatum(paid->paid);
	(void) RecsysKeeperRun(RecsysKeeperPlan(&plan,
											"INSERT INTO recsys.bandit_paid AS p"
											" (generation, request_id, arm, place, request_time, paid)"
											" VALUES ($1, $2, $3, $4, $5, $6)"
											" ON CONFLICT (generation, request_id, arm, place) DO UPDATE SET paid = $6",
											lengthof(types), types),
						   values, NULL, false);
}

/*
 * Candidates that have had their chance, by the bound of core/policy/retirement, in which the base
 * is what the base list brings at the same place.  They hold for counts that do not decay: where old
 * trials are forgotten, a candidate may get another chance.
 *
 * Who is retired is not shown any more, but what its trials bring may still be on its way: where that
 * makes it good enough it is a candidate again.
 */
static void
retire(RecsysBanditState *state)
{
	RecsysRetirement rule = {.tolerance = state->bandit->tolerance,.delta = 0.05,
	.candidates = RECSYS_MOST_ARMS};
	HASH_SEQ_STATUS scan;
	RecsysBanditArm **arm;
	RecsysBanditArm **arms = palloc(sizeof(RecsysBanditArm *) * Max(hash_get_num_entries(state->arms), 1));
	int			n = 0;
	void	   *entry;

	hash_seq_init(&scan, state->arms);
	while ((entry = hash_seq_search(&scan)) != NULL)
		arms[n++] = RecsysBanditArmOfEntry(entry);
	for (arm = arms; arm < arms + n; arm++)
	{
		const RecsysBanditArm *base = RecsysFindBanditArm(state, RECSYS_BASE_ARM, (*arm)->place, false);

		if (!(*arm)->changed || (*arm)->name[0] == '\0' || base == NULL)
			continue;
		if (!RecsysIsRetired(&rule, &base->counts, &(*arm)->counts))
			(*arm)->retired_at = 0;
		else if ((*arm)->retired_at == 0)
			(*arm)->retired_at = state->as_of;
	}
}

static void
write_state(RecsysBanditState *state)
{
	HASH_SEQ_STATUS scan;
	void	   *entry;

	hash_seq_init(&scan, state->arms);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		RecsysBanditArm *arm = RecsysBanditArmOfEntry(entry);

		if (arm->changed)
			write_arm(state, arm);
		arm->changed = false;
	}
	for (int i = 0; i < state->npaid; i++)
		write_paid(state, &state->paid[i]);
}

/* Folds if nobody else does, some batches at most; returns how many rows there were. */
static int64
fold(const RecsysBandit *bandit, int batches)
{
	MemoryContext context;
	RecsysBanditState *state;
	int64		total = 0;
	int			rows;

	if (!lock_bandit_state(&bandit->generation, false))
		return 0;

	/* a state each batch: what it takes of memory does not grow with what there is to fold */
	do
	{
		context = AllocSetContextCreate(CurrentMemoryContext, "recsys fold", ALLOCSET_DEFAULT_SIZES);
		state = RecsysReadBanditRows(bandit, false, context);
		rows = RecsysTakeBanditDeltas(state, BATCH_ROWS);
		if (rows > 0)
		{
			if (bandit->nplaces > 0 && bandit->half_life == 0)
				retire(state);
			write_state(state);
		}
		RECSYS_FAULT("bandit_folded");
		MemoryContextDelete(context);
		total += rows;
	} while (rows == BATCH_ROWS && --batches > 0);
	return total;
}

void
RecsysFoldNowAndThen(const RecsysBandit *bandit, int rows)
{
	static int	written = 0;
	bool		too_many = backlog >= ROWS_TOO_MANY &&
		memcmp(&backlog_of, &bandit->generation, UUID_LEN) == 0;

	written += rows;
	if ((written < ROWS_BEFORE_FOLDING && !too_many) || !may_fold(too_many))
		return;
	written = 0;
	backlog = 0;
	(void) fold(bandit, 1);
}

void
RecsysNoteBanditBacklog(const RecsysBandit *bandit, int64 rows)
{
	backlog_of = bandit->generation;
	backlog = rows;
}

static void
run_for(const char *query, const pg_uuid_t *generation)
{
	Oid			types[] = {UUIDOID};
	Datum		values[] = {UUIDPGetDatum(generation)};

	(void) RecsysKeeperQuery(query, 1, types, values, NULL, false);
}

void
RecsysForgetBanditState(const pg_uuid_t *generation)
{
	RecsysRights before;

	(void) lock_bandit_state(generation, true);
	RecsysBeginAsKeeper(&before);
	run_for("DELETE FROM recsys.bandit_state WHERE generation OPERATOR(pg_catalog.=) $1", generation);
	run_for("DELETE FROM recsys.bandit_delta WHERE generation OPERATOR(pg_catalog.=) $1", generation);
	run_for("DELETE FROM recsys.bandit_paid WHERE generation OPERATOR(pg_catalog.=) $1", generation);
	RecsysEndAsKeeper(&before);
}

void
RecsysForgetBanditSums(const pg_uuid_t *generation)
{
	RecsysRights before;

	(void) lock_bandit_state(generation, true);
	RecsysBeginAsKeeper(&before);
	run_for("UPDATE recsys.bandit_state SET sums = NULL WHERE generation OPERATOR(pg_catalog.=) $1",
			generation);
	RecsysEndAsKeeper(&before);
}

/*
 * What was inserted by transactions that began before their bandit was dropped, and what is old: items
 * that were not shown for so long are no candidates any more, or get another chance.
 */
static void
clean_up(void)
{
	(void) RecsysKeeperQuery("DELETE FROM recsys.bandit_delta d WHERE NOT EXISTS (SELECT FROM recsys.bandit b"
							 " WHERE b.generation OPERATOR(pg_catalog.=) d.generation)",
							 0, NULL, NULL, NULL, false);
	(void) RecsysKeeperQuery("DELETE FROM recsys.bandit_paid WHERE request_time OPERATOR(pg_catalog.<)"
							 " (pg_catalog.now() OPERATOR(pg_catalog.-) '60 days'::pg_catalog.interval)",
							 0, NULL, NULL, NULL, false);

	/* all of it is read by whoever chooses */
	(void) RecsysKeeperQuery("DELETE FROM recsys.bandit_state s WHERE (s.place OPERATOR(pg_catalog.>) 0"
							 " AND s.arm OPERATOR(pg_catalog.<>) '' AND s.as_of OPERATOR(pg_catalog.<)"
							 " (pg_catalog.now() OPERATOR(pg_catalog.-) '60 days'::pg_catalog.interval))"
							 " OR NOT EXISTS (SELECT FROM recsys.bandit b"
							 " WHERE b.generation OPERATOR(pg_catalog.=) s.generation)",
							 0, NULL, NULL, NULL, false);
}

int
RecsysFoldBandits(void)
{
	RecsysRights before;
	char	  **names;
	uint64		n;
	int			changed = 0;

	if (!may_fold(true))
		return 0;
	RecsysBeginAsKeeper(&before);
	n = RecsysKeeperQuery("SELECT b.name FROM recsys.bandit b ORDER BY b.name", 0, NULL, NULL, NULL, true);
	names = palloc(sizeof(char *) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
		names[i] = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
	for (uint64 i = 0; i < n; i++)
	{
		const RecsysBandit *bandit = RecsysFindBandit(names[i]);

		CHECK_FOR_INTERRUPTS();
		if (bandit != NULL && fold(bandit, INT_MAX) > 0)
			changed++;
	}
	clean_up();
	RecsysEndAsKeeper(&before);
	return changed;
}
