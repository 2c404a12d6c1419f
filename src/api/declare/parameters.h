/*
 * parameters.h
 *	  What can be declared of a recommender: the parameters of recsys.create_recommender.
 */
#ifndef RECSYS_PARAMETERS_H
#define RECSYS_PARAMETERS_H

#include "postgres.h"

#include "utils/jsonb.h"

/* The relations that expressions may be over.  Expressions call a row of it by these names. */
typedef enum RecsysPlace
{
	RECSYS_NOWHERE,
	RECSYS_EVENTS,
	RECSYS_ITEMS,
	RECSYS_SELLERS,
	RECSYS_PROFILES,
	RECSYS_PROMOTIONS,
	RECSYS_PRICE_HISTORY
} RecsysPlace;

#define RECSYS_PLACES (RECSYS_PRICE_HISTORY + 1)

extern const char *const RecsysAliases[RECSYS_PLACES];

typedef enum RecsysResult
{
	RECSYS_ANY_RESULT,
	RECSYS_BOOLEAN_RESULT,
	RECSYS_NUMBER_RESULT
} RecsysResult;

typedef enum RecsysParameterKind
{
	RECSYS_RELATION_PARAMETER,
	RECSYS_KEY_PARAMETER,		/* a column of the relation */
	RECSYS_EXPRESSION_PARAMETER,
	RECSYS_EXPRESSIONS_PARAMETER,	/* text[] */
	RECSYS_INDEX_PARAMETER,
	RECSYS_NUMBER_PARAMETER,
	RECSYS_INTEGER_PARAMETER,
	RECSYS_JSON_PARAMETER,
	RECSYS_INTERVAL_PARAMETER	/* text; more than nothing */
} RecsysParameterKind;

typedef struct RecsysParameter
{
	const char *name;
	RecsysParameterKind kind;
	RecsysPlace place;			/* of the relation that it is, or is over */
	RecsysResult result;		/* of an expression */
	double		low;			/* of a number */
	double		high;
	const char *needs[3];		/* names of parameters without which it means nothing */
} RecsysParameter;

/* In the order of the SQL function's arguments, from the second one on */
extern const RecsysParameter RecsysParameters[];
extern const int RecsysParameterCount;

/* Does it mean nothing, with that value, where the other is not declared? */
extern bool RecsysParameterNeeds(const RecsysParameter *parameter, JsonbValue *value,
								 const char *other);

/* The keys of a signal */
extern const char *const RecsysSignalKeys[];
extern const int RecsysSignalKeyCount;

#endif							/* RECSYS_PARAMETERS_H */
