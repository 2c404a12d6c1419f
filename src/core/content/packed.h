/*
 * packed.h
 *	  What an index stores of an item.
 */
#ifndef RECSYS_PACKED_H
#define RECSYS_PACKED_H

#include "core/content/contentmodel.h"
#include "core/content/termcounts.h"

/*
 * The format is part of the index's; native byte order, any alignment is good for
 * reading.  Weights of terms are those as of the build.
 *
 * A vector is packed with the dimensions it has while those of the model are 0; then
 * the caller sets them.  One of other dimensions than the model's is unknown.
 *
 * lot is a hash of the item's key that no build changes: RecsysKeyHash with seed 0.
 *
 * PackedSize is what Pack will write at most; the caller checks it against
 * RECSYS_MAX_CONTENT.  Pack returns the bytes written.
 */
#define RECSYS_MAX_CONTENT 8000

extern Size RecsysContentPackedSize(const RecsysContentModel *model, const RecsysRawContent *raw);
extern Size RecsysContentPack(const RecsysContentModel *model, const RecsysRawContent *raw,
							  uint32 lot, RecsysTermLookup lookup, void *arg, char *dest);

/* Can these bytes, which nobody has checked, be looked at by all that is below? */
extern bool RecsysContentIsSane(const RecsysContentModel *model, const char *packed, Size size);

/* Is anything known of the item? */
extern bool RecsysContentSaysSomething(const RecsysContentModel *model, const char *packed);

/* Is the attribute's value known, and of a number what is it (its logarithm unless linear)? */
extern bool RecsysContentKnows(const RecsysContentModel *model, const char *packed, int attribute,
							   double *number);

#endif							/* RECSYS_PACKED_H */
