/*
 * takennames.h
 *	  One name, one meaning: recommenders, experiments and bandits are called alike, as the
 *	  recommender argument of a function.
 */
#ifndef RECSYS_TAKENNAMES_H
#define RECSYS_TAKENNAMES_H

#include "postgres.h"

typedef enum RecsysNamedKind
{
	RECSYS_NAMED_RECOMMENDER,
	RECSYS_NAMED_EXPERIMENT,
	RECSYS_NAMED_BANDIT
} RecsysNamedKind;

/*
 * Errors out unless the name is one that can be declared, and neither that of an index nor of
 * anything of the other kinds; until the end of the transaction nobody else takes it.  Of its
 * own kind the caller knows better what to say.
 */
extern void RecsysTakeName(const char *name, RecsysNamedKind kind);

/* Is there, as of now, one of that kind and name?  name: as it is in the table */
extern bool RecsysNameExists(const char *name, RecsysNamedKind kind);

/*
 * Errors out if a recommender or bandit serves a variant of an experiment which the current user could
 * change; what strangers have made of it must not hinder its owner.
 */
extern void RecsysRefuseIfUsed(const char *name, RecsysNamedKind kind);

#endif							/* RECSYS_TAKENNAMES_H */
