/*
 * test_image.c
 *	  Image files of all kinds against the pixels that they were made of; hostile ones; descriptors.
 */
#include "core/image/image.h"

#include "imagefiles.h"
#include "tap.h"

#define WIDTH 37
#define HEIGHT 29

static const RecsysImageLimits limits = {32 * 1024 * 1024, 40 * 1000 * 1000, 10000};

static RecsysImageError
decode(ImageFile file, RecsysImage *image)
{
	return RecsysDecodeImage(file.bytes, file.size, &limits, image, NULL);
}

/* Mean difference of all numbers of a picture from those expected; 999 if the size is another one */
static double
difference(const RecsysImage *image, int width, int height, const unsigned char *rgb)
{
	double		sum = 0;

	if (image->width != width || image->height != height)
		return 999;
	for (int i = 0; i < 3 * width * height; i++)
		sum += abs(image->pixels[i] - rgb[i]);
	return sum / (3 * width * height);
}

static void
test_kinds(void)
{
	unsigned char *rgba = image_pixels(WIDTH, HEIGHT);

	for (ImageKind kind = 0; kind < IMAGE_KINDS; kind++)
	{
		ImageFile	file = image_file(kind, rgba, WIDTH, HEIGHT, 0);
		unsigned char *expected = image_expected(kind, rgba, WIDTH, HEIGHT);
		RecsysImage image;
		double		off = 999;

		if (decode(file, &image) == RECSYS_IMAGE_OK)
		{
			off = difference(&image, WIDTH, HEIGHT, expected);
			ok(image.gray == (kind <= PNG_GRAY_ALPHA || kind == JPEG_GRAY) &&
			   fabs(image.aspect - (double) WIDTH / HEIGHT) < 1e-9, "%s: gray or not, aspect", image_kind_name(kind));
			pfree(image.pixels);
		}
		ok(off <= (image_kind_is_exact(kind) ? 0 : 5), "%s: the pixels are right (%.2f off)", image_kind_name(kind), off);
		free(expected);
		free(file.bytes);
	}
	free(rgba);
}

/* Where in the upright picture the pixel x, y of the file belongs, by the words of the standard */
static void
upright(int orientation, int *x, int *y)
{
	int			column = *x;
	int			row = *y;

	/* what the first row and the first column of the file are: top, right side, ... */
	switch (orientation)
	{
		case 2:
			*x = WIDTH - 1 - column;
			break;
		case 3:
			*x = WIDTH - 1 - column;
			*y = HEIGHT - 1 - row;
			break;
		case 4:
			*y = HEIGHT - 1 - row;
			break;
		case 5:
			*x = row;
			*y = column;
			break;
		case 6:
			*x = HEIGHT - 1 - row;
			*y = column;
			break;
		case 7:
			*x = HEIGHT - 1 - row;
			*y = WIDTH - 1 - column;
			break;
		case 8:
			*x = row;
			*y = WIDTH - 1 - column;
			break;
	}
}

static void
test_orientation(void)
{
	unsigned char *rgba = image_pixels(WIDTH, HEIGHT);
	ImageFile	plain = image_file(JPEG_444, rgba, WIDTH, HEIGHT, 0);
	RecsysImage reference;

	ok(decode(plain, &reference) == RECSYS_IMAGE_OK, "a photo without orientation");
	for (int orientation = 1; orientation <= 9; orientation++)
	{
		ImageFile	file = image_file(JPEG_444, rgba, WIDTH, HEIGHT, orientation);
		int			width = orientation >= 5 && orientation <= 8 ? HEIGHT : WIDTH;
		bool		same;
		RecsysImage image;

		same = decode(file, &image) == RECSYS_IMAGE_OK && image.width == width &&
			image.height == WIDTH + HEIGHT - width && fabs(image.aspect - (double) width / image.height) < 1e-9;
		for (int y = 0; same && y < HEIGHT; y++)
			for (int x = 0; x < WIDTH; x++)
			{
				int			column = x;
				int			row = y;

				upright(orientation, &column, &row);
				same = same && memcmp(image.pixels + 3 * (row * width + column),
									  reference.pixels + 3 * (y * WIDTH + x), 3) == 0;
			}
		ok(same, "orientation %d is undone", orientation);
		if (image.pixels != NULL)
			pfree(image.pixels);
		free(file.bytes);
	}
	pfree(reference.pixels);
	free(plain.bytes);
	free(rgba);
}

