/*
 * resample.c
 *	  Bootstrap: how much a mean over users depends on which users there are.
 *
 * Resamples are made eight at a time: how often each of the eight has drawn each
 * row is counted first, then the table is read once and added to all eight.
 * Rows with an undefined value count for the other columns: such columns have a
 * second one beside them that counts the defined values.
 */
#include "core/measure/resample.h"

#include <math.h>

#include "core/base/random.h"

#define BATCH 8

typedef struct Bootstrap
{
	int			ncolumns;
	int			nwide;			/* columns and counts of defined values */
	int		   *count_of;		/* by column: place of its count, -1: all rows are defined */
	uint32		n;
	double	   *wide;			/* n rows of nwide, undefined values 0 */
	double	   *sums;			/* of nwide */
	int			resamples;
	double	   *values;			/* means, resamples of each column */
} Bootstrap;

static void
widen(Bootstrap *bootstrap, const RecsysSample *sample)
{
	const double *table = sample->table;
	const uint32 *rows = sample->rows;
	int			ncolumns = bootstrap->ncolumns;

	for (int column = 0; column < ncolumns; column++)
		bootstrap->count_of[column] = -1;
	bootstrap->nwide = ncolumns;
	for (uint32 x = 0; x < bootstrap->n; x++)
	{
		const double *row = table + (Size) (rows != NULL ? rows[x] : x) * ncolumns;

		for (int column = 0; column < ncolumns; column++)
			if (isnan(row[column]) && bootstrap->count_of[column] < 0)
				bootstrap->count_of[column] = bootstrap->nwide++;
	}

	bootstrap->wide = recsys_alloc_huge(sizeof(double) * Max((Size) bootstrap->n, 1) * bootstrap->nwide);
	for (uint32 x = 0; x < bootstrap->n; x++)
	{
		const double *row = table + (Size) (rows != NULL ? rows[x] : x) * ncolumns;
		double	   *wide = bootstrap->wide + (Size) x * bootstrap->nwide;

		for (int column = 0; column < ncolumns; column++)
		{
			wide[column] = isnan(row[column]) ? 0.0 : row[column];
			if (bootstrap->count_of[column] >= 0)
				wide[bootstrap->count_of[column]] = isnan(row[column]) ? 0.0 : 1.0;
		}
	}
}

static RECSYS_TARGET_CLONES void
add_draws(double *sums, const double *wide, const uint16 *draws, uint32 n, int nwide)
{
	for (uint32 x = 0; x < n; x++)
	{
		const double *row = wide + (Size) x * nwide;

		for (int b = 0; b < BATCH; b++)
		{
			double		times = draws[(Size) x * BATCH + b];
			double	   *sum = sums + (Size) b * nwide;

			if (times == 0)
				continue;
			for (int column = 0; column < nwide; column++)
				sum[column] += times * row[column];
		}
	}
}

/* Mean of a column from sums over rows, of which there are n with their repetitions. */
static double
mean_of(const Bootstrap *bootstrap, const double *sums, int column)
{
	double		count = bootstrap->count_of[column] >= 0 ? sums[bootstrap->count_of[column]] : bootstrap->n;

	return count > 0 ? sums[column] / count : NAN;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return (left > right) - (left < right);
}

double
RecsysQuantile(const double *values, int n, double share)
{
	double		place = share * (n - 1);
	int			below = (int) floor(place);

	if (below >= n - 1)
		return values[n - 1];
	return values[below] + (place - below) * (values[below + 1] - values[below]);
}

/* Interval and p-value from a column of means of resamples, which is reordered. */
static void
summarise(double *values, int resamples, double confidence, RecsysMean *mean)
{
	int			n = 0;
	int			extreme = 0;

	/* a resample may have drawn no row where the column is defined */
	for (int b = 0; b < resamples; b++)
		if (!isnan(values[b]))
			values[n++] = values[b];
	if (n == 0)
		return;

	/* in doubles the mean of a resample that is the sample may differ by a rounding */
	for (int b = 0; b < n; b++)
		extreme += fabs(values[b] - mean->mean) >= fabs(mean->mean) * (1.0 - 1e-12);
	mean->p_value = (extreme + 1.0) / (n + 1.0);
	qsort(values, n, sizeof(double), compare_doubles);
	mean->low = RecsysQuantile(values, n, (1.0 - confidence) / 2.0);
	mean->high = RecsysQuantile(values, n, (1.0 + confidence) / 2.0);
}

