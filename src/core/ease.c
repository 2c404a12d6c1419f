/*
 * ease.c
 *	  EASE: the linear model of items by items, in closed form.
 *
 * With X = users x items, P = inverse(X'X + lambda I):
 *
 *		B_ij = -P_ij / P_jj,  B_ii = 0
 *
 * minimizes |X - X B|^2 + lambda |B|^2 among all B without a diagonal (Steck 2019,
 * "Embarrassingly shallow autoencoders for sparse data").  B_ij is the score of
 * j in the row of i; negative ones are not stored.
 *
 * One large inverse is needed.  Where there are fewer users than items it is that
 * of the users (Woodbury): with M = X X' + lambda I,
 *
 *		P = (I - X' inverse(M) X) / lambda
 *
 * of which only the entries that are looked at are computed: row i takes
 * y = inverse(M) x_i, and then P_ij = -(x_j . y) / lambda.
 *
 * Where neither fits into memory, the most popular items that fit are the head, for
 * which P is that of the head alone.  An item t of the tail is predicted by the head, as
 * if it were the only item beside it: with m = P C_ht, C = X'X, the ridge regression
 *
 *		B_ht = m_h,   B_th = m_h / (S P_hh),   S = C_tt + lambda - C_th m
 *
 * where S is the variance of t that the head does not explain, and B_th what the
 * inverse of the head and t together gives but for its small change of P_hh.  Items
 * of the tail do not predict each other.
 */
#include "core/ease.h"

#include <math.h>

#include "core/inverse.h"
#include "core/pairrow.h"

/* Columns between two checks for interrupts. */
#define COLUMNS_PER_CHECK 16

typedef struct Ease
{
	const RecsysMatrix *users;
	const RecsysMatrix *items;
	const RecsysItemTotals *totals;
	double		lambda;
	bool		by_users;		/* inverse(M) instead of P */
	Size		order;			/* of the inverse */
	float	   *inverse;		/* both triangles */
	double	   *diagonal;		/* P_jj by item; by head number otherwise */
	uint32	   *head;			/* item -> number in the head or RECSYS_NONE */
	uint32	   *head_items;		/* and back */
	float	   *by_user;		/* y of the row at hand, or X_head P_i. */
	float	   *mean;			/* m of the tail item at hand, by head number */
} Ease;

static inline float
value(const RecsysMatrix *matrix, uint64 entry)
{
	return matrix->weights != NULL ? matrix->weights[entry] : 1.0f;
}

/* sum += factor * column */
RECSYS_TARGET_CLONES static void
add_column(float *sum, const float *column, float factor, Size n)
{
	for (Size x = 0; x < n; x++)
		sum[x] += factor * column[x];
}

/* x_item . by_user */
static double
project(const RecsysMatrix *items, uint32 item, const float *by_user)
{
	double		sum = 0;

	for (uint64 x = items->offsets[item]; x < items->offsets[item + 1]; x++)
		sum += (double) value(items, x) * by_user[items->columns[x]];
	return sum;
}

/*
 * The lower triangle of A A' + lambda I for the rows of A; transposed is A' and
 * number says which row of the result one of A is (NULL: the same).
 */
