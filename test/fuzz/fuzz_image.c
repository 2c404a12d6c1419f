/*
 * fuzz_image.c
 *	  Whatever bytes it is given, the decoder of images ends with a picture or an error, and the
 *	  descriptor of a picture is a unit vector.
 *
 * Built for libFuzzer by fuzz.sh, with the sources of src/core.  With -DREPLAY it is a program
 * that takes files instead, for compilers without libFuzzer.
 */
#include "core/image/image.h"

extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

/* smaller than those of the SQL function: what is slow finds nothing */
static const RecsysImageLimits limits = {1024 * 1024, 1024 * 1024, 2000};

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	Size		before = standalone_memory_now;
	RecsysImage image;
	const char *message;
	float		descriptor[4096];
	double		square = 0;
	RecsysImageError error = RecsysDecodeImage(data, size, &limits, &image, &message);

	if (error == RECSYS_IMAGE_OK)
	{
		/* it takes longer than decoding such small files, where most faults would be */
		if (size % 8 == 0)
		{
			RecsysDescribeImage(&image, descriptor);
			for (int i = 0; i < RecsysDescriptorLength(); i++)
				square += (double) descriptor[i] * descriptor[i];
			if (!(fabs(square - 1) < 1e-3))
				abort();
		}
		pfree(image.pixels);
	}
	else if (image.pixels != NULL || message == NULL)
		abort();
	if (standalone_memory_now != before)
		abort();
	return 0;
}

#ifdef REPLAY
#include "replay.h"
#endif
