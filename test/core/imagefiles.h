/*
 * imagefiles.h
 *	  Small image files in all variants, made by the codecs' own encoders, for tests and as seeds of the fuzzer.
 */
#ifndef RECSYS_TEST_IMAGEFILES_H
#define RECSYS_TEST_IMAGEFILES_H

#include "core/base/platform.h"

typedef enum ImageKind
{
	PNG_GRAY,
	PNG_GRAY_1,					/* black and white, one bit a pixel */
	PNG_GRAY_ALPHA,
	PNG_RGB,
	PNG_RGB_16,
	PNG_RGBA,
	PNG_RGBA_INTERLACED,
	PNG_PALETTE,				/* of 16 colors, some of them not opaque */
	WEBP_LOSSLESS,
	WEBP_LOSSLESS_RGBA,
	WEBP_ANIMATED,				/* two pictures, lossless */
	WEBP_LOSSY,
	JPEG_GRAY,
	JPEG_444,
	JPEG_420,
	JPEG_PROGRESSIVE,
	JPEG_RESTARTS,
	JPEG_CMYK,
	IMAGE_KINDS
} ImageKind;

typedef struct ImageFile
{
	unsigned char *bytes;		/* malloc'd */
	size_t		size;
} ImageFile;

extern const char *image_kind_name(ImageKind kind);
extern bool image_kind_is_exact(ImageKind kind);

/* The pixels of the test picture, RGBA, malloc'd: areas, ramps, some noise */
extern unsigned char *image_pixels(int width, int height);

/* What a decoder should make of them, RGB, malloc'd */
extern unsigned char *image_expected(ImageKind kind, const unsigned char *rgba, int width, int height);

/* orientation: 0 leaves it out; JPEG only */
extern ImageFile image_file(ImageKind kind, const unsigned char *rgba, int width, int height,
							int orientation);

#endif							/* RECSYS_TEST_IMAGEFILES_H */
