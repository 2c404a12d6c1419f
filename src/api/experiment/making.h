/*
 * making.h
 *	  What the parts of an experiment's definition share while it is checked and made.
 */
#ifndef RECSYS_MAKING_H
#define RECSYS_MAKING_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

typedef struct RecsysMaking
{
	const char *name;			/* of the experiment */
	Jsonb	   *given;
	Jsonb	   *kept;			/* or NULL */
	List	   *reset;			/* names of parameters whose defaults are to hold again */
	bool		is_started;
	bool		is_stopped;
	JsonbParseState *state;		/* the definition, as far as it is made */
} RecsysMaking;

/* What is given, else what is kept; false: neither */
extern bool RecsysMakingGet(const RecsysMaking *making, const char *key, JsonbValue *value);
extern bool RecsysMakingIsGiven(const RecsysMaking *making, const char *key);

/* Puts a value as it is. */
extern void RecsysMakingKeep(RecsysMaking *making, const char *key, JsonbValue *value);

/* Puts a word that must be among the known ones, of which the first is the default, and returns it. */
extern char *RecsysMakingWord(RecsysMaking *making, const char *key, const char *const *known, int n);

/* Puts a number of a range, and returns it; the default if there is none. */
extern double RecsysMakingNumber(RecsysMaking *making, const char *key, double low, double high,
								 double otherwise);

#endif							/* RECSYS_MAKING_H */
