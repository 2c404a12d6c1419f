/*
 * normalise.h
 *	  From what is declared to the definition that is kept.
 */
#ifndef RECSYS_NORMALISE_H
#define RECSYS_NORMALISE_H

#include "postgres.h"

#include "utils/jsonb.h"

/*
 * The definition of a recommender, all of it, checked.  given: an object with the values of
 * the parameters that are declared now; kept: NULL, or the definition that they change,
 * without what is to be reset.  What is kept is looked at again only where it depends on what is
 * declared anew: so that one thing that is gone can be mended after the other.
 *
 * Nothing that is declared is run, not even functions of constants.  failing: NULL, or gets
 * the part that an error is about.
 */
extern Jsonb *RecsysNormalise(const char *name, Jsonb *given, Jsonb *kept, const char **failing);

#endif							/* RECSYS_NORMALISE_H */
