/*
 * colorhistogram.c
 *	  A joint histogram in CIELAB, of the object's pixels.
 *
 * Each pixel is divided among the eight nearest of the grid's colors, so that a shade more of light changes little.
 * The square root of the shares makes the inner product of two the Bhattacharyya coefficient of
 * their colors.
 */
#include "core/image/colorhistogram.h"

#include <math.h>

#define STEPS RECSYS_COLOR_STEPS
#define CHROMA_STEP 20.0f		/* between two colors of the grid, along a* and b*; beyond the last it is full */

/* Where a color stands along one axis of the grid */
static inline float
place_on_axis(const RecsysCanvas *canvas, int axis, int pixel)
{
	float		value = canvas->lab[axis][pixel];
	float		at = axis == 0 ? value / 100 * (STEPS - 1) : value / CHROMA_STEP + (STEPS - 1) / 2.0f;

	return Min(Max(at, 0.0f), STEPS - 1.001f);
}

void
RecsysColorHistogram(const RecsysCanvas *canvas, const RecsysForeground *foreground, float *numbers)
{
	double		sum = 0;

	memset(numbers, 0, RECSYS_COLOR_NUMBERS * sizeof(float));
	for (int pixel = 0; pixel < RECSYS_CANVAS_PIXELS; pixel++)
	{
		float		next[3];
		int			step[3];

		if (foreground->share[pixel] <= 0)
			continue;
		for (int axis = 0; axis < 3; axis++)
		{
			float		at = place_on_axis(canvas, axis, pixel);

			step[axis] = (int) at;
			next[axis] = at - (float) step[axis];
		}
		for (int corner = 0; corner < 8; corner++)
		{
			float		part = foreground->share[pixel];
			int			number = 0;

			for (int axis = 0; axis < 3; axis++)
			{
				int			is_next = corner >> axis & 1;

				part *= is_next ? next[axis] : 1 - next[axis];
				number = number * STEPS + step[axis] + is_next;
			}
			numbers[number] += part;
		}
	}
	for (int i = 0; i < RECSYS_COLOR_NUMBERS; i++)
		sum += numbers[i];
	if (sum > 0)
		for (int i = 0; i < RECSYS_COLOR_NUMBERS; i++)
			numbers[i] = (float) sqrt(numbers[i] / sum);
}

float
RecsysMeanLightness(const RecsysCanvas *canvas, const RecsysForeground *foreground)
{
	const float everywhere = 0.01f;
	double		weights = 0;
	double		sum = 0;

	for (int pixel = 0; pixel < RECSYS_CANVAS_PIXELS; pixel++)
		if (canvas->inside[pixel])
		{
			double		weight = foreground->share[pixel] + everywhere;

			weights += weight;
			sum += weight * canvas->lab[0][pixel];
		}
	return weights > 0 ? (float) (sum / weights) : 0;
}
