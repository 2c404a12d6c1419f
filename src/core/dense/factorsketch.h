/*
 * factorsketch.h
 *	  Factors as codes of four and of twelve bits, and bounds of scores from them.
 *
 * Sketches, of four bits, lie in blocks of some kilobytes, as many as fit, and codes, of twelve, in
 * blocks of their own, in the same order; their layout depends on the rank alone (on-disk
 * format!).  The bounds need to know how long the factors are: no factor of a block may be longer
 * than the caller says.
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
	uint32		room;			/* items of a block, a multiple of lanes */

	/* a block: rows of groups one behind the other, then at these bytes, for each item: */
	Size		steps;			/* float */
	Size		items;			/* uint32: its number */
	Size		spreads;		/* uint8 */
	Size		size;			/* where it ends */

	/* a block of codes: of each item one behind the other */
	uint32		codes_room;		/* items of it */
	Size		codes_size;		/* bytes of each */
} RecsysSketchLayout;

/* Of blocks of so many bytes; without room for any when they are too small for the rank. */
extern void RecsysSketchLayoutInit(RecsysSketchLayout *layout, int rank, Size bytes);

#define RecsysSketchItems(layout, block) \
	((const uint32 *) ((const char *) (block) + (layout)->items))
#define RecsysSketchSteps(layout, block) \
	((const float *) ((const char *) (block) + (layout)->steps))

/* Blocks that n items take */
#define RecsysSketchBlocks(layout, n) (((uint64) (n) + (layout)->room - 1) / (layout)->room)

/* The length of a factor, or a little more. */
extern double RecsysFactorLength(const float *factor, int rank);

/* Puts the sketch of a finite factor at a place of a block that was all zeros. */
extern void RecsysSketchFactor(const RecsysSketchLayout *layout, void *block, uint32 place,
							   uint32 item, const float *factor);

/* Its codes, which take codes_size bytes */
extern void RecsysSketchCodes(const RecsysSketchLayout *layout, const float *factor, uint8 *codes);

/* Are the sketch at that place and the codes those of that factor? */
extern bool RecsysSketchFits(const RecsysSketchLayout *layout, const void *block, uint32 place,
							 const uint8 *codes, const float *factor);

/* A user's factor, by codes of 8 bits and by codes of 11 bits */
typedef struct RecsysUserSketch
{
	double		length;			/* |x| */
	double		highest;		/* no score is above this times the item's length */
	double		coarse_step;
	double		coarse_left;	/* |x - step times codes| */
	double		fine_step;
	double		fine_left;
	int32		sum;			/* of the coarse codes */

	/*
	 * as rows of groups have them: what the lower halves of a row's bytes are multiplied by, the
	 * upper
	 */
	int8		coarse[RECSYS_SKETCH_MAX_RANK / 32][2][RECSYS_SKETCH_ROW];

	int16		fine[RECSYS_SKETCH_MAX_RANK];
} RecsysUserSketch;

/* Of a finite factor. */
extern void RecsysSketchUser(const RecsysSketchLayout *layout, const float *user, RecsysUserSketch *sketch);

/*
 * Scores of a block's first n places, of factors that are not longer than that, about, and upper
 * bounds of them, by the sketches; both have room for all places.  Returns how
 * many bounds reach the threshold; -1, and they are not to be used, when the block is none that
 * RecsysSketchFactor has written.
 */
extern int	RecsysSketchScores(const RecsysSketchLayout *layout, const RecsysUserSketch *user,
							   const void *block, uint32 n, double length, float threshold,
							   float *scores, float *uppers);

/* Both bounds of the score of an item by its codes and the step of its sketch. */
extern void RecsysSketchBounds(const RecsysSketchLayout *layout, const RecsysUserSketch *user,
							   float step, const uint8 *codes, double length, float *lower,
							   float *upper);

/* For tests: which way the sums are added up; the widest that the processor has by default. */
typedef enum RecsysSketchKernel
{
	RECSYS_SKETCH_WIDEST,
	RECSYS_SKETCH_AVX2,
	RECSYS_SKETCH_PLAIN
} RecsysSketchKernel;

extern RecsysSketchKernel RecsysUseSketchKernel;

#endif							/* RECSYS_FACTORSKETCH_H */
