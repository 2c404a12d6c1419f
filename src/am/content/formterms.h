/*
 * formterms.h
 *	  Labels and words of values as terms.
 */
#ifndef RECSYS_FORMTERMS_H
#define RECSYS_FORMTERMS_H

#include "postgres.h"

#include "am/content/itemtypes.h"
#include "core/content/content.h"

/*
 * The terms of a value that is not NULL and of a form that has terms, in the current memory
 * context; returns how many there are, which may be none.
 */
extern int	RecsysFormTerms(const RecsysItemType *type, int attribute, Datum value,
							RecsysTerm **terms);

#endif							/* RECSYS_FORMTERMS_H */
