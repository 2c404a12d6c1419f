/*
 * policyrows.h
 *	  What a policy has shown and what came of it, to say what another one would have been worth.
 *
 * The logging policy has shown an item with a known probability, its propensity; the target is the
 * policy whose value is asked for.  A row is one impression.
 */
#ifndef RECSYS_POLICYROWS_H
#define RECSYS_POLICYROWS_H

#include "core/base/platform.h"

/*
 * Columns of n values each, NULL where nothing is known.  Names are dense numbers: any numbering
 * from 0 on without large gaps.  Rows of one request stand together, in the order of its list, and
 * so do those of one unit.
 */
typedef struct RecsysPolicyRows
{
	uint32		n;
	const double *reward;		/* finite */
	const double *propensity;	/* that this was shown here: above 0, at most 1 */
	const double *target;		/* that the target would have shown it: 0 to 1 */
	const uint32 *request;		/* NULL: each row is one of its own */
	const uint32 *unit;			/* whose rewards depend on each other, whole requests; NULL: requests alone */
	const uint32 *position;		/* place in the list; NULL: all are alike */
	const uint32 *context;		/* the target's probabilities depend on it; NULL: they do not */
	const uint32 *item;			/* NULL: no reward model can be made */
	const uint32 *target_item;	/* what the target shows here, RECSYS_NONE: nothing; NULL: it may be several */
	const double *predicted;	/* reward expected of what was shown; with the next one */
	const double *target_predicted; /* and of the target, over all that it may show */
} RecsysPolicyRows;

#endif							/* RECSYS_POLICYROWS_H */