/* Large pictures: means of squares, the last ones cut off */
static void
test_shrinking(void)
{
	const int	width = 1001;
	const int	height = 613;
	const int	factor = 3;		/* 1001 / 256 */
	const int	columns = (1001 + 2) / 3;
	const int	rows = (613 + 2) / 3;
	unsigned char *rgba = image_pixels(width, height);
	unsigned char *expected = image_expected(PNG_RGBA, rgba, width, height);
	unsigned char *means = malloc((size_t) 3 * columns * rows);
	uint64		checks = standalone_interrupt_checks;

	for (int i = 0; i < 3 * columns * rows; i++)
	{
		int			left = i / 3 % columns * factor;
		int			top = i / 3 / columns * factor;
		int			sum = 0;
		int			n = 0;

		for (int y = top; y < top + factor && y < height; y++)
			for (int x = left; x < left + factor && x < width; x++, n++)
				sum += expected[3 * (y * width + x) + i % 3];
		means[i] = (unsigned char) ((sum + n / 2) / n);
	}
	for (int i = 0; i < 4; i++)
	{
		static const ImageKind kinds[] = {PNG_RGBA, PNG_RGBA_INTERLACED, WEBP_LOSSLESS_RGBA, JPEG_PROGRESSIVE};
		ImageFile	file = image_file(kinds[i], rgba, width, height, 0);
		RecsysImage image;

		ok(decode(file, &image) == RECSYS_IMAGE_OK, "%s: a large picture", image_kind_name(kinds[i]));
		if (kinds[i] <= PNG_PALETTE)
			ok(difference(&image, columns, rows, means) == 0, "%s: means of squares", image_kind_name(kinds[i]));
		else
			ok(Max(image.width, image.height) >= 256 && Max(image.width, image.height) < 512,
			   "%s: is made smaller", image_kind_name(kinds[i]));
		if (image.pixels != NULL)
			pfree(image.pixels);
		free(file.bytes);
	}
	ok(standalone_interrupt_checks > checks + 10, "a large picture can be interrupted");
	free(means);
	free(expected);
	free(rgba);
}

/* Sets the size that a file declares. */
static void
declare_size(ImageKind kind, ImageFile file, int width, int height)
{
	for (size_t i = 0; kind >= JPEG_GRAY && i + 9 < file.size; i++)
		if (file.bytes[i] == 0xFF && (file.bytes[i + 1] == 0xC0 || file.bytes[i + 1] == 0xC2))
		{
			file.bytes[i + 5] = (unsigned char) (height >> 8);
			file.bytes[i + 6] = (unsigned char) height;
			file.bytes[i + 7] = (unsigned char) (width >> 8);
			file.bytes[i + 8] = (unsigned char) width;
			return;
		}
}

static void
test_limits(void)
{
	/* 65,535 by 65,535, and no more than a header */
	static const unsigned char bomb[] =
	"\x89PNG\r\n\x1A\n\0\0\0\15IHDR\0\0\xFF\xFF\0\0\xFF\xFF\10\6\0\0\0\xB6\x05\xD9\x50\0\0\0\0" "IDAT";
	/* lossless WebP of 16,384 by 16,384 */
	static const unsigned char webp[] = "RIFF\x12\0\0\0WEBPVP8L\5\0\0\0\x2F\xFF\xFF\xFF\x0F\0";
	unsigned char *rgba = image_pixels(700, 500);
	ImageFile	file = image_file(JPEG_PROGRESSIVE, rgba, 700, 500, 0);
	RecsysImageLimits narrow = limits;
	RecsysImage image;
	const char *said;
	Size		peak;

	standalone_memory_peak = standalone_memory_now;
	ok(RecsysDecodeImage(bomb, sizeof(bomb) - 1, &limits, &image, &said) == RECSYS_IMAGE_TOO_MANY_PIXELS &&
	   strcmp(said, "65535 x 65535") == 0 && sizeof(bomb) - 1 == 41, "41 bytes that declare four billion pixels are refused");
	peak = standalone_memory_peak - standalone_memory_now;
	ok(peak < 1024 * 1024, "and takes little memory (%zu bytes)", peak);
	ok(RecsysDecodeImage(webp, sizeof(webp) - 1, &limits, &image, &said) == RECSYS_IMAGE_TOO_MANY_PIXELS &&
	   strcmp(said, "16384 x 16384") == 0, "so is a WebP");
	narrow.bytes = file.size - 1;
	ok(RecsysDecodeImage(file.bytes, file.size, &narrow, &image, NULL) == RECSYS_IMAGE_TOO_MANY_BYTES, "too many bytes");
	narrow = limits;
	narrow.pixels = 700 * 500 - 1;
	ok(RecsysDecodeImage(file.bytes, file.size, &narrow, &image, &said) == RECSYS_IMAGE_TOO_MANY_PIXELS &&
	   strcmp(said, "700 x 500") == 0, "too many pixels");
	narrow = limits;
	narrow.milliseconds = 0;
	ok(RecsysDecodeImage(file.bytes, file.size, &narrow, &image, NULL) == RECSYS_IMAGE_TOO_SLOW, "too slow");
	declare_size(JPEG_PROGRESSIVE, file, 65000, 65000);
	ok(decode(file, &image) == RECSYS_IMAGE_TOO_MANY_PIXELS, "a photo that declares four billion pixels");
	ok(RecsysDecodeImage("GIF89a", 6, &limits, &image, &said) == RECSYS_IMAGE_UNKNOWN_FORMAT && said[0] == '\0',
	   "another format");
	ok(RecsysDecodeImage("", 0, &limits, &image, NULL) == RECSYS_IMAGE_UNKNOWN_FORMAT, "nothing at all");
	free(file.bytes);
	free(rgba);
}

