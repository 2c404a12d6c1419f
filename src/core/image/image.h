/*
 * image.h
 *	  Pictures as short vectors: decoding within limits, and a descriptor of colour and shape.
 *
 * Formats: JPEG (libjpeg-turbo), PNG (libpng), WebP (libwebp), found by their first bytes.  The
 * header is read first: what is declared too large is refused before anything is decoded.
 * All memory is palloc'd, or bounded and freed on every way out; no thread is started.
 */
#ifndef RECSYS_IMAGE_H
#define RECSYS_IMAGE_H

#include "core/base/platform.h"

typedef struct RecsysImageLimits
{
	Size		bytes;			/* of the file */
	uint64		pixels;			/* width times height, as declared */
	int			milliseconds;	/* of the processor's time, for decoding */
} RecsysImageLimits;

typedef enum RecsysImageError
{
	RECSYS_IMAGE_OK = 0,
	RECSYS_IMAGE_UNKNOWN_FORMAT,
	RECSYS_IMAGE_TOO_MANY_BYTES,
	RECSYS_IMAGE_TOO_MANY_PIXELS,
	RECSYS_IMAGE_TOO_SLOW,
	RECSYS_IMAGE_DAMAGED,		/* or cut short */
	RECSYS_IMAGE_NOT_BUILT		/* RECSYS_IMAGES=no, see the Makefile */
} RecsysImageError;

/* 8-bit RGB, rows from the top; a picture larger than the descriptor needs is scaled down while it is decoded. */
typedef struct RecsysImage
{
	int			width;			/* of pixels */
	int			height;
	double		aspect;			/* declared width by height */
	bool		gray;			/* the file has no colours */
	unsigned char *pixels;		/* 3 * width * height; palloc'd */
} RecsysImage;

/*
 * message (may be NULL) gets what the library says, or the declared size of a picture that has too many pixels, in
 * static memory; empty if there is nothing to say.
 */
extern RecsysImageError RecsysDecodeImage(const void *bytes, Size size,
										  const RecsysImageLimits *limits, RecsysImage *image,
										  const char **message);

/* Numbers of a descriptor: the same for every picture */
extern int	RecsysDescriptorLength(void);

/*
 * descriptor.c: a unit vector: histograms of oriented gradients (Dalal and Triggs 2005), colours
 * in CIELAB, aspect.  The inner product of two is how alike they look.
 */
extern void RecsysDescribeImage(const RecsysImage *image, float *descriptor);

#endif							/* RECSYS_IMAGE_H */
