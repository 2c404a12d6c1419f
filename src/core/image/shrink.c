/*
 * shrink.c
 *	  Means of squares of pixels.
 *
 * A square has at most as many pixels as fit 32 bits with 255 each: a side of n pixels is divided
 * by n / 256 at most, so there are at least 256 squares in that direction.
 */
#include "core/image/shrink.h"

struct RecsysShrink
{
	int			width;
	int			height;
	int			factor;
	int			columns;
	int			rows;
	uint32	   *sums;			/* 3 a square; NULL if a square is a pixel */
	unsigned char *pixels;
};

int
RecsysShrinkFactor(int side)
{
	return Max(1, side / RECSYS_IMAGE_SIDE);
}

RecsysShrink *
RecsysShrinkCreate(int width, int height)
{
	RecsysShrink *shrink = palloc0(sizeof(RecsysShrink));
	Size		numbers;

	shrink->width = width;
	shrink->height = height;
	shrink->factor = RecsysShrinkFactor(Max(width, height));
	shrink->columns = (width + shrink->factor - 1) / shrink->factor;
	shrink->rows = (height + shrink->factor - 1) / shrink->factor;
	numbers = (Size) 3 * shrink->columns * shrink->rows;
	shrink->pixels = palloc0(numbers);
	if (shrink->factor > 1)
		shrink->sums = palloc0(numbers * sizeof(uint32));
	return shrink;
}

static inline void
over_white(const unsigned char *pixel, int channels, unsigned *rgb)
{
	if (channels == 1)
		rgb[0] = rgb[1] = rgb[2] = pixel[0];
	else if (channels == 3 || pixel[3] == 255)
	{
		rgb[0] = pixel[0];
		rgb[1] = pixel[1];
		rgb[2] = pixel[2];
	}
	else
	{
		unsigned	opacity = pixel[3];
		unsigned	white = 255 * (255 - opacity) + 127;

		for (int i = 0; i < 3; i++)
			rgb[i] = (pixel[i] * opacity + white) / 255;
	}
}

void
RecsysShrinkAdd(RecsysShrink *shrink, const unsigned char *pixels, int channels, int y, int first,
				int step, int n)
{
	Size		row = (Size) 3 * shrink->columns * (y / shrink->factor);
	int			column = first / shrink->factor;
	int			inside = first % shrink->factor;
	unsigned	rgb[3];

	Assert(y < shrink->height && (n == 0 || first + (int64) step * (n - 1) < shrink->width));
	for (int i = 0; i < n; i++, pixels += channels)
	{
		over_white(pixels, channels, rgb);
		if (shrink->sums == NULL)
		{
			unsigned char *pixel = shrink->pixels + row + 3 * column;

			pixel[0] = (unsigned char) rgb[0];
			pixel[1] = (unsigned char) rgb[1];
			pixel[2] = (unsigned char) rgb[2];
			column += step;
		}
		else
		{
			uint32	   *sum = shrink->sums + row + 3 * column;

			sum[0] += rgb[0];
			sum[1] += rgb[1];
			sum[2] += rgb[2];
			for (inside += step; inside >= shrink->factor; inside -= shrink->factor)
				column++;
		}
	}
}

/* How many of the pixels 0 to all - 1 are in square number i? */
static uint32
within(int i, int factor, int all)
{
	return (uint32) Min(factor, all - i * factor);
}

void
RecsysShrinkFinish(RecsysShrink *shrink, RecsysImage *image)
{
	unsigned char *pixel = shrink->pixels;
	uint32	   *sum = shrink->sums;

	image->gray = true;
	for (int y = 0; y < shrink->rows; y++)
		for (int x = 0; x < shrink->columns; x++, pixel += 3)
		{
			if (sum != NULL)
			{
				uint32		count = within(x, shrink->factor, shrink->width) *
					within(y, shrink->factor, shrink->height);

				for (int i = 0; i < 3; i++)
					pixel[i] = (unsigned char) ((sum[i] + count / 2) / count);
				sum += 3;
			}
			if (pixel[0] != pixel[1] || pixel[1] != pixel[2])
				image->gray = false;
		}
	image->width = shrink->columns;
	image->height = shrink->rows;
	image->pixels = shrink->pixels;
	shrink->pixels = NULL;
}

void
RecsysShrinkFree(RecsysShrink *shrink)
{
	if (shrink == NULL)
		return;
	if (shrink->pixels != NULL)
		pfree(shrink->pixels);
	if (shrink->sums != NULL)
		pfree(shrink->sums);
	pfree(shrink);
}
