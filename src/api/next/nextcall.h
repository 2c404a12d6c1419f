/*
 * nextcall.h
 *	  What calls of buy_again and next_basket have in common: their arguments, and whether an index
 *	  or a declared recommender answers.
 */
#ifndef RECSYS_NEXTCALL_H
#define RECSYS_NEXTCALL_H

#include "postgres.h"

#include "api/call/answer.h"
#include "api/call/recommender.h"
#include "api/declare/shop.h"
#include "fmgr.h"

/* Positions of those that variants have at different places; user, k and recommender come first */
typedef struct RecsysNextPlaces
{
	int			at;
	int			context;
} RecsysNextPlaces;

/* What a call asks */
typedef struct RecsysNextCall
{
	int			k;
	const RecsysKey *user;		/* NULL: nobody */
	RecsysKey	user_key;
	const TimestampTz *at;		/* NULL: as of now */
	TimestampTz at_time;
	Jsonb	   *context;		/* NULL: none */
} RecsysNextCall;

/* How a function answers; k is more than 0 then */
typedef struct RecsysNextWays
{
	void		(*by_index) (RecsysAnswer *answer, RecsysRecommender *index, const RecsysNextCall *call);
	void		(*by_shop) (RecsysAnswer *answer, RecsysShop *shop, const RecsysNextCall *call);
	const char *untimed;		/* the message where there is no time column to answer by, with the
								 * recommender's name to come; NULL: none is needed */
} RecsysNextWays;

/* A call of such a function: user, k, recommender, and others at the given places. */
extern void RecsysServeNext(FunctionCallInfo fcinfo, const RecsysNextPlaces *places,
							const RecsysNextWays *ways);

/* The same for the variant whose fourth and fifth argument are at and context written as text. */
extern void RecsysServeNextText(FunctionCallInfo fcinfo, const RecsysNextWays *ways);

#endif							/* RECSYS_NEXTCALL_H */
