/*
 * declaredarguments.h
 *	  Arguments of the functions that declare something, as JSON.
 *
 * create_… and alter_… have a name, then the same parameters in the same order; alter_… has further
 * ones behind, among them those that are to be reset.
 */
#ifndef RECSYS_DECLAREDARGUMENTS_H
#define RECSYS_DECLAREDARGUMENTS_H

#include "postgres.h"

#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* The n arguments behind the first one, under these names; those that are NULL are left out. */
extern Jsonb *RecsysGivenArguments(FunctionCallInfo fcinfo, const char *const *names, int n);

/*
 * Names of parameters to be reset, of an array of texts that may be NULL.  Errors out on what is
 * none of the names, or given as well, or must stay (NULL: nothing must); why is then said, too.
 */
extern List *RecsysResetNames(FunctionCallInfo fcinfo, int argument, Jsonb *given,
							  const char *const *names, int n, const char *must_stay,
							  const char *because);

extern bool RecsysIsAmong(const char *name, List *names);

/* Fields of these names, without those to be left out. */
extern Jsonb *RecsysWithoutFields(Jsonb *definition, List *left_out, const char *const *names, int n);

/* Nobody gives what is his to those whose rights he has not. */
extern void RecsysCheckNewOwner(const char *owner);

#endif							/* RECSYS_DECLAREDARGUMENTS_H */