/* How often each of a batch of resamples has drawn each row */
static void
draw_rows(const RecsysResampling *resampling, int first, int batch, uint32 n, uint16 *draws)
{
	memset(draws, 0, sizeof(uint16) * (Size) n * BATCH);
	for (int b = 0; b < batch; b++)
	{
		RecsysRandom random;

		RecsysRandomStart(&random, resampling->seed, (resampling->stream << 32) + first + b);
		for (uint32 x = 0; x < n; x++)
		{
			uint16	   *drawn = &draws[(Size) RecsysRandomBelow(&random, n) * BATCH + b];

			*drawn += *drawn < PG_UINT16_MAX;
		}
	}
}

void
RecsysResample(const double *table, int ncolumns, uint32 n, const RecsysResampling *resampling,
			   RecsysResampleSums take, void *arg)
{
	uint16	   *draws = recsys_alloc_huge(sizeof(uint16) * BATCH * Max((Size) n, 1));
	double	   *sums = palloc(sizeof(double) * (Size) BATCH * Max(ncolumns, 1));

	for (int first = 0; first < resampling->resamples; first += BATCH)
	{
		int			batch = Min(BATCH, resampling->resamples - first);

		CHECK_FOR_INTERRUPTS();
		draw_rows(resampling, first, batch, n, draws);
		memset(sums, 0, sizeof(double) * (Size) BATCH * ncolumns);
		add_draws(sums, table, draws, n, ncolumns);
		for (int b = 0; b < batch; b++)
			take(arg, first + b, sums + (Size) b * ncolumns);
	}
	pfree(draws);
	pfree(sums);
}

/* A RecsysResampleSums */
static void
take_means(void *arg, int resample, const double *sums)
{
	Bootstrap  *bootstrap = arg;

	for (int column = 0; column < bootstrap->ncolumns; column++)
		bootstrap->values[(Size) column * bootstrap->resamples + resample] =
			mean_of(bootstrap, sums, column);
}

static void
resample(Bootstrap *bootstrap, const RecsysResampling *resampling, RecsysMean *means)
{
	int			resamples = resampling->resamples;

	bootstrap->resamples = resamples;
	bootstrap->values = recsys_alloc_huge(sizeof(double) * (Size) resamples * Max(bootstrap->ncolumns, 1));
	RecsysResample(bootstrap->wide, bootstrap->nwide, bootstrap->n, resampling, take_means, bootstrap);
	for (int column = 0; column < bootstrap->ncolumns; column++)
		summarise(bootstrap->values + (Size) column * resamples, resamples,
				  resampling->confidence, &means[column]);
	pfree(bootstrap->values);
}

void
RecsysBootstrap(const RecsysSample *sample, const RecsysResampling *resampling, RecsysMean *means)
{
	Bootstrap	bootstrap = {0};
	int			ncolumns = sample->ncolumns;
	uint32		n = sample->nrows;

	bootstrap.ncolumns = ncolumns;
	bootstrap.n = n;
	bootstrap.count_of = palloc(sizeof(int) * Max(ncolumns, 1));
	widen(&bootstrap, sample);
	bootstrap.sums = palloc0(sizeof(double) * Max(bootstrap.nwide, 1));

	for (uint32 x = 0; x < n; x++)
		for (int column = 0; column < bootstrap.nwide; column++)
			bootstrap.sums[column] += bootstrap.wide[(Size) x * bootstrap.nwide + column];
	for (int column = 0; column < ncolumns; column++)
	{
		int			count = bootstrap.count_of[column];

		means[column].mean = mean_of(&bootstrap, bootstrap.sums, column);
		means[column].rows = count >= 0 ? (uint32) bootstrap.sums[count] : n;
		means[column].low = NAN;
		means[column].high = NAN;
		means[column].p_value = NAN;
		if (n == 0)
			means[column].mean = NAN;
	}
	if (resampling->resamples > 0 && n > 0)
		resample(&bootstrap, resampling, means);

	pfree(bootstrap.count_of);
	pfree(bootstrap.wide);
	pfree(bootstrap.sums);
}
