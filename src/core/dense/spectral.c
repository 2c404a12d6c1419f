/*
 * spectral.c
 *	  A graph filter: co-occurrence whose strongest directions are flattened.
 *
 * Users and items are normalized by their sums of weights d (without weights:
 * the number of their interactions),
 *
 *		R_ui = w_ui d_u^-a d_i^-b,  P = R'R / (largest eigenvalue of R'R)
 *
 * so that all eigenvalues of P lie between 0 and 1.  With its K largest eigenvalues s and
 * eigenvectors V the item graph is
 *
 *		S = D^-(b+d) F(P) D^c,   F(P) = V diag(s^p) V' + g (P - V diag(s) V'),
 *		g = t s_K^(p - 1)
 *
 * The largest eigenvalues stand for popularity and broad taste, and p < 1 keeps them from
 * drowning the rest; what lies beyond the K largest keeps its shape and is damped by t.  Filters
 * of this kind: Shen et al. 2021, "How powerful is graph convolution for
 * recommendation?" (GF-CF: linear, and an ideal low-pass), Choi et al. 2023,
 * "Blurring-sharpening process models for collaborative filtering"; exponents of
 * the normalization other than 1/2: Park et al. 2024, "Turbo-CF".  Only pairs with
 * min_support users are kept, in which the sparse part and the low-rank part
 * are summed: S is never computed as a whole.  Of a row's pairs those are stored whose score is
 * largest after it is damped by popularity once more, score * d_j^-e: a popular item that is missing
 * in one row comes in by the others of a history, a rare one does not.
 */
#include "core/dense/spectral.h"

#include <math.h>

#include "core/dense/area.h"
#include "core/dense/eigen.h"
#include "core/pairs/pairrow.h"

#define PAIRS_PER_CHECK 1024

/* Pairs ahead whose vectors are fetched into the cache: they are all over memory. */
#define FETCH_AHEAD 2
#define FLOATS_PER_LINE 16

const RecsysSpectralParameters RecsysSpectralDefaults = {
	.rank = 512,
	.user_exponent = 0.3,
	.item_exponent = 0.4,
	.row_exponent = -0.1,
	.target_exponent = 0.3,
	.power = 0.4,
	.tail = 0.7,
	.keep_exponent = 0.15
};

typedef struct Spectral
{
	/* shared */
	RecsysMatrix normal;		/* R */
	RecsysMatrix transposed;
	RecsysItemTotals totals;	/* of R */
	double	   *row_factor;		/* d_i^-(b+d) */
	double	   *target_factor;	/* d_j^c */
	float	   *keep;			/* d_j^-(keep_exponent) */
	void	   *eigen_block;

	/* private */
	RecsysEigen eigen;
	double		linear;			/* g, divided by the largest eigenvalue of R'R */
	float	   *gains;			/* s^p - g s */
	float	   *filtered;		/* gains * the row's vector */
} Spectral;

RECSYS_TARGET_CLONES static float
dot(const float *a, const float *b, int n)
{
	float		sums[16] = {0};
	float		sum = 0;
	int			x = 0;

	for (; x + 16 <= n; x += 16)
	{
		for (int y = 0; y < 16; y++)
			sums[y] += a[x + y] * b[x + y];
	}
	for (int y = 0; y < 16; y++)
		sum += sums[y];
	for (; x < n; x++)
		sum += a[x] * b[x];
	return sum;
}

/* (Always inlined, or gcc drops calls of a function that only prefetches.) */
static inline __attribute__((always_inline)) void
fetch(const float *vector, int n)
{
	for (int x = 0; x < n; x += FLOATS_PER_LINE)
		__builtin_prefetch(vector + x);
}

