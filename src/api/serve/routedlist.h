/*
 * routedlist.h
 *	  The list of a call whose name may lead elsewhere: to a variant of an experiment, to an arm of a
 *	  bandit, to two lists in one, or to a list with places that a bandit fills.
 */
#ifndef RECSYS_ROUTEDLIST_H
#define RECSYS_ROUTEDLIST_H

#include "postgres.h"

#include "api/call/answer.h"
#include "api/route/banditchoice.h"
#include "api/route/route.h"
#include "api/serve/shoplist.h"

/* A call of recommend, whichever variant of it: user, k and recommender are its first arguments */
typedef struct RecsysListCall
{
	FunctionCallInfo fcinfo;
	const RecsysListArguments *arguments;
	const char *name;			/* of the recommender, experiment or bandit; NULL: the only recommender */
	const char *session;		/* NULL: none */
	Oid			item_type;		/* base type that keys of items are returned as */
} RecsysListCall;

typedef struct RecsysRoutedAnswer
{
	RecsysRoute route;			/* recommender: under the name that the log has */
	const char *user;			/* key as text, as it is in the shop; NULL: nobody in particular */
	RecsysKeyKind kind;			/* of the items' keys */
	RecsysRoutedList list;		/* propensities are there if anything was decided, but for drafts */
} RecsysRoutedAnswer;

/*
 * Is the name, which no recommender has, an experiment's or a bandit's?  Then route says where it
 * leads, with the user's key as the recommender has it.
 */
extern bool RecsysRouteCall(const RecsysListCall *call, RecsysRoute *route);

/* The list of a recommender that is known, an index or a declared one, with the caller's rights. */
extern void RecsysPutListOf(const RecsysListCall *call, const char *recommender, RecsysAnswer *answer,
							bool reasons);

/* The same of an index, or of the error that there is none of that name. */
extern void RecsysPutListOfIndex(const RecsysListCall *call, const char *name, RecsysAnswer *answer,
								 bool reasons);

/* The list of a route, with what is drafted or put into it. */
extern void RecsysMakeListOf(const RecsysListCall *call, const RecsysRoute *route,
							 RecsysRoutedAnswer *answer);

/* The list of any name. */
extern void RecsysMakeRoutedList(const RecsysListCall *call, RecsysRoutedAnswer *answer);

/* An item of the list as a value of the answer, whose type has been checked. */
extern Datum RecsysRoutedItem(const RecsysAnswer *answer, const char *item);

#endif							/* RECSYS_ROUTEDLIST_H */
