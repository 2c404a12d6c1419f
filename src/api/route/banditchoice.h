/*
 * banditchoice.h
 *	  Which arm of a bandit a request gets, and what becomes of it.
 */
#ifndef RECSYS_BANDITCHOICE_H
#define RECSYS_BANDITCHOICE_H

#include "api/keep/request.h"
#include "api/route/route.h"

/* Item keys as text, with what is beside them: a list on its way to the caller */
typedef struct RecsysRoutedList
{
	int			count;
	const char **items;
	float	   *scores;
	const char **sources;
	double	   *propensities;	/* NULL: nothing was left to chance */
	const char **arms;			/* NULL: the list has one arm */
} RecsysRoutedList;

/*
 * If name is a bandit's: sets bandit, arm, policy, features, multiplies propensity, and sets
 * recommender to the arm's, or recommender and slots.  False, and nothing set, if it is not.
 */
extern bool RecsysChooseArm(const char *name, const char *user, const char *session,
							Jsonb *context, RecsysRoute *route);

/*
 * Puts items of a bandit's choice into their places of a list of k; seen items and those that the
 * base list's recommender would not show are no candidates.  Sets propensities and arms.
 */
extern void RecsysFillSlots(const RecsysRoute *route, const char *user, int k,
							RecsysRoutedList *list);

/* A request of a bandit has been logged: its trials count.  Waits for nobody. */
extern void RecsysCountTrial(const RecsysRequest *request);

/*
 * Something that the shop rewards has happened to an item of a logged request: kind "click",
 * "cart", "purchase" or a name of its own.  request has bandit, arm, arms, features as logged.
 */
extern void RecsysCountReward(const RecsysRequest *request, const char *kind, int position,
							  double value);

/* Folds what has come in into the states of all bandits; returns how many have changed. */
extern int	RecsysFoldBandits(void);

#endif							/* RECSYS_BANDITCHOICE_H */