static void
score_pairs(void *arg, uint32 item, const RecsysNeighbor *pairs, int n, float *scores)
{
	Spectral   *spectral = arg;
	const RecsysEigen *eigen = &spectral->eigen;
	const float *vector = eigen->vectors + item * eigen->stride;
	double		length = sqrt(spectral->totals.norm2[item]);

	for (int j = 0; j < eigen->rank; j++)
		spectral->filtered[j] = spectral->gains[j] * vector[j];
	for (int x = 0; x < n; x++)
	{
		uint32		other = pairs[x].item;
		double		product;

		if (x % PAIRS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		if (x + FETCH_AHEAD < n)
			fetch(eigen->vectors + pairs[x + FETCH_AHEAD].item * eigen->stride, eigen->rank);
		product = pairs[x].score * length * sqrt(spectral->totals.norm2[other]);
		scores[x] = (float) ((spectral->linear * product +
							  dot(spectral->filtered, eigen->vectors + other * eigen->stride, eigen->rank)) *
							 spectral->row_factor[item] * spectral->target_factor[other]);
	}
}

static RecsysSpectralParameters
parameters_of(const RecsysDenseTask *task)
{
	RecsysSpectralParameters parameters = RecsysSpectralDefaults;

	parameters.rank = task->options.rank;
	parameters.power = task->options.power;
	parameters.tail = task->options.tail;
	return parameters;
}

static Size
lay_out(const RecsysDenseTask *task, void *shared, Spectral *spectral)
{
	RecsysArea	area = {shared, 0};
	Size		nitems = task->nitems;

	RecsysCarveMatrix(&area, task->nitems, task->nrows, task->nentries, true, true,
					  &spectral->transposed);
	RecsysCarveTotals(&area, task->nitems, true, &spectral->totals);
	spectral->totals.nusers = task->nusers;
	RecsysCarveMatrix(&area, task->nrows, task->nitems, task->nentries, true, true,
					  &spectral->normal);
	spectral->row_factor = RecsysCarve(&area, sizeof(double) * nitems);
	spectral->target_factor = RecsysCarve(&area, sizeof(double) * nitems);
	spectral->keep = RecsysCarve(&area, sizeof(float) * nitems);
	spectral->eigen_block =
		RecsysCarve(&area, RecsysEigenShared(task->nrows, task->nitems, task->options.rank));
	return area.used;
}

/* The filter from the eigenvalues, and P's from R'R's. */
static void
choose_gains(Spectral *spectral, const RecsysSpectralParameters *parameters)
{
	const RecsysEigen *eigen = &spectral->eigen;
	double		largest = eigen->rank > 0 ? eigen->values[0] : 1.0;
	double		smallest = eigen->rank > 0 ? eigen->values[eigen->rank - 1] / largest : 1.0;
	double		linear = eigen->complete ? 0.0 :
		parameters->tail * pow(smallest, parameters->power - 1.0);

	for (int j = 0; j < eigen->rank; j++)
	{
		double		s = eigen->values[j] / largest;

		spectral->gains[j] = (float) (pow(s, parameters->power) - linear * s);
	}
	spectral->linear = linear / largest;
}

/* The weights of R from those given, and the totals that they make. */
static void
normalize(const double *item_factor, Spectral *spectral)
{
	RecsysMatrix *normal = &spectral->normal;
	RecsysItemTotals *totals = &spectral->totals;

	memset(totals->norm2, 0, sizeof(double) * totals->nitems);
	memset(totals->mass, 0, sizeof(double) * totals->nitems);
	for (uint32 user = 0; user < normal->nrows; user++)
	{
		double		sum = 0;
		double		factor;

		if (user % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		for (uint64 x = normal->offsets[user]; x < normal->offsets[user + 1]; x++)
			sum += normal->weights[x];
		factor = pow(sum, -RecsysSpectralDefaults.user_exponent);
		for (uint64 x = normal->offsets[user]; x < normal->offsets[user + 1]; x++)
		{
			uint32		item = normal->columns[x];
			float		weight = (float) (normal->weights[x] * factor * item_factor[item]);

			normal->weights[x] = weight;
			totals->norm2[item] += (double) weight * weight;
			totals->mass[item] += weight;
		}
	}
}

static void
prepare(const RecsysDenseTask *task, void *shared, const RecsysMatrix *users,
		const RecsysItemTotals *totals)
{
	RecsysSpectralParameters parameters = parameters_of(task);
	Spectral	spectral;
	double	   *mass;
	double	   *factor;

	(void) lay_out(task, shared, &spectral);
	RecsysDenseCopyUsers(users, &spectral.normal);
	memcpy(spectral.totals.users, totals->users, sizeof(uint32) * task->nitems);
	memcpy(spectral.totals.work, totals->work, sizeof(uint64) * task->nitems);

	/* d and d^-b, at places of what comes later */
	mass = spectral.target_factor;
	factor = spectral.row_factor;
	memset(mass, 0, sizeof(double) * task->nitems);
	for (uint64 x = 0; x < task->nentries; x++)
		mass[spectral.normal.columns[x]] += spectral.normal.weights[x];
	for (uint32 item = 0; item < task->nitems; item++)
	{
		mass[item] = mass[item] > 0 ? mass[item] : 1.0;
		factor[item] = pow(mass[item], -parameters.item_exponent);
	}
	normalize(factor, &spectral);
	for (uint32 item = 0; item < task->nitems; item++)
	{
		double		d = mass[item];

		spectral.row_factor[item] = pow(d, -parameters.item_exponent - parameters.row_exponent);
		spectral.target_factor[item] = pow(d, parameters.target_exponent);
		spectral.keep[item] = (float) pow(d, -parameters.keep_exponent);
	}
	memset(spectral.transposed.offsets, 0, sizeof(uint64) * ((Size) task->nitems + 1));
	RecsysMatrixTransposeTo(&spectral.normal, &spectral.transposed);
}

static void
run(RecsysTeam *team, const RecsysDenseTask *task, void *shared,
	RecsysRowReporter report, void *arg)
{
	RecsysSpectralParameters parameters = parameters_of(task);
	Spectral	spectral = {0};
	RecsysPairModel model = {.users = &spectral.normal, .items = &spectral.transposed,
		.totals = &spectral.totals, .options = &task->options, .score = score_pairs,
		.arg = &spectral};

	(void) lay_out(task, shared, &spectral);
	model.keep = spectral.keep;
	RecsysEigenCompute(team, &spectral.normal, &spectral.transposed, task->options.rank,
					   spectral.eigen_block, &spectral.eigen);
	spectral.gains = palloc(sizeof(float) * Max(spectral.eigen.rank, 1));
	spectral.filtered = palloc(sizeof(float) * Max(spectral.eigen.rank, 1));
	choose_gains(&spectral, &parameters);
	RecsysPairRows(team, &model, report, arg);
	pfree(spectral.gains);
	pfree(spectral.filtered);
}

static Size
shared_memory(const RecsysDenseTask *task)
{
	Spectral	none;

	return lay_out(task, NULL, &none);
}

static Size
member_memory(const RecsysDenseTask *task, bool leader)
{
	Size		rows = RecsysPairRowsMemory(task->nitems, true);
	Size		eigen = RecsysEigenMemory(task->nrows, task->nitems, task->options.rank, leader);
	Size		prepare = leader ? RecsysDensePrepareMemory(task) : 0;

	/* one after the other */
	return Max(Max(rows, eigen) + 2 * sizeof(float) * Max(task->options.rank, 1), prepare);
}

const RecsysDenseModel RecsysSpectral = {
	.shared = shared_memory,
	.memory = member_memory,
	.prepare = prepare,
	.run = run
};
