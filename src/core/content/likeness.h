/*
 * likeness.h
 *	  How alike two items are.
 */
#ifndef RECSYS_LIKENESS_H
#define RECSYS_LIKENESS_H

#include "core/content/contentmodel.h"

/* At most so much of a likeness is lost to the lot: see content.h. */
#define RECSYS_LOT (1.0f / 4096)

/*
 * The score of two packed items; parts (may be NULL) gets each attribute's likeness,
 * not weighed and without the lot, also of attributes that weigh nothing.
 */
extern float RecsysLikeness(const RecsysContentModel *model, const char *a, const char *b,
							float *parts);

#endif							/* RECSYS_LIKENESS_H */
