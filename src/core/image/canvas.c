/*
 * canvas.c
 *	  Resampling by a triangle as wide as a pixel of the canvas or of the picture, whichever is
 *	  the wider one: neither steps when it grows, nor stray patterns when it shrinks.
 *
 * Columns first, then rows.
 */
#include "core/image/canvas.h"

#include <math.h>

#include "core/image/cielab.h"

/* The pixels that make one of the canvas in one direction, and what each counts */
typedef struct Taps
{
	int			first;
	int			n;
	bool		inside;
	float	   *weights;		/* sum up to 1 */
} Taps;

/*
 * Taps of all pixels along a side, in one piece of memory.
 */
static Taps *
make_taps(float start, float length, int pixels)
{
	float		step = length / RECSYS_CANVAS;
	float		radius = Max(step, 1.0f);
	int			most = (int) ceilf(2 * radius) + 2;
	Taps	   *taps = palloc(RECSYS_CANVAS * (sizeof(Taps) + most * sizeof(float)));
	float	   *weights = (float *) (taps + RECSYS_CANVAS);

	for (int i = 0; i < RECSYS_CANVAS; i++, weights += most)
	{
		float		center = start + ((float) i + 0.5f) * step - 0.5f;
		int			first = (int) floorf(center - radius) + 1;
		int			last = (int) ceilf(center + radius) - 1;
		float		sum = 0;

		taps[i].inside = center > -0.5f && center < (float) pixels - 0.5f;
		first = Min(Max(first, 0), pixels - 1);
		last = Max(Min(Min(last, pixels - 1), first + most - 1), first);
		taps[i].first = first;
		taps[i].n = last - first + 1;
		taps[i].weights = weights;
		for (int j = first; j <= last; j++)
			sum += weights[j - first] = Max(radius - fabsf((float) j - center), 1e-6f * radius);
		for (int j = 0; j < taps[i].n; j++)
			weights[j] /= sum;
	}
	return taps;
}

void
RecsysFillCanvas(const RecsysImage *image, const RecsysFrame *frame, RecsysCanvas *canvas)
{
	Taps	   *columns = make_taps(frame->left, frame->width, image->width);
	Taps	   *rows = make_taps(frame->top, frame->height, image->height);
	int			top = rows[0].first;
	int			height = rows[RECSYS_CANVAS - 1].first + rows[RECSYS_CANVAS - 1].n - top;
	float	   *narrow = palloc((Size) height * RECSYS_CANVAS * 3 * sizeof(float));

	for (int y = 0; y < height; y++)
	{
		const unsigned char *row = image->pixels + (Size) 3 * image->width * (top + y);
		float	   *to = narrow + (Size) y * RECSYS_CANVAS * 3;

		for (int x = 0; x < RECSYS_CANVAS; x++, to += 3)
		{
			const unsigned char *from = row + (Size) 3 * columns[x].first;

			to[0] = to[1] = to[2] = 0;
			for (int i = 0; i < columns[x].n; i++, from += 3)
				for (int c = 0; c < 3; c++)
					to[c] += columns[x].weights[i] * from[c];
		}
	}
	for (int y = 0; y < RECSYS_CANVAS; y++)
		for (int x = 0; x < RECSYS_CANVAS; x++)
		{
			const float *from = narrow + ((Size) (rows[y].first - top) * RECSYS_CANVAS + x) * 3;
			float		rgb[3] = {0, 0, 0};
			float		lab[3];

			for (int i = 0; i < rows[y].n; i++, from += 3 * RECSYS_CANVAS)
				for (int c = 0; c < 3; c++)
					rgb[c] += rows[y].weights[i] * from[c];
			RecsysRGBToLab(rgb, lab);
			for (int c = 0; c < 3; c++)
				canvas->lab[c][y * RECSYS_CANVAS + x] = lab[c];
			canvas->inside[y * RECSYS_CANVAS + x] = columns[x].inside && rows[y].inside;
		}
	pfree(narrow);
	pfree(columns);
	pfree(rows);
}
