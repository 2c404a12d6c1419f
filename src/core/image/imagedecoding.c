/*
 * imagedecoding.c
 *	  From a file to a small picture, within limits.
 *
 * Why three codec libraries and not libvips, which reads all three formats and is fuzzed as a whole: it
 * brings glib and threads into a backend, which PostgreSQL's signals and error handling know
 * nothing of; a cache and settings of the whole process; and some forty libraries in whose parsers an uploaded
 * file could end up.  libjpeg-turbo, libpng and libwebp are fuzzed all the time, too, start no
 * thread unless told to, and show the header before they decode.  What libvips would
 * add is what this room does: limits, scaling while decoding, one kind of pixels.
 *
 * Time is that of the processor, not of the clock on the wall: on a busy machine an index must
 * not fail to build for that.
 */
#include "core/image/imagedecoding.h"

#include <time.h>

#include "core/image/imageformat.h"
#include "core/image/orientation.h"

/* pixels between two looks at the clock: less than a millisecond */
#define PIXELS_A_LOOK 32768

static char failure[200];

static int64
processor_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64) now.tv_sec * INT64CONST(1000000000) + now.tv_nsec;
}

void
RecsysDecodingFail(RecsysDecoding *decoding, RecsysImageError error, const char *text)
{
	Size		length;

	if (decoding->error != RECSYS_IMAGE_OK)
		return;
	decoding->error = error;
	length = Min(text == NULL ? 0 : strlen(text), sizeof(failure) - 1);
	/* what a library says may quote bytes of the file */
	for (Size i = 0; i < length; i++)
		failure[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	failure[length] = '\0';
}

bool
RecsysDecodingBegin(RecsysDecoding *decoding, uint32 width, uint32 height)
{
	if (width == 0 || height == 0)
		RecsysDecodingFail(decoding, RECSYS_IMAGE_DAMAGED, "it declares no pixels");
	else if (width > RECSYS_IMAGE_MAX_SIDE || height > RECSYS_IMAGE_MAX_SIDE ||
			 (uint64) width * height > decoding->limits.pixels)
	{
		char		text[60];

		snprintf(text, sizeof(text), "%u x %u", width, height);
		RecsysDecodingFail(decoding, RECSYS_IMAGE_TOO_MANY_PIXELS, text);
	}
	decoding->aspect = (double) width / height;
	return decoding->error == RECSYS_IMAGE_OK;
}

void
RecsysDecodingExpect(RecsysDecoding *decoding, int width, int height)
{
	decoding->shrink = RecsysShrinkCreate(width, height);
}

bool
RecsysDecodingGoesOn(RecsysDecoding *decoding, uint64 pixels)
{
	decoding->unchecked += pixels;
	if (decoding->unchecked >= PIXELS_A_LOOK)
	{
		decoding->unchecked = 0;
		CHECK_FOR_INTERRUPTS();
		if (processor_time() > decoding->deadline)
			RecsysDecodingFail(decoding, RECSYS_IMAGE_TOO_SLOW, NULL);
	}
	return decoding->error == RECSYS_IMAGE_OK;
}

static void
decode(RecsysDecoding *decoding, RecsysImageFormat format)
{
#ifdef RECSYS_NO_IMAGES
	RecsysDecodingFail(decoding, RECSYS_IMAGE_NOT_BUILT, NULL);
#else
	switch (format)
	{
		case RECSYS_FORMAT_JPEG:
			RecsysDecodeJPEG(decoding);
			break;
		case RECSYS_FORMAT_PNG:
			RecsysDecodePNG(decoding);
			break;
		case RECSYS_FORMAT_WEBP:
			RecsysDecodeWebP(decoding);
			break;
		case RECSYS_FORMAT_UNKNOWN:
			RecsysDecodingFail(decoding, RECSYS_IMAGE_UNKNOWN_FORMAT, NULL);
			break;
	}
#endif
}

RecsysImageError
RecsysDecodeImage(const void *bytes, Size size, const RecsysImageLimits *limits,
				  RecsysImage *image, const char **message)
{
	RecsysDecoding decoding = {.bytes = bytes, .size = size, .limits = *limits};
	RecsysImageFormat format = RecsysImageFormatOf(bytes, size);

	memset(image, 0, sizeof(*image));
	decoding.deadline = processor_time() + (int64) limits->milliseconds * 1000000;
	if (size > limits->bytes)
		RecsysDecodingFail(&decoding, RECSYS_IMAGE_TOO_MANY_BYTES, NULL);
	else
		decode(&decoding, format);
	if (decoding.error == RECSYS_IMAGE_OK)
	{
		RecsysShrinkFinish(decoding.shrink, image);
		image->aspect = decoding.aspect;
		RecsysOrient(image, RecsysOrientationOf(RecsysFindExif(format, bytes, size)));
	}
	RecsysShrinkFree(decoding.shrink);
	if (message != NULL)
		*message = decoding.error == RECSYS_IMAGE_OK ? "" : failure;
	return decoding.error;
}
