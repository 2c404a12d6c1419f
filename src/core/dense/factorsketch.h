/*
 * factorsketch.h
 *	  Factors as codes of four and of eight bits, and bounds of scores from them.
 *
 * Sketches, of four bits, lie in blocks of some kilobytes, as many as fit, and their rests, four
 * bits more, in blocks of their own, in the same order; the layout depends on the rank alone
 * (on-disk format!).  The bounds need to know how long the factors are: no factor of a block may be
 * longer than the caller says.
 */
#ifndef RECSYS_FACTORSKETCH_H
#define RECSYS_FACTORSKETCH_H

#include "core/base/platform.h"

#define RECSYS_SKETCH_MAX_RANK 1024

/* Bytes that are compared at once; a block begins at a multiple of them. */
#define RECSYS_SKETCH_ROW 64

typedef struct RecsysSketchLayout
{
	int			rank;
	int			lanes;			/* items of a group: 8, or 4 of large rank */
	int			rows;			/* of a group */
	int			padded;			/* rank, rounded up to whole rows */
	uint32		room;			/* items of a block, a multiple of lanes, below 2^16 */

	/*
	 * A block of either kind: rows of groups one behind the other; or rests, of half as many bytes as
	 * padded.  Then at these bytes, for each item:
	 */
	Size		steps;			/* float; in a block of rests uint32: its number */
	Size		spreads;		/* uint8: of the sketch; of sketch and rest */
	Size		size;			/* where it ends */
} RecsysSketchLayout;

/* Of blocks of so many bytes; without room for any when they are too small for the rank. */
extern void RecsysSketchLayoutInit(RecsysSketchLayout *layout, int rank, Size bytes);

#define RecsysSketchItems(layout, rests) \
	((const uint32 *) ((const char *) (rests) + (layout)->steps))
#define RecsysSketchSteps(layout, block) \
	((const float *) ((const char *) (block) + (layout)->steps))

/* Blocks of either kind that n items take */
#define RecsysSketchBlocks(layout, n) (((uint64) (n) + (layout)->room - 1) / (layout)->room)

/* The length of a factor, or a little more. */
extern double RecsysFactorLength(const float *factor, int rank);

/* Puts the sketch of a finite factor, and its rest, at a place of blocks that were all zeros. */
extern void RecsysSketchFactor(const RecsysSketchLayout *layout, void *block, void *rests, uint32 place,
							   uint32 item, const float *factor);

/* Are the sketch at that place and its rest those of that factor? */
extern bool RecsysSketchFits(const RecsysSketchLayout *layout, const void *block, const void *rests,
							 uint32 place, const float *factor);

/* A user's factor, by codes of 8 bits */
typedef struct RecsysUserSketch
{
	double		length;			/* |x| */
	double		highest;		/* no score is above this times the item's length */
	double		step;
	double		left;			/* |x - step times codes| */
	double		coarse_width;	/* of the bounds of an item with a step of 1 for each 1 of its spread */
	double		fine_width;		/* the same for sketch and rest */
	int32		sum;			/* of the codes */

	/* what the lower halves of bytes are multiplied by, the upper: as rows have them, as rests do */
	int8		rows[RECSYS_SKETCH_MAX_RANK / 32][2][RECSYS_SKETCH_ROW];
	int8		rests[2][RECSYS_SKETCH_MAX_RANK / 2];
} RecsysUserSketch;

/* Of a finite factor. */
extern void RecsysSketchUser(const RecsysSketchLayout *layout, const float *user, RecsysUserSketch *sketch);

/*
 * Which of a block's first n places, of factors that are not longer than that, may have a score
 * that is positive and reaches the threshold?  Puts them into places, in ascending order, and
 * returns how many they are; -1, when the block is none that RecsysSketchFactor has written.  By the
 * way, sums and upper bounds of all n by their sketches; all arrays have room for all places.
 */
extern int	RecsysSketchSelect(const RecsysSketchLayout *layout, const RecsysUserSketch *user,
							   const void *block, uint32 n, double length, float threshold,
							   int32 *sums, float *uppers, uint16 *places);

/* Of n of these places both bounds, closer ones, by sketch and rest; sums are those of Select. */
extern void RecsysSketchBounds(const RecsysSketchLayout *layout, const RecsysUserSketch *user,
							   const void *block, const void *rests, const uint16 *places, int n,
							   double length, const int32 *sums, float *lowers, float *uppers);

/* For tests: which way the sums are added up; the widest that the processor has by default. */
typedef enum RecsysSketchKernel
{
	RECSYS_SKETCH_WIDEST,
	RECSYS_SKETCH_AVX2,
	RECSYS_SKETCH_PLAIN
} RecsysSketchKernel;

extern RecsysSketchKernel RecsysUseSketchKernel;

#endif							/* RECSYS_FACTORSKETCH_H */
