/*
 * orientedgradients.c
 *	  Histograms of oriented gradients (Dalal and Triggs, CVPR 2005) over a fixed grid of cells.
 *
 * Brightness is smoothed, since edges matter and not the noise of the camera or the weave of a cloth.
 * Directions are counted modulo half a turn, so that a dark shoe on white is like a white one on
 * dark.  Each gradient is divided between the two nearest directions, and among cells by a
 * triangle around each one's center.  A cell is divided by the energy of its neighborhood, and the
 * square root is taken of what results (as RootSIFT does, Arandjelovic and Zisserman 2012): a
 * few strong edges do not speak for the whole.
 */
#include "core/image/orientedgradients.h"

#include <math.h>

#define SIGMA 1.6f				/* of the smoothing, in pixels of the canvas */
#define FLOOR 4.0f				/* energy of a neighborhood below which it is noise; L* a pixel */
#define RADIUS 5

#define N RECSYS_CANVAS
#define CELLS RECSYS_GRADIENT_CELLS
#define BINS RECSYS_GRADIENT_BINS

/* Rows, then columns; beyond the border it goes on. */
RECSYS_VECTORIZE static void
smooth(const float *from, float *to)
{
	float		kernel[2 * RADIUS + 1];
	float		between[RECSYS_CANVAS_PIXELS];
	float		row[N + 2 * RADIUS];
	float		sum = 0;

	for (int i = -RADIUS; i <= RADIUS; i++)
		sum += kernel[i + RADIUS] = expf(-(float) (i * i) / (2 * SIGMA * SIGMA));
	for (int i = 0; i <= 2 * RADIUS; i++)
		kernel[i] /= sum;
	memset(between, 0, sizeof(between));
	for (int y = 0; y < N; y++)
	{
		float	   *result = between + y * N;

		memcpy(row + RADIUS, from + y * N, N * sizeof(float));
		for (int i = 0; i < RADIUS; i++)
		{
			row[i] = row[RADIUS];
			row[N + RADIUS + i] = row[N + RADIUS - 1];
		}
		for (int i = 0; i <= 2 * RADIUS; i++)
			for (int x = 0; x < N; x++)
				result[x] += kernel[i] * row[x + i];
	}
	memset(to, 0, RECSYS_CANVAS_PIXELS * sizeof(float));
	for (int y = 0; y < N; y++)
		for (int i = -RADIUS; i <= RADIUS; i++)
		{
			const float *other = between + Min(Max(y + i, 0), N - 1) * N;
			float	   *result = to + y * N;

			for (int x = 0; x < N; x++)
				result[x] += kernel[i + RADIUS] * other[x];
		}
}

/* What a pixel counts in the cell before it, and in the next one, along one side; 0 beyond the grid */
typedef struct Shares
{
	int			cell[2];
	float		part[2];
} Shares;

static void
make_shares(Shares *shares)
{
	for (int at = 0; at < N; at++)
	{
		float		place = ((float) at + 0.5f) * CELLS / N - 0.5f;
		int			cell = (int) floorf(place);
		float		next = place - (float) cell;

		shares[at].cell[0] = Max(cell, 0);
		shares[at].part[0] = cell < 0 ? 0 : 1 - next;
		shares[at].cell[1] = Min(cell + 1, CELLS - 1);
		shares[at].part[1] = cell + 1 >= CELLS ? 0 : next;
	}
}

/*
 * The angle of a gradient within half a turn, from 0 to BINS.  The arc tangent is a polynomial, right to a thousandth
 * of a turn: quicker than the library's, and the same on all machines.
 */
static inline float
direction_of(float dx, float dy)
{
	float		across = fabsf(dx);
	float		along = fabsf(dy);
	float		ratio = Min(across, along) / Max(across, along);
	float		square = ratio * ratio;
	float		angle = ((-0.0464964749f * square + 0.15931422f) * square - 0.327622764f) * square * ratio + ratio;

	if (along > across)
		angle = (float) (M_PI / 2) - angle;
	if ((dx < 0) != (dy < 0))
		angle = (float) M_PI - angle;
	return angle * (float) (BINS / M_PI);
}

static void
collect(const bool *inside, const float *light, float (*cells)[CELLS][BINS])
{
	const float faint = 1e-3f;
	Shares		shares[N];

	make_shares(shares);
	for (int y = 1; y < N - 1; y++)
		for (int x = 1; x < N - 1; x++)
		{
			const float *at = light + y * N + x;
			float		dx = at[1] - at[-1];
			float		dy = at[N] - at[-N];
			float		square = dx * dx + dy * dy;
			float		strength,
						direction,
						first,
						second;
			int			bin,
						next;

			if (square < faint * faint || !inside[y * N + x])
				continue;
			strength = sqrtf(square);
			direction = direction_of(dx, dy);
			bin = (int) direction;
			second = strength * (direction - (float) bin);
			first = strength - second;
			bin %= BINS;
			next = (bin + 1) % BINS;
			for (int i = 0; i < 2; i++)
				for (int j = 0; j < 2; j++)
				{
					float		part = shares[y].part[i] * shares[x].part[j];
					float	   *cell = cells[shares[y].cell[i]][shares[x].cell[j]];

					cell[bin] += part * first;
					cell[next] += part * second;
				}
		}
}

static void
normalise(float (*cells)[CELLS][BINS], float *numbers)
{
	float		energy[CELLS + 2][CELLS + 2];
	const float floor_energy = FLOOR * (float) (N * N) / (CELLS * CELLS);
	double		sum = 0;

	memset(energy, 0, sizeof(energy));
	for (int y = 0; y < CELLS; y++)
		for (int x = 0; x < CELLS; x++)
			for (int b = 0; b < BINS; b++)
				energy[y + 1][x + 1] += cells[y][x][b] * cells[y][x][b];
	for (int y = 0; y < CELLS; y++)
		for (int x = 0; x < CELLS; x++)
		{
			float		around = 0;

			for (int i = 0; i < 3; i++)
				for (int j = 0; j < 3; j++)
					around += energy[y + i][x + j] * (float) ((i == 1 ? 2 : 1) * (j == 1 ? 2 : 1)) / 4;
			around = sqrtf(around + floor_energy * floor_energy);
			for (int b = 0; b < BINS; b++)
			{
				float		value = sqrtf(cells[y][x][b] / around);

				numbers[(y * CELLS + x) * BINS + b] = value;
				sum += (double) value * value;
			}
		}
	if (sum > 0)
		for (int i = 0; i < RECSYS_GRADIENT_NUMBERS; i++)
			numbers[i] = (float) (numbers[i] / sqrt(sum));
}

void
RecsysOrientedGradients(const float *brightness, const bool *inside, float *numbers)
{
	float		light[RECSYS_CANVAS_PIXELS];
	float		cells[CELLS][CELLS][BINS];

	memset(cells, 0, sizeof(cells));
	smooth(brightness, light);
	collect(inside, light, cells);
	normalise(cells, numbers);
}
