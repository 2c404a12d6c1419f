/*
 * silhouette.c
 *	  How much of each cell of a coarse grid the object covers.
 */
#include "core/image/silhouette.h"

#include <math.h>

#define CELLS RECSYS_SILHOUETTE_CELLS
#define N RECSYS_CANVAS

/* what is covered evenly is no silhouette: added to the length that numbers are divided by */
#define FAINT 0.02

void
RecsysSilhouette(const RecsysForeground *foreground, float *numbers)
{
	int			pixels[RECSYS_SILHOUETTE_NUMBERS] = {0};
	float		mean = 0;
	double		square = 0;

	memset(numbers, 0, RECSYS_SILHOUETTE_NUMBERS * sizeof(float));
	for (int y = 0; y < N; y++)
		for (int x = 0; x < N; x++)
		{
			int			cell = y * CELLS / N * CELLS + x * CELLS / N;

			numbers[cell] += foreground->share[y * N + x];
			pixels[cell]++;
		}
	for (int i = 0; i < RECSYS_SILHOUETTE_NUMBERS; i++)
	{
		numbers[i] /= (float) pixels[i];
		mean += numbers[i] / RECSYS_SILHOUETTE_NUMBERS;
	}
	for (int i = 0; i < RECSYS_SILHOUETTE_NUMBERS; i++)
	{
		numbers[i] -= mean;
		square += (double) numbers[i] * numbers[i];
	}
	for (int i = 0; i < RECSYS_SILHOUETTE_NUMBERS; i++)
		numbers[i] = (float) (numbers[i] / sqrt(square + FAINT));
}
