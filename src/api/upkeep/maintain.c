/*
 * maintain.c
 *	  recsys.maintain(): what has to be done now and then.
 *
 * One call at a time; whoever comes second leaves it to the first.  What takes long comes first, and
 * what needs locks that others could stand behind comes last.  Each step is a subtransaction: one
 * that fails is reported, and stops none of the others.  A log that is one of all nodes, and what is
 * made of it, is looked after by the coordinator alone.
 */
#include "postgres.h"

#include "access/xact.h"
#include "api/keep/keeper.h"
#include "api/log/loggingrights.h"
#include "api/log/logsettings.h"
#include "api/log/wholelog.h"
#include "api/metrics/refreshing.h"
#include "api/route/banditchoice.h"
#include "api/upkeep/partitions.h"
#include "api/upkeep/partitionsteps.h"
#include "api/upkeep/upkeepsteps.h"
#include "api/verdict/experimentrefresh.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_maintain);

/* Until the end of the transaction; false if somebody else has it. */
static bool
lock_upkeep(void)
{
	LOCKTAG		tag;

	/* as of an object that the extension alone knows: a user could hold an advisory lock for ever */
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RelationRelationId, RecsysKeptTable("maintenance"), 1);
	return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

static void
fold_bandits(void *arg)
{
	*(int *) arg = RecsysFoldBandits();
}

static void
refresh_experiments(void *arg)
{
	*(int *) arg = RecsysRefreshExperiments();
}

static void
refresh_metrics(void *arg)
{
	*(int *) arg = RecsysRefreshMetrics(RECSYS_REFRESH_DUE, DT_NOBEGIN);
}

static void
note_time(void)
{
	(void) RecsysKeeperQuery("INSERT INTO recsys.maintenance AS m (time) VALUES (now())"
							 " ON CONFLICT (one) DO UPDATE SET time = excluded.time",
							 0, NULL, NULL, NULL, false);
}

static void
keep_log(RecsysUpkeep *upkeep, bool log_is_ours)
{
	RecsysLogSettings settings;
	RecsysRights before;

	RecsysReadLogSettings(&settings);
	RecsysBeginAsKeeper(&before);
	note_time();
	if (log_is_ours && settings.retention != NULL)
		RecsysDropPartitions(upkeep,
							 DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval,
																	 TimestampTzGetDatum(GetCurrentTimestamp()),
																	 IntervalPGetDatum(settings.retention))));
	if (log_is_ours)
		RecsysMakePartitions(upkeep);
	RecsysEndAsKeeper(&before);
}

Datum
recsys_maintain(PG_FUNCTION_ARGS)
{
	RecsysUpkeep upkeep;
	int			folded = 0;
	bool		log_is_ours = RecsysLogIsKeptHere();
	int			refreshed = 0;
	int			days = 0;
	List	   *kept;

	RecsysCheckLogWritable("recsys.maintain()");
	RecsysNeedKeeper("recsys.maintain");
	InitMaterializedSRF(fcinfo, 0);
	upkeep.result = (ReturnSetInfo *) fcinfo->resultinfo;
	if (!lock_upkeep())
	{
		ereport(NOTICE,
				(errmsg("recsys.maintain is running already")));
		return (Datum) 0;
	}

	if (RecsysUpkeepTry(&upkeep, "bandits", fold_bandits, &folded) && folded > 0)
		RecsysUpkeepPut(&upkeep, "bandits folded", NULL, psprintf("%d have changed", folded));
	if (log_is_ours && RecsysUpkeepTry(&upkeep, "experiments", refresh_experiments, &refreshed) && refreshed > 0)
		RecsysUpkeepPut(&upkeep, "experiments refreshed", NULL, psprintf("%d experiments", refreshed));
	if (log_is_ours && RecsysUpkeepTry(&upkeep, "metrics", refresh_metrics, &days) && days > 0)
		RecsysUpkeepPut(&upkeep, "metrics refreshed", NULL, psprintf("%d days", days));
	kept = RecsysReadKeptPartitions();
	RecsysDeleteExpired(&upkeep, kept);
	keep_log(&upkeep, log_is_ours);
	RecsysKeepPartitions(&upkeep, kept);
	return (Datum) 0;
}
