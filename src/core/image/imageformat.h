/*
 * imageformat.h
 *	  Which format a file has, and where in it is what the decoders and the orientation need.
 */
#ifndef RECSYS_IMAGEFORMAT_H
#define RECSYS_IMAGEFORMAT_H

#include "core/base/platform.h"

typedef enum RecsysImageFormat
{
	RECSYS_FORMAT_UNKNOWN,
	RECSYS_FORMAT_JPEG,
	RECSYS_FORMAT_PNG,
	RECSYS_FORMAT_WEBP
} RecsysImageFormat;

/* Bytes within a file */
typedef struct RecsysFilePart
{
	const unsigned char *bytes;
	Size		size;			/* 0: there is none */
} RecsysFilePart;

extern RecsysImageFormat RecsysImageFormatOf(const unsigned char *bytes, Size size);

/* The metadata that cameras write (a TIFF structure, from its byte order on) */
extern RecsysFilePart RecsysFindExif(RecsysImageFormat format, const unsigned char *bytes,
									 Size size);

/* The first picture of an animated WebP */
extern RecsysFilePart RecsysFindWebPFrame(const unsigned char *bytes, Size size);

#endif							/* RECSYS_IMAGEFORMAT_H */
