/*
 * generate.c
 *	  Random interaction matrices of the shape of real ones.
 */
#include "generate.h"

#include <math.h>

void
random_seed(Random *random, uint64 seed)
{
	random->state = seed * UINT64CONST(0x9E3779B97F4A7C15) + 1;
	if (random->state == 0)
		random->state = 1;
	for (int x = 0; x < 8; x++)
		random_bits(random);
}

uint64
random_bits(Random *random)
{
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return random->state * UINT64CONST(0x2545F4914F6CDD1D);
}

double
random_unit(Random *random)
{
	return (double) (random_bits(random) >> 11) / 9007199254740992.0;
}

double
random_normal(Random *random)
{
	double		radius = sqrt(-2.0 * log(random_unit(random) + 1e-18));

	return radius * cos(6.283185307179586 * random_unit(random));
}

static int
compare_uint32(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return (x > y) - (x < y);
}

static float
random_weight(Random *random, WeightKind kind)
{
	if (kind == WEIGHTS_SMALL)
		return 0.5f * (float) (1 + random_bits(random) % 10);
	return (float) exp(3.0 * random_normal(random));
}

#define GUIDE_SIZE 65536

RecsysMatrix *
generate_matrix(Random *random, uint32 nusers, uint32 nitems, uint64 nentries,
				int max_history, bool empty_users, WeightKind weights)
{
	RecsysMatrix *matrix = palloc0(sizeof(RecsysMatrix));
	double		sigma = 1.2;
	double		mu = log((double) nentries / nusers) - sigma * sigma / 2.0;
	double	   *cumulated = palloc(nitems * sizeof(double));
	uint32	   *guide = palloc((GUIDE_SIZE + 1) * sizeof(uint32));
	uint32	   *names = palloc(nitems * sizeof(uint32));
	uint32	   *seen = palloc0(nitems * sizeof(uint32));
	uint64		room = nentries + 1024;
	double		total = 0.0;
	uint32		item = 0;

	/* the rank of an item in popularity says nothing about its number */
	for (uint32 x = 0; x < nitems; x++)
	{
		total += 1.0 / (x + 10.0);
		cumulated[x] = total;
		names[x] = x;
	}
	for (uint32 x = nitems - 1; x > 0; x--)
	{
		uint32		y = (uint32) (random_bits(random) % (x + 1));
		uint32		swap = names[x];

		names[x] = names[y];
		names[y] = swap;
	}
	for (uint32 x = 0; x <= GUIDE_SIZE; x++)
	{
		while (item < nitems - 1 && cumulated[item] / total < (double) x / GUIDE_SIZE)
			item++;
		guide[x] = item;
	}

	matrix->nrows = nusers;
	matrix->ncolumns = nitems;
	matrix->offsets = palloc0((nusers + 1) * sizeof(uint64));
	matrix->columns = palloc(room * sizeof(uint32));
	max_history = Min(max_history, (int) (nitems / 2 + 1));
	for (uint32 user = 0; user < nusers; user++)
	{
		uint64		place = matrix->offsets[user];
		int			length = (int) (exp(mu + sigma * random_normal(random)) + 0.5);

		length = Max(Min(length, max_history), 1);
		if (empty_users && random_bits(random) % 8 == 0)
			length = 0;
		if (place + length > room)
		{
			room = room + room / 2 + length;
			matrix->columns = repalloc(matrix->columns, room * sizeof(uint32));
		}
		for (int x = 0; x < length;)
		{
			double		draw = random_unit(random);
			uint32		rank = guide[(int) (draw * GUIDE_SIZE)];

			while (rank < nitems - 1 && cumulated[rank] / total < draw)
				rank++;
			if (seen[rank] == user + 1)
				continue;
			seen[rank] = user + 1;
			matrix->columns[place + x++] = names[rank];
		}
		qsort(matrix->columns + place, length, sizeof(uint32), compare_uint32);
		matrix->offsets[user + 1] = place + length;
	}

	if (weights != WEIGHTS_NONE)
	{
		matrix->weights = palloc((matrix->offsets[nusers] + 1) * sizeof(float));
		for (uint64 x = 0; x < matrix->offsets[nusers]; x++)
			matrix->weights[x] = random_weight(random, weights);
	}
	pfree(cumulated);
	pfree(guide);
	pfree(names);
	pfree(seen);
	return matrix;
}
