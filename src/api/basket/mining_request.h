/*
 * mining_request.h
 *	  What a call of the functions that mine baskets asks for.
 */
#ifndef RECSYS_MINING_REQUEST_H
#define RECSYS_MINING_REQUEST_H

#include "postgres.h"

#include "api/basket/rule_arguments.h"
#include "core/itemset/itemset.h"
#include "core/rules/rules.h"
#include "fmgr.h"

/* The functions come in variants, whose arguments stand at different places. */
typedef struct RecsysMiningVariant
{
	bool		is_query;		/* the source is a query, else the name of a recommender */
	bool		typed;			/* the second argument is there for the type of the answer */
	bool		to_sets;		/* rules only: the consequent is an array */
} RecsysMiningVariant;

typedef struct RecsysMiningRequest
{
	bool		is_query;		/* source is a query, else the name of a recommender, or NULL */
	const char *source;
	double		min_support;
	RecsysItemsetKind kind;
	uint32		min_length;
	uint32		max_length;		/* 0: no limit */
	int			max_basket;		/* 0: as the source has it */
	bool		weights;
	bool		best;			/* only the k best item sets; of rules RecsysRuleOptions knows */
	int			k;
	RecsysKeyList must_contain;
	RecsysKeyList must_not_contain;
	RecsysKeyList consequents;	/* the caller's to apply */
	bool		subsets;		/* must_contain and min_length are the caller's to apply */
} RecsysMiningRequest;

/* Reads the arguments of a call; item_type is that of the answer's items. */
extern void RecsysReadItemsetRequest(FunctionCallInfo fcinfo, const RecsysMiningVariant *variant,
									 Oid item_type, RecsysMiningRequest *request);
extern void RecsysReadRuleRequest(FunctionCallInfo fcinfo, const RecsysMiningVariant *variant,
								  Oid item_type, RecsysMiningRequest *request,
								  RecsysRuleOptions *rules);

/* The lists become keys of the type that the baskets turn out to have; errors out if they rule each other out. */
extern void RecsysRequestKeysAs(RecsysMiningRequest *request, RecsysKeyKind kind, Oid type);

#endif							/* RECSYS_MINING_REQUEST_H */
