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
#include "core/spectral.h"

#include <math.h>

#include "core/eigen.h"
#include "core/pairrow.h"

#define PAIRS_PER_CHECK 1024

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
	const RecsysItemTotals *totals; /* of R */
	const RecsysEigen *eigen;
	double		linear;			/* g, divided by the largest eigenvalue of R'R */
	float	   *gains;			/* s^p - g s */
	float	   *filtered;		/* gains * the row's vector */
	double	   *row_factor;		/* d_i^-(b+d) */
	double	   *target_factor;	/* d_j^c */
	float	   *keep;			/* d_j^-(keep_exponent) */
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

static void
score_pairs(void *arg, uint32 item, const RecsysNeighbor *pairs, int n, float *scores)
{
	Spectral   *spectral = arg;
	const RecsysEigen *eigen = spectral->eigen;
	Size		rank = eigen->rank;
	const float *vector = eigen->vectors + item * rank;
	double		length = sqrt(spectral->totals->norm2[item]);

	for (int j = 0; j < eigen->rank; j++)
		spectral->filtered[j] = spectral->gains[j] * vector[j];
	for (int x = 0; x < n; x++)
	{
		uint32		other = pairs[x].item;
		double		product;

		if (x % PAIRS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		product = pairs[x].score * length * sqrt(spectral->totals->norm2[other]);
		scores[x] = (float) ((spectral->linear * product +
							  dot(spectral->filtered, eigen->vectors + other * rank, eigen->rank)) *
							 spectral->row_factor[item] * spectral->target_factor[other]);
	}
}

/* The rows of R: users's own arrays but for the weights. */
static RecsysMatrix
normalize(const RecsysMatrix *users, const double *mass, const RecsysSpectralParameters *parameters)
{
	RecsysMatrix result = *users;

	result.packed = NULL;
	result.weights = recsys_alloc_huge(sizeof(float) * Max(users->offsets[users->nrows], 1));
	for (uint32 user = 0; user < users->nrows; user++)
	{
		double		sum = 0;
		double		factor;

		if (user % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		for (uint64 x = users->offsets[user]; x < users->offsets[user + 1]; x++)
			sum += users->weights != NULL ? users->weights[x] : 1.0;
		factor = pow(sum, -parameters->user_exponent);
		for (uint64 x = users->offsets[user]; x < users->offsets[user + 1]; x++)
			result.weights[x] = (float) ((users->weights != NULL ? users->weights[x] : 1.0) *
										 factor * pow(mass[users->columns[x]],
													  -parameters->item_exponent));
	}
	return result;
}

/* The filter from the eigenvalues, and P's from R'R's. */
static void
choose_gains(Spectral *spectral, const RecsysSpectralParameters *parameters)
{
	const RecsysEigen *eigen = spectral->eigen;
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

void
RecsysSpectral(const RecsysMatrix *users, const RecsysItemTotals *totals,
			   const RecsysModelOptions *options, const RecsysSpectralParameters *parameters,
			   Size memory_limit, RecsysRowReporter report, void *arg)
{
	uint32		nitems = totals->nitems;
	Size		needed = RecsysSpectralMemory(users->nrows, nitems, users->offsets[users->nrows],
											  parameters->rank);
	double	   *mass = recsys_alloc_huge(sizeof(double) * Max((Size) nitems, 1));
	Spectral	spectral;
	RecsysMatrix normal;
	RecsysMatrix *transposed;
	RecsysItemTotals *normal_totals;
	RecsysEigen *eigen;

	if (needed > memory_limit)
		elog(ERROR, "too little memory to train the model");
	for (uint32 item = 0; item < nitems; item++)
		mass[item] = totals->mass != NULL ? totals->mass[item] : totals->users[item];
	normal = normalize(users, mass, parameters);
	eigen = RecsysEigenCompute(&normal, parameters->rank);
	transposed = RecsysMatrixTranspose(&normal);
	normal_totals = RecsysItemTotalsCompute(&normal);

	spectral.totals = normal_totals;
	spectral.eigen = eigen;
	spectral.gains = palloc(sizeof(float) * Max(eigen->rank, 1));
	spectral.filtered = palloc(sizeof(float) * Max(eigen->rank, 1));
	spectral.row_factor = recsys_alloc_huge(sizeof(double) * Max((Size) nitems, 1));
	spectral.target_factor = recsys_alloc_huge(sizeof(double) * Max((Size) nitems, 1));
	spectral.keep = recsys_alloc_huge(sizeof(float) * Max((Size) nitems, 1));
	choose_gains(&spectral, parameters);
	for (uint32 item = 0; item < nitems; item++)
	{
		double		d = mass[item] > 0 ? mass[item] : 1.0;

		spectral.row_factor[item] = pow(d, -parameters->item_exponent - parameters->row_exponent);
		spectral.target_factor[item] = pow(d, parameters->target_exponent);
		spectral.keep[item] = (float) pow(d, -parameters->keep_exponent);
	}
	RecsysPairRows(&normal, transposed, normal_totals, options, spectral.keep, score_pairs, &spectral,
				   report, arg);

	pfree(spectral.gains);
	pfree(spectral.filtered);
	pfree(spectral.row_factor);
	pfree(spectral.target_factor);
	pfree(spectral.keep);
	RecsysItemTotalsFree(normal_totals);
	RecsysMatrixFree(transposed);
	RecsysEigenFree(eigen);
	pfree(normal.weights);
	pfree(mass);
}

Size
RecsysSpectralMemory(uint32 nusers, uint32 nitems, uint64 nentries, int rank)
{
	Size		n = Max((Size) nitems, 1);

	/* R and its transpose; totals; factors */
	return sizeof(float) * nentries + RecsysMatrixMemory(nitems, nentries, true) +
		n * (sizeof(uint32) + sizeof(uint64) + 5 * sizeof(double) + sizeof(float)) +
		RecsysEigenMemory(nusers, nitems, rank) + 2 * sizeof(float) * (Size) rank +
		RecsysPairRowsMemory(nitems, true) + sizeof(RecsysItemTotals) + 1024;
}