/* Cut short at each byte, and with bytes changed: an error or a picture, and nothing is left. */
static void
test_damage(void)
{
	unsigned char *rgba = image_pixels(WIDTH, HEIGHT);

	for (ImageKind kind = 0; kind < IMAGE_KINDS; kind++)
	{
		ImageFile	whole = image_file(kind, rgba, WIDTH, HEIGHT, 0);
		Size		before = standalone_memory_now;
		unsigned	random = 7;
		bool		refused = true;
		RecsysImage image;

		for (size_t size = 0; size < whole.size; size++)
		{
			/* what is read beyond the end shows under a sanitizer */
			ImageFile	cut = {malloc(size), size};

			memcpy(cut.bytes, whole.bytes, size);
			if (decode(cut, &image) == RECSYS_IMAGE_OK)
			{
				refused = refused && size > whole.size * (kind == WEBP_ANIMATED ? 2 : 3) / 4;
				pfree(image.pixels);
			}
			free(cut.bytes);
		}
		ok(refused && standalone_memory_now == before, "%s: is refused when it is cut short", image_kind_name(kind));
		for (int i = 0; i < 1000; i++)
		{
			ImageFile	changed = {malloc(whole.size), whole.size};

			memcpy(changed.bytes, whole.bytes, whole.size);
			for (int j = 0; j < 1 + i % 4; j++)
			{
				random = random * 1103515245 + 12345;
				changed.bytes[(random >> 8) % whole.size] = (unsigned char) (random >> 24);
			}
			if (decode(changed, &image) == RECSYS_IMAGE_OK)
				pfree(image.pixels);
			free(changed.bytes);
		}
		ok(standalone_memory_now == before, "%s: with bytes changed", image_kind_name(kind));
		free(whole.bytes);
	}
	free(rgba);
}

static float *
describe(const unsigned char *rgba, int width, int height, ImageKind kind)
{
	ImageFile	file = image_file(kind, rgba, width, height, 0);
	float	   *descriptor = malloc(RecsysDescriptorLength() * sizeof(float));
	RecsysImage image;

	if (decode(file, &image) == RECSYS_IMAGE_OK)
	{
		RecsysDescribeImage(&image, descriptor);
		pfree(image.pixels);
	}
	free(file.bytes);
	return descriptor;
}

static double
likeness(const float *a, const float *b)
{
	double		sum = 0;

	for (int i = 0; i < RecsysDescriptorLength(); i++)
		sum += (double) a[i] * b[i];
	return sum;
}

static void
test_descriptor(void)
{
	unsigned char *small = image_pixels(60, 45);
	unsigned char *large = image_pixels(900, 675);
	unsigned char *blank = calloc(16, 4);
	float	   *png = describe(small, 60, 45, PNG_RGB);
	float	   *webp = describe(small, 60, 45, WEBP_LOSSLESS);
	float	   *jpeg = describe(small, 60, 45, JPEG_444);
	float	   *big = describe(large, 900, 675, JPEG_420);
	float	   *gray = describe(small, 60, 45, PNG_GRAY);
	float	   *dot = describe(blank, 1, 1, PNG_RGB);
	float	   *line = describe(large, 900, 1, PNG_RGB);
	float	   *all[] = {png, webp, jpeg, big, gray, dot, line};

	for (size_t i = 0; i < lengthof(all); i++)
		ok(fabs(likeness(all[i], all[i]) - 1) < 1e-5, "descriptor %zu is a unit vector", i);
	ok(memcmp(png, webp, RecsysDescriptorLength() * sizeof(float)) == 0, "one picture in two formats is described alike");
	ok(likeness(png, jpeg) > 0.98, "a lossy one nearly so (%.4f)", likeness(png, jpeg));
	ok(likeness(png, big) > 0.9, "a large one much the same (%.4f)", likeness(png, big));
	ok(likeness(png, gray) > 0.8 && likeness(png, gray) < 0.99, "without its colors it is less alike (%.4f)",
	   likeness(png, gray));
	ok(likeness(png, dot) < 0.3, "and not like nothing (%.4f)", likeness(png, dot));
	for (size_t i = 0; i < lengthof(all); i++)
		free(all[i]);
	free(small);
	free(large);
	free(blank);
}

void
test_image(void)
{
	test_kinds();
	test_orientation();
	test_shrinking();
	test_limits();
	test_damage();
	test_descriptor();
}
