/*
 * normaliser.h
 *	  What the parts of a definition share while it is checked and made.
 */
#ifndef RECSYS_NORMALISER_H
#define RECSYS_NORMALISER_H

#include "postgres.h"

#include "am/store/columns.h"
#include "api/define/normalise.h"
#include "api/declare/parameters.h"

/*
 * Caps, and segments: each is a column of a query, which can have 1664.  A definition that is
 * accepted must not fail when it is used.
 */
#define RECSYS_EXPRESSIONS_MAX	100

typedef struct RecsysNormaliser
{
	const char *name;			/* of the recommender */
	const char *part;			/* for the context of errors; or NULL */
	const char **failing;		/* where the caller wants it, or NULL */
	JsonbContainer *given;
	JsonbContainer *kept;		/* or NULL */
	Jsonb	   *kept_whole;		/* the same */
	Oid			relations[RECSYS_PLACES];
	bool		anew[RECSYS_PLACES];	/* the relation has just been declared */
	bool		has_keys;		/* of the first signal's index: */
	RecsysColumns keys;
	Oid			seller_type;	/* of the expression */
	JsonbParseState *state;
} RecsysNormaliser;

/* A field with an expression, if text is not NULL; returns its type. */
extern Oid	RecsysPutExpression(RecsysNormaliser *n, const char *key, const char *text,
								RecsysPlace place, RecsysResult result);

/*
 * A field with a column of a place's relation, which must hold keys of a kind.  role says of
 * what the keys are: "item" or "user"; NULL: any type will do.
 */
extern Oid	RecsysPutKey(RecsysNormaliser *n, const char *key, const char *column,
						 RecsysPlace place, const char *role);

/*
 * A field with an interval as text that every session reads as the same one, if the object has it.
 * Returns it in microseconds, the default without it; errors out on one that is negative.
 */
extern double RecsysPutInterval(RecsysNormaliser *n, JsonbContainer *object, const char *key,
								const char *hint);

/*
 * The same for one that must be there, be more than nothing, and leave now() less it a time.  what
 * is how errors call it.
 */
extern void RecsysPutWindow(RecsysNormaliser *n, JsonbContainer *object, const char *key,
							const char *what, const char *hint);

/* Whole parameters that are JSON */
extern void RecsysPutSignals(RecsysNormaliser *n, JsonbValue *value);
extern void RecsysPutCaps(RecsysNormaliser *n, JsonbValue *value);
extern void RecsysPutSellerQuality(RecsysNormaliser *n, JsonbValue *value);
extern void RecsysPutPromotions(RecsysNormaliser *n, JsonbValue *value);
extern void RecsysPutPriceHistory(RecsysNormaliser *n, JsonbValue *value);
extern void RecsysPutReasonFormats(RecsysNormaliser *n, JsonbValue *value);

/* The columns of the first signal's index */
extern const RecsysColumns *RecsysFirstKeys(RecsysNormaliser *n);

#endif							/* RECSYS_NORMALISER_H */
