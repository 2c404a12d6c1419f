/*
 * imagedecoding.h
 *	  What the decoders share: limits, where the pixels go, what has gone wrong.
 *
 * A decoder reads the header, calls RecsysDecodingBegin with the declared size, and then decodes row by row, with
 * RecsysDecodingGoesOn in between.  When one of the two is false, or it has called
 * RecsysDecodingFail, it frees what is its own and returns; an error that the server reports on
 * the way (a cancelled query, no memory) passes through PG_FINALLY, where it does the same.
 */
#ifndef RECSYS_IMAGEDECODING_H
#define RECSYS_IMAGEDECODING_H

#include "core/image/image.h"
#include "core/image/shrink.h"

/* No side may be longer: what the formats' decoders allocate for a row stays small. */
#define RECSYS_IMAGE_MAX_SIDE 65535

typedef struct RecsysDecoding
{
	const unsigned char *bytes;
	Size		size;
	RecsysImageLimits limits;
	int64		deadline;		/* of the processor's clock, in nanoseconds */
	uint64		unchecked;		/* pixels decoded since it was looked at */
	double		aspect;
	RecsysShrink *shrink;
	RecsysImageError error;
} RecsysDecoding;

/* Says why it is false. */
extern bool RecsysDecodingBegin(RecsysDecoding *decoding, uint32 width, uint32 height);

/* The size in which pixels will come, which is the declared one unless the decoder scales. */
extern void RecsysDecodingExpect(RecsysDecoding *decoding, int width, int height);

/* To be called after so many pixels. */
extern bool RecsysDecodingGoesOn(RecsysDecoding *decoding, uint64 pixels);

/* The first of several reasons counts.  text is copied; NULL: nothing more is to be said. */
extern void RecsysDecodingFail(RecsysDecoding *decoding, RecsysImageError error, const char *text);

extern void RecsysDecodeJPEG(RecsysDecoding *decoding);
extern void RecsysDecodePNG(RecsysDecoding *decoding);
extern void RecsysDecodeWebP(RecsysDecoding *decoding);

#endif							/* RECSYS_IMAGEDECODING_H */
