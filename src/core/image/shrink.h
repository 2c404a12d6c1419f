/*
 * shrink.h
 *	  Pictures made smaller while they are decoded, pixel by pixel in any order.
 *
 * Squares of factor times factor pixels become one, their mean.  So a picture never stands in memory as
 * it is declared; interlaced ones neither.
 */
#ifndef RECSYS_SHRINK_H
#define RECSYS_SHRINK_H

#include "core/image/image.h"

/* The longer side of what a large picture becomes is within this and twice this. */
#define RECSYS_IMAGE_SIDE 256

/* By what a picture of that longer side is to be divided */
extern int	RecsysShrinkFactor(int side);

typedef struct RecsysShrink RecsysShrink;

/* Of a picture that comes in this size */
extern RecsysShrink *RecsysShrinkCreate(int width, int height);

/*
 * n pixels of row y, in columns first, first + step, ...: channels is 1 for gray, 3 for RGB or 4 for RGB
 * with opacity, which is laid over white.
 */
extern void RecsysShrinkAdd(RecsysShrink *shrink, const unsigned char *pixels, int channels, int y,
							int first, int step, int n);

/* The picture; sets all of it but the aspect. */
extern void RecsysShrinkFinish(RecsysShrink *shrink, RecsysImage *image);
extern void RecsysShrinkFree(RecsysShrink *shrink);

#endif							/* RECSYS_SHRINK_H */