static void
fill_gram(float *gram, Size order, const RecsysMatrix *rows, const RecsysMatrix *transposed,
		  const uint32 *number, double lambda)
{
	for (uint32 row = 0; row < rows->nrows; row++)
	{
		uint32		at = number != NULL ? number[row] : row;
		float	   *column;

		if (at == RECSYS_NONE)
			continue;
		if (at % COLUMNS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		column = gram + at * order;
		memset(column, 0, sizeof(float) * order);
		for (uint64 x = rows->offsets[row]; x < rows->offsets[row + 1]; x++)
		{
			uint32		shared = rows->columns[x];
			float		weight = value(rows, x);

			for (uint64 y = transposed->offsets[shared]; y < transposed->offsets[shared + 1]; y++)
			{
				uint32		other = transposed->columns[y];

				if (number != NULL)
					other = number[other];
				if (other != RECSYS_NONE)
					column[other] += weight * value(transposed, y);
			}
		}
		column[at] += (float) lambda;
	}
}

/* The upper triangle from the lower one, tile by tile. */
static void
mirror(float *a, Size n)
{
	const Size	tile = 64;

	for (Size first = 0; first < n; first += tile)
	{
		CHECK_FOR_INTERRUPTS();
		for (Size second = first; second < n; second += tile)
		{
			for (Size column = first; column < Min(first + tile, n); column++)
			{
				for (Size row = Max(second, column + 1); row < Min(second + tile, n); row++)
					a[row * n + column] = a[column * n + row];
			}
		}
	}
}

static void
diagonal_by_users(Ease *ease)
{
	const RecsysMatrix *items = ease->items;

	for (uint32 item = 0; item < items->nrows; item++)
	{
		double		explained = 0;

		for (uint64 x = items->offsets[item]; x < items->offsets[item + 1]; x++)
		{
			const float *column = ease->inverse + ease->order * items->columns[x];

			if (x % COLUMNS_PER_CHECK == 0)
				CHECK_FOR_INTERRUPTS();
			explained += value(items, x) * project(items, item, column);
		}
		ease->diagonal[item] = (1.0 - explained) / ease->lambda;
	}
}

static void
score_by_users(void *arg, uint32 item, const RecsysNeighbor *pairs, int n, float *scores)
{
	Ease	   *ease = arg;
	const RecsysMatrix *items = ease->items;

	memset(ease->by_user, 0, sizeof(float) * ease->order);
	for (uint64 x = items->offsets[item]; x < items->offsets[item + 1]; x++)
	{
		if (x % COLUMNS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		add_column(ease->by_user, ease->inverse + ease->order * items->columns[x],
				   value(items, x), ease->order);
	}
	for (int x = 0; x < n; x++)
	{
		uint32		other = pairs[x].item;

		scores[x] = (float) (project(items, other, ease->by_user) /
							 (ease->lambda * ease->diagonal[other]));
	}
}

/* by_user = X_head P_i. for the item i of the head */
static void
spread_head_row(Ease *ease, const float *column)
{
	const RecsysMatrix *users = ease->users;

	CHECK_FOR_INTERRUPTS();
	for (uint32 user = 0; user < users->nrows; user++)
	{
		double		sum = 0;

		for (uint64 x = users->offsets[user]; x < users->offsets[user + 1]; x++)
		{
			uint32		number = ease->head[users->columns[x]];

			if (number != RECSYS_NONE)
				sum += (double) value(users, x) * column[number];
		}
		ease->by_user[user] = (float) sum;
	}
}

/* mean = P C_ht for the item t of the tail; returns S */
static double
explain_tail_item(Ease *ease, uint32 item)
{
	const RecsysMatrix *users = ease->users;
	const RecsysMatrix *items = ease->items;
	double		left = ease->lambda;

	memset(ease->mean, 0, sizeof(float) * ease->order);
	for (uint64 x = items->offsets[item]; x < items->offsets[item + 1]; x++)
	{
		uint32		user = items->columns[x];

		CHECK_FOR_INTERRUPTS();
		left += (double) value(items, x) * value(items, x);
		for (uint64 y = users->offsets[user]; y < users->offsets[user + 1]; y++)
		{
			uint32		number = ease->head[users->columns[y]];

			if (number != RECSYS_NONE)
				add_column(ease->mean, ease->inverse + ease->order * number,
						   value(items, x) * value(users, y), ease->order);
		}
	}

	/* C_th m, from the other side */
	for (uint64 x = items->offsets[item]; x < items->offsets[item + 1]; x++)
	{
		uint32		user = items->columns[x];

		for (uint64 y = users->offsets[user]; y < users->offsets[user + 1]; y++)
		{
			uint32		number = ease->head[users->columns[y]];

			if (number != RECSYS_NONE)
				left -= (double) value(items, x) * value(users, y) * ease->mean[number];
		}
	}
	return Max(left, ease->lambda);
}

static void
score_by_head(void *arg, uint32 item, const RecsysNeighbor *pairs, int n, float *scores)
{
	Ease	   *ease = arg;
	uint32		row = ease->head[item];
	const float *column = ease->inverse + ease->order * (row != RECSYS_NONE ? row : 0);
	double		variance = 0;

	if (row == RECSYS_NONE)
		variance = explain_tail_item(ease, item);
	else if (ease->order < ease->totals->nitems)
		spread_head_row(ease, column);
	for (int x = 0; x < n; x++)
	{
		uint32		other = pairs[x].item;
		uint32		number = ease->head[other];

		if (row != RECSYS_NONE && number != RECSYS_NONE)
			scores[x] = (float) (-column[number] / ease->diagonal[number]);
		else if (row != RECSYS_NONE)
			scores[x] = (float) project(ease->items, other, ease->by_user);
		else if (number != RECSYS_NONE)
			scores[x] = (float) (ease->mean[number] / (variance * ease->diagonal[number]));
		else
			scores[x] = 0.0f;
	}
}

/* Bytes for an inverse of that order */
static Size
memory_of_order(Size order, uint32 nusers, uint32 nitems, bool weighted)
{
	return sizeof(float) * order * order + RecsysInvertMemory(order) +
		RecsysPairRowsMemory(nitems, weighted) +
		(sizeof(double) + 2 * sizeof(uint32)) * ((Size) nitems + 1) +
		sizeof(float) * ((Size) nusers + nitems + 2);
}

Size
RecsysEaseLeastMemory(uint32 nusers, uint32 nitems, bool weighted)
{
	return memory_of_order(1, nusers, nitems, weighted);
}

static const uint32 *sort_key;

/* More users first, then the lower number. */
static int
compare_popularity(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	if (sort_key[x] != sort_key[y])
		return sort_key[x] > sort_key[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* The largest head that fits; at least one item. */
static Size
choose_head(const RecsysItemTotals *totals, uint32 nusers, bool weighted, Size memory_limit)
{
	Size		low = 1;
	Size		high = totals->nitems;

	if (RecsysEaseLeastMemory(nusers, totals->nitems, weighted) > memory_limit)
		elog(ERROR, "too little memory to train the model");
	while (low < high)
	{
		Size		middle = low + (high - low + 1) / 2;

		if (memory_of_order(middle, nusers, totals->nitems, weighted) <= memory_limit)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static void
number_head(Ease *ease)
{
	uint32		nitems = ease->totals->nitems;

	for (uint32 item = 0; item < nitems; item++)
	{
		ease->head[item] = RECSYS_NONE;
		ease->head_items[item] = item;
	}
	sort_key = ease->totals->users;
	qsort(ease->head_items, nitems, sizeof(uint32), compare_popularity);
	for (Size number = 0; number < ease->order; number++)
		ease->head[ease->head_items[number]] = (uint32) number;
}

static void
refuse(double lambda)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("lambda %g does not go with these weights", lambda),
			 errhint("Raise lambda, or scale the weights to about 1.")));
}

uint32
RecsysEase(const RecsysMatrix *users, const RecsysMatrix *items,
		   const RecsysItemTotals *totals, const RecsysModelOptions *options,
		   double lambda, Size memory_limit, RecsysRowReporter report, void *arg)
{
	Ease		ease = {.users = users, .items = items, .totals = totals, .lambda = lambda};
	uint32		nitems = totals->nitems;
	bool		weighted = users->weights != NULL;

	ease.by_users = users->nrows < nitems &&
		RecsysEaseMemory(users->nrows, nitems, weighted) <= memory_limit;
	ease.order = ease.by_users ? users->nrows :
		choose_head(totals, users->nrows, weighted, memory_limit);
	ease.order = Min(ease.order, ease.by_users ? (Size) users->nrows : (Size) nitems);
	ease.inverse = recsys_alloc_huge(sizeof(float) * Max(ease.order * ease.order, 1));
	ease.diagonal = recsys_alloc_huge(sizeof(double) * Max((Size) nitems, 1));
	ease.by_user = recsys_alloc_huge(sizeof(float) * Max((Size) users->nrows, 1));
	ease.head = recsys_alloc_huge(sizeof(uint32) * Max((Size) nitems, 1));
	ease.head_items = recsys_alloc_huge(sizeof(uint32) * Max((Size) nitems, 1));
	ease.mean = recsys_alloc_huge(sizeof(float) * Max((Size) nitems, 1));

	if (ease.by_users)
		fill_gram(ease.inverse, ease.order, users, items, NULL, lambda);
	else
	{
		number_head(&ease);
		fill_gram(ease.inverse, ease.order, items, users, ease.head, lambda);
	}
	if (!RecsysInvert(ease.inverse, ease.order))
		refuse(lambda);
	mirror(ease.inverse, ease.order);
	if (ease.by_users)
		diagonal_by_users(&ease);
	else
	{
		for (Size number = 0; number < ease.order; number++)
			ease.diagonal[number] = ease.inverse[number * ease.order + number];
	}

	/* weights too large for single precision */
	for (Size x = 0; x < (ease.by_users ? (Size) nitems : ease.order); x++)
	{
		if (!(ease.diagonal[x] > 0 && isfinite(ease.diagonal[x])))
			refuse(lambda);
	}
	RecsysPairRows(users, items, totals, options, NULL,
				   ease.by_users ? score_by_users : score_by_head, &ease, report, arg);
	pfree(ease.inverse);
	pfree(ease.diagonal);
	pfree(ease.by_user);
	pfree(ease.head);
	pfree(ease.head_items);
	pfree(ease.mean);
	return ease.by_users ? nitems : (uint32) ease.order;
}

Size
RecsysEaseMemory(uint32 nusers, uint32 nitems, bool weighted)
{
	return memory_of_order(Min(nusers, nitems), nusers, nitems, weighted);
}
