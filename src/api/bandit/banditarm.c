/*
 * banditarm.c
 *	  Recommenders as arms of a bandit.
 */
#include "postgres.h"

#include "api/bandit/banditarm.h"
#include "api/call/recommender.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/route/banditrow.h"

const char *
RecsysKeptArm(const char *name, RecsysShop **shop)
{
	RecsysRecommender index;
	const char *kept;

	*shop = RecsysServedShop(name);
	if (*shop != NULL)
		return pstrdup((*shop)->definition->name);
	if (RecsysIsPlainName(name) && RecsysFindBandit(name) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is a bandit", name),
				 errdetail("Arms are declared recommenders and indexes.")));
	RecsysOpenRecommenderIndex(RecsysNamedRecommender(name), &index);
	kept = pstrdup(RecsysKeptName(RelationGetRelid(index.definition)));
	RecsysCloseRecommender(&index);
	return kept;
}
