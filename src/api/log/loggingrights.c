/*
 * loggingrights.c
 *	  Who may log what.
 *
 * Who is served by a recommender may log its lists, since recommend(…, log => true) does no more than
 * that.  Lists of other makers, and of the past, are for those who are trusted with the log as a
 * whole, and that is said as everywhere in SQL: GRANT INSERT ON recsys.request_log.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "api/call/distributed.h"
#include "api/call/recommender.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/here/nodeevents.h"
#include "api/keep/experimentrow.h"
#include "api/keep/keeper.h"
#include "api/log/loggingrights.h"
#include "api/route/banditrow.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"

/* Older requests need more rights. */
#define RECENT (7 * USECS_PER_DAY)

void
RecsysCheckLogWritable(const char *function)
{
	PreventCommandIfParallelMode(function);
	if (XactReadOnly || RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 RecoveryInProgress() ?
				 errmsg("cannot execute %s during recovery", function) :
				 errmsg("cannot execute %s in a read-only transaction", function),
				 errhint("Call it on the primary server, in a transaction that may write.")));
}

static bool
may_log_anything(void)
{
	Oid			table = RecsysKeptTable("request_log");

	return OidIsValid(table) && pg_class_aclcheck(table, GetUserId(), ACL_INSERT) == ACLCHECK_OK;
}

static void
grant_insert(const char *message, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg_internal("%s", message),
			 errdetail_internal("%s", detail),
			 errhint("GRANT INSERT ON recsys.request_log TO %s;",
					 quote_identifier(GetUserNameFromId(GetUserId(), false)))));
}

char *
RecsysLoggedName(const char *recommender)
{
	RecsysDistributed distributed;
	RecsysRecommender opened;
	RecsysShop *shop;
	bool		unknown;
	char	   *name;

	shop = RecsysServed(recommender, &unknown);
	if (shop != NULL)
	{
		name = pstrdup(shop->definition->name);
		if (!may_log_anything())
		{
			(void) RecsysOpenForColumns(shop->definition->signals[0].events, &opened);
			RecsysCloseRecommender(&opened);
		}
		return name;
	}
	if (!unknown)
	{
		Oid			index = RecsysNamedRecommender(recommender);

		name = RecsysKeptName(index);
		if (!may_log_anything())
		{
			if (!RecsysOpenDistributed(recommender, &opened, &distributed))
				RecsysOpenNamed(recommender, RECSYS_TAKES_BOTH, &opened);
			RecsysCloseRecommender(&opened);
		}
		return name;
	}
	if (!may_log_anything())
		grant_insert(psprintf("permission denied to log lists of \"%s\"", recommender),
					 "It is no recommender that you are served by, and lists of other makers are for those who may insert into the log.");
	return pstrdup(recommender);
}

static bool
bandit_leads_to(const char *name, const char *recommender)
{
	RecsysBandit *bandit = RecsysFindBandit(name);

	if (bandit == NULL)
		return false;
	for (int i = 0; i < bandit->narms; i++)
		if (strcmp(bandit->arms[i], recommender) == 0)
			return true;
	return bandit->recommender != NULL && strcmp(bandit->recommender, recommender) == 0;
}

/* bandit: NULL, or the one that a variant may be */
/* By the variant that it names, or if lists are interleaved by any */
static bool
experiment_leads_to(const RecsysRequest *request)
{
	RecsysExperiment *experiment = RecsysFindExperiment(request->experiment);
	const char *leads_to = request->bandit != NULL ? request->bandit : request->recommender;

	if (experiment == NULL || experiment->interleaved != (request->variant == NULL))
		return false;
	for (int i = 0; i < experiment->nvariants; i++)
	{
		const RecsysVariant *variant = &experiment->variants[i];

		if ((request->variant == NULL || strcmp(variant->name, request->variant) == 0) &&
			strcmp(variant->recommender, leads_to) == 0)
			return true;
	}
	return false;
}

void
RecsysCheckLoggedRoute(const RecsysRequest *request)
{
	const char *wrong = NULL;

	if (request->bandit != NULL && !bandit_leads_to(request->bandit, request->recommender))
		wrong = request->bandit;
	else if (request->experiment != NULL && !experiment_leads_to(request))
		wrong = request->experiment;
	if (wrong != NULL && !may_log_anything())
		grant_insert(psprintf("permission denied to log requests of \"%s\"", wrong),
					 request->variant != NULL && wrong == request->experiment ?
					 psprintf("It is no experiment whose variant \"%s\" leads to recommender \"%s\".",
							  request->variant, request->recommender) :
					 psprintf("It is no experiment or bandit that leads to recommender \"%s\".",
							  request->recommender));
}

void
RecsysCheckLoggedTime(TimestampTz time)
{
	if (time < GetCurrentTimestamp() - RECENT && !may_log_anything())
		grant_insert("permission denied to log requests of the past",
					 "Requests that are older than a week are for those who may insert into the log.");
}
