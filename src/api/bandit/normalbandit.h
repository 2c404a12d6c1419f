/*
 * normalbandit.h
 *	  From what is declared of a bandit to the definition that is kept.
 */
#ifndef RECSYS_NORMALBANDIT_H
#define RECSYS_NORMALBANDIT_H

#include "postgres.h"

#include "utils/jsonb.h"

/* The parameters that a definition has, in the order of the SQL functions, from the second one on */
extern const char *const RecsysBanditParameters[];
extern const int RecsysBanditParameterCount;

/*
 * The definition of a bandit, all of it, checked with the rights of the current user.  given: what is
 * declared now; kept: NULL, or what that changes.  Nothing that is declared is run.
 */
extern Jsonb *RecsysNormaliseBandit(const char *name, Jsonb *given, Jsonb *kept);

#endif							/* RECSYS_NORMALBANDIT_H */
