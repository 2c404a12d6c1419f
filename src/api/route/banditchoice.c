/*
 * banditchoice.c
 *	  Which arm of a bandit a request gets.
 *
 * The policy gives a share to each arm, and one is drawn by these shares: what is logged as propensity
 * is the probability of the draw itself.  Nothing is written, so a standby can choose, too.
 */
#include "postgres.h"

#include "api/route/banditchoice.h"
#include "api/route/banditfeatures.h"
#include "api/route/banditslots.h"
#include "api/route/banditview.h"

static void
choose_list(RecsysBandit *bandit, const char *user, Jsonb *context, RecsysRoute *route)
{
	double	   *shares = palloc(sizeof(double) * bandit->narms);
	RecsysRandom random;
	int			arm;

	if (bandit->nfeatures > 0)
	{
		route->features = RecsysBanditFeatures(bandit, user, context);
		route->nfeatures = bandit->options.dimension;
	}
	RecsysBanditShares(bandit, route->features, shares);
	RecsysBanditRandom(bandit, &random);
	arm = RecsysDrawArm(shares, bandit->narms, &random);
	route->arm = pstrdup(bandit->arms[arm]);
	route->recommender = route->arm;
	route->propensity *= shares[arm];
	pfree(shares);
}

bool
RecsysChooseArm(const char *name, const char *user, const char *session, Jsonb *context,
				RecsysRoute *route)
{
	RecsysBandit *bandit = RecsysFindBandit(name);

	if (bandit == NULL)
		return false;
	route->bandit = pstrdup(bandit->name);
	route->policy = RecsysPolicyName(bandit->options.kind);
	if (bandit->nplaces > 0)
	{
		route->slots = palloc0(sizeof(RecsysBanditSlots));
		route->slots->context = context;
		route->recommender = pstrdup(bandit->recommender);
	}
	else
		choose_list(bandit, user, context, route);
	return true;
}
