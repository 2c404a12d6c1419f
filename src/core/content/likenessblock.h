/*
 * likenessblock.h
 *	  How alike many items are to many others.
 */
#ifndef RECSYS_LIKENESSBLOCK_H
#define RECSYS_LIKENESSBLOCK_H

#include "core/content/contentmodel.h"

/*
 * Queries are added, then tiles of candidates are compared with all of them.
 *
 * scores[candidate * RecsysBlockStride(block) + query] are set for all queries, to what
 * RecsysLikeness gives; the array has room for RECSYS_TILE candidates (and is fastest when
 * aligned to 64 bytes).  What is behind the queries in each row is undefined.
 */
#define RECSYS_TILE 256

typedef struct RecsysLikenessBlock RecsysLikenessBlock;

/*
 * Room for so many queries; how many fit a number of bytes, if each has that many
 * packed.  The latter counts the scores of a tile, too.
 */
extern RecsysLikenessBlock *RecsysBlockCreate(const RecsysContentModel *model, int capacity);
extern int	RecsysBlockCapacity(const RecsysContentModel *model, Size packed, Size memory);
extern void RecsysBlockReset(RecsysLikenessBlock *block);
extern void RecsysBlockAdd(RecsysLikenessBlock *block, const char *packed);
extern int	RecsysBlockStride(const RecsysLikenessBlock *block);
extern void RecsysBlockCompare(RecsysLikenessBlock *block, const char *const *packed, int n,
							   float *scores);
extern void RecsysBlockFree(RecsysLikenessBlock *block);

#endif							/* RECSYS_LIKENESSBLOCK_H */
