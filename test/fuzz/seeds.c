/*
 * seeds.c
 *	  Writes a small file of each kind of image into a folder, for the fuzzer to begin with.
 */
#include "imagefiles.h"

int
main(int argc, char **argv)
{
	unsigned char *rgba = image_pixels(19, 23);

	for (ImageKind kind = 0; argc > 1 && kind < IMAGE_KINDS; kind++)
	{
		ImageFile	file = image_file(kind, rgba, 19, 23, 6);
		char		path[1000];
		FILE	   *out;

		snprintf(path, sizeof(path), "%s/%s", argv[1], image_kind_name(kind));
		out = fopen(path, "wb");
		if (out == NULL || fwrite(file.bytes, file.size, 1, out) != 1 || fclose(out) != 0)
			return 1;
		free(file.bytes);
	}
	free(rgba);
	return 0;
}
