/*
 * madename.h
 *	  Names of the functions that recsys.distribute() makes.
 */
#ifndef RECSYS_MADENAME_H
#define RECSYS_MADENAME_H

#include "postgres.h"

/* For an index: "recommend", "explain"; for a declared recommender: "list", "reasons", "because" */
extern char *RecsysMadeFunction(const char *schema, const char *name, const char *word);

#endif							/* RECSYS_MADENAME_H */
