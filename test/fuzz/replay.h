/*
 * replay.h
 *	  A main() that hands files to a fuzz target, one after the other, without libFuzzer: for valgrind and
 *	  other compilers.  Compile the target with -DREPLAY.
 */
#include <stdio.h>
#include <stdlib.h>

#define LARGEST_FILE (1024 * 1024)

int
main(int argc, char **argv)
{
	unsigned char *data = malloc(LARGEST_FILE);

	for (int i = 1; i < argc; i++)
	{
		FILE	   *file = fopen(argv[i], "rb");
		size_t		size;

		if (file == NULL || data == NULL)
			return 1;
		size = fread(data, 1, LARGEST_FILE, file);
		fclose(file);
		LLVMFuzzerTestOneInput(data, size);
	}
	free(data);
	return 0;
}
