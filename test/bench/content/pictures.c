/*
 * pictures.c
 *	  Fashion-MNIST as PNG files in text for COPY, and how good raw pixels are at it.
 *
 *	  pictures rows IMAGES LABELS FIRST			>rows
 *	  pictures raw EVERY IMAGES LABELS IMAGES LABELS	>figures
 *
 * The files are those of the data set, unpacked: bytes behind a short header.
 *
 * rows: number, class and the picture as bytea, numbered from FIRST.
 *
 * raw: of every EVERYth picture (numbers 0, EVERY, …) the ten nearest ones of all by Euclidean
 * distance of raw pixels, itself left out; prints class, number of pictures asked for, and how
 * many of their neighbors are of their class.  Exact: all with all, in integers.
 */
#include <inttypes.h>
#include <png.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE 28
#define PIXELS (SIDE * SIDE)
#define CLASSES 10
#define NEAREST 10
#define BLOCK 8
#define IMAGES_HEADER 16
#define LABELS_HEADER 8

static void
stop(const char *what)
{
	fprintf(stderr, "pictures: %s\n", what);
	exit(1);
}

static unsigned char *
read_file(const char *path, size_t header, size_t each, size_t *n)
{
	FILE	   *file = fopen(path, "rb");
	unsigned char *bytes;
	long		size;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < (long) header || fseek(file, (long) header, SEEK_SET) != 0)
		stop(path);
	*n = ((size_t) size - header) / each;
	bytes = malloc(*n * each);
	if (bytes == NULL || fread(bytes, each, *n, file) != *n)
		stop(path);
	fclose(file);
	return bytes;
}

static void
put_rows(const char *images_path, const char *labels_path, uint64_t first)
{
	size_t		n;
	size_t		nlabels;
	unsigned char *images = read_file(images_path, IMAGES_HEADER, PIXELS, &n);
	unsigned char *labels = read_file(labels_path, LABELS_HEADER, 1, &nlabels);
	unsigned char file[16384];

	if (n != nlabels)
		stop("not as many labels as images");
	for (size_t x = 0; x < n; x++)
	{
		png_image	png = {.version = PNG_IMAGE_VERSION,.width = SIDE,.height = SIDE,.format = PNG_FORMAT_GRAY};
		png_alloc_size_t size = sizeof(file);

		if (!png_image_write_to_memory(&png, file, &size, 0, images + x * PIXELS, SIDE, NULL))
			stop(png.message);
		printf("%" PRIu64 "\t%d\t\\\\x", first + x, labels[x]);
		for (size_t y = 0; y < size; y++)
			printf("%02x", file[y]);
		putchar('\n');
	}
	free(images);
	free(labels);
}

typedef struct Nearest
{
	int			n;
	int			distances[NEAREST];	/* ascending */
	int			labels[NEAREST];
} Nearest;

static void
offer(Nearest *nearest, int distance, int label)
{
	int			x;

	if (nearest->n == NEAREST && distance >= nearest->distances[NEAREST - 1])
		return;
	if (nearest->n < NEAREST)
		nearest->n++;
	for (x = nearest->n - 1; x > 0 && nearest->distances[x - 1] > distance; x--)
	{
		nearest->distances[x] = nearest->distances[x - 1];
		nearest->labels[x] = nearest->labels[x - 1];
	}
	nearest->distances[x] = distance;
	nearest->labels[x] = label;
}

static int
product(const int16_t *a, const int16_t *b)
{
	int			sum = 0;

	for (int x = 0; x < PIXELS; x++)
		sum += a[x] * b[x];
	return sum;
}

static void
measure_raw(size_t every, char **paths)
{
	size_t		counts[2];
	size_t		n = 0;
	int16_t    *pixels;
	int		   *squares;
	unsigned char *labels;
	size_t		asked[CLASSES] = {0};
	size_t		hits[CLASSES] = {0};

	for (int part = 0; part < 2; part++)
	{
		free(read_file(paths[2 * part + 1], LABELS_HEADER, 1, &counts[part]));
		n += counts[part];
	}
	pixels = malloc(n * PIXELS * sizeof(int16_t));
	squares = malloc(n * sizeof(int));
	labels = malloc(n);
	if (pixels == NULL || squares == NULL || labels == NULL)
		stop("out of memory");
	for (int part = 0; part < 2; part++)
	{
		size_t		start = part == 0 ? 0 : counts[0];
		size_t		count;
		unsigned char *images = read_file(paths[2 * part], IMAGES_HEADER, PIXELS, &count);
		unsigned char *classes = read_file(paths[2 * part + 1], LABELS_HEADER, 1, &count);

		for (size_t x = 0; x < count * PIXELS; x++)
			pixels[start * PIXELS + x] = images[x];
		memcpy(labels + start, classes, count);
		free(images);
		free(classes);
	}
	for (size_t x = 0; x < n; x++)
		squares[x] = product(pixels + x * PIXELS, pixels + x * PIXELS);
	for (size_t query = 0; query < n; query += BLOCK * every)
	{
		Nearest		nearest[BLOCK] = {{0}};

		for (size_t x = 0; x < n; x++)
		{
			for (size_t y = 0; y < BLOCK && query + y * every < n; y++)
			{
				size_t		q = query + y * every;

				if (q != x)
					offer(&nearest[y], squares[x] - 2 * product(pixels + x * PIXELS, pixels + q * PIXELS), labels[x]);
			}
		}
		for (size_t y = 0; y < BLOCK && query + y * every < n; y++)
		{
			int			label = labels[query + y * every];

			asked[label]++;
			for (int z = 0; z < nearest[y].n; z++)
				hits[label] += nearest[y].labels[z] == label;
		}
	}
	for (int label = 0; label < CLASSES; label++)
		printf("%d\t%zu\t%zu\n", label, asked[label], hits[label]);
	free(pixels);
	free(squares);
	free(labels);
}

int
main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "rows") == 0)
		put_rows(argv[2], argv[3], strtoull(argv[4], NULL, 10));
	else if (argc == 7 && strcmp(argv[1], "raw") == 0 && atoi(argv[2]) > 0)
		measure_raw((size_t) atoi(argv[2]), argv + 3);
	else
	{
		fputs("usage: pictures rows IMAGES LABELS FIRST | pictures raw EVERY IMAGES LABELS IMAGES LABELS\n", stderr);
		return 2;
	}
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
