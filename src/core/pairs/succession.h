/*
 * succession.h
 *	  What comes after what: how much a pair of a history counts by the order of its two items.
 */
#ifndef RECSYS_SUCCESSION_H
#define RECSYS_SUCCESSION_H

#include "core/pairs/modeloptions.h"
#include "core/rows/chronology.h"

typedef struct RecsysSuccession RecsysSuccession;

/* In the current memory context. */
extern RecsysSuccession *RecsysSuccessionCreate(const RecsysModelOptions *options);

/*
 * What the items of a history count as for one of them, at place `own`, that is the row's:
 * their weights times what the order makes of each.  Valid until the next call.
 */
extern const float *RecsysSuccessionWeights(RecsysSuccession *succession, RecsysOrdinal own,
											const RecsysOrdinal *places, const float *weights,
											int count);

/*
 * And what the row's item counts as for each of them, whose row it is then; weight is that of
 * the row's item.  Likewise valid until the next call of either.
 */
extern const float *RecsysSuccessionWeightsOfOne(RecsysSuccession *succession, RecsysOrdinal own,
												 const RecsysOrdinal *places, float weight, int count);

extern void RecsysSuccessionFree(RecsysSuccession *succession);

#endif							/* RECSYS_SUCCESSION_H */
