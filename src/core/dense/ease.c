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
#include "core/dense/ease.h"

#include <math.h>

#include "core/dense/area.h"
#include "core/dense/inverse.h"
#include "core/pairs/pairrow.h"

/* Columns between two checks for interrupts. */
#define COLUMNS_PER_CHECK 16

/* Columns of a matrix, or items, in a chunk of work */
#define CHUNK 16

typedef struct Ease
{
	double		lambda;
	bool		by_users;		/* inverse(M) instead of P */
	Size		order;			/* of the inverse */

	/* shared */
	RecsysMatrix users;
	RecsysMatrix items;
	RecsysItemTotals totals;
	float	   *inverse;		/* both triangles */
	double	   *diagonal;		/* P_jj by item; by head number otherwise */
	uint32	   *head;			/* item -> number in the head or RECSYS_NONE */
	uint32	   *head_items;		/* and back */
	void	   *invert_block;

	/* private */
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

/* One column of the lower triangle of A A' + lambda I; transposed is A'. */
static void
fill_column(const Ease *ease, const RecsysMatrix *rows, const RecsysMatrix *transposed, uint32 row)
{
	const uint32 *number = ease->by_users ? NULL : ease->head;
	Size		at = number != NULL ? number[row] : row;
	float	   *column = ease->inverse + at * ease->order;

	memset(column, 0, sizeof(float) * ease->order);
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
	column[at] += (float) ease->lambda;
}

static void
fill_gram(const Ease *ease, RecsysTeam *team)
{
	uint64		chunk;

	while (RecsysTeamClaim(team, (ease->order + CHUNK - 1) / CHUNK, &chunk))
	{
		CHECK_FOR_INTERRUPTS();
		for (Size at = chunk * CHUNK; at < Min((chunk + 1) * CHUNK, ease->order); at++)
		{
			if (ease->by_users)
				fill_column(ease, &ease->users, &ease->items, (uint32) at);
			else
				fill_column(ease, &ease->items, &ease->users, ease->head_items[at]);
		}
	}
	RecsysTeamWait(team);
}

/* P_jj from the inverse of the users */
static double
diagonal_by_users(const Ease *ease, uint32 item)
{
	const RecsysMatrix *items = &ease->items;
	double		explained = 0;

	for (uint64 x = items->offsets[item]; x < items->offsets[item + 1]; x++)
	{
		const float *column = ease->inverse + ease->order * items->columns[x];

		if (x % COLUMNS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		explained += value(items, x) * project(items, item, column);
	}
	return (1.0 - explained) / ease->lambda;
}

static void
fill_diagonal(const Ease *ease, RecsysTeam *team)
{
	Size		total = ease->by_users ? (Size) ease->items.nrows : ease->order;
	uint64		chunk;

	while (RecsysTeamClaim(team, (total + CHUNK - 1) / CHUNK, &chunk))
	{
		for (Size at = chunk * CHUNK; at < Min((chunk + 1) * CHUNK, total); at++)
			ease->diagonal[at] = ease->by_users ? diagonal_by_users(ease, (uint32) at) :
				ease->inverse[at * ease->order + at];
	}
	RecsysTeamWait(team);
}

static void
score_by_users(void *arg, uint32 item, const RecsysNeighbor *pairs, int n, float *scores)
{
	Ease	   *ease = arg;
	const RecsysMatrix *items = &ease->items;

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
	const RecsysMatrix *users = &ease->users;

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
	const RecsysMatrix *users = &ease->users;
	const RecsysMatrix *items = &ease->items;
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
	else if (ease->order < ease->totals.nitems)
		spread_head_row(ease, column);
	for (int x = 0; x < n; x++)
	{
		uint32		other = pairs[x].item;
		uint32		number = ease->head[other];

		if (row != RECSYS_NONE && number != RECSYS_NONE)
			scores[x] = (float) (-column[number] / ease->diagonal[number]);
		else if (row != RECSYS_NONE)
			scores[x] = (float) project(&ease->items, other, ease->by_user);
		else if (number != RECSYS_NONE)
			scores[x] = (float) (ease->mean[number] / (variance * ease->diagonal[number]));
		else
			scores[x] = 0.0f;
	}
}

static Size
lay_out(const RecsysDenseTask *task, void *shared, Ease *ease)
{
	RecsysArea	area = {shared, 0};
	Size		nitems = task->nitems;

	ease->lambda = task->options.lambda;
	ease->order = task->order;
	ease->by_users = task->by_users;
	RecsysCarveMatrix(&area, task->nitems, task->nrows, task->nentries, true, task->weighted,
					  &ease->items);
	RecsysCarveTotals(&area, task->nitems, task->weighted, &ease->totals);
	ease->totals.nusers = task->nusers;
	RecsysCarveMatrix(&area, task->nrows, task->nitems, task->nentries, true, task->weighted,
					  &ease->users);
	ease->inverse = RecsysCarve(&area, sizeof(float) * task->order * task->order);
	ease->diagonal = RecsysCarve(&area, sizeof(double) * nitems);
	ease->head = RecsysCarve(&area, sizeof(uint32) * nitems);
	ease->head_items = RecsysCarve(&area, sizeof(uint32) * nitems);
	ease->invert_block = RecsysCarve(&area, RecsysInvertShared(task->order));
	return area.used;
}

static Size
shared_memory(const RecsysDenseTask *task)
{
	Ease		none;

	return lay_out(task, NULL, &none);
}

static Size
member_memory(const RecsysDenseTask *task, bool leader)
{
	return Max(leader ? RecsysDensePrepareMemory(task) : 0, RecsysPairRowsMemory(task->nitems, task->weighted) +
			   sizeof(float) * ((Size) task->nrows + task->nitems + 2));
}

static Size
memory_of_order(const RecsysDenseTask *task, Size order)
{
	RecsysDenseTask copy = *task;

	copy.order = order;
	return shared_memory(&copy) + member_memory(&copy, true);
}

Size
RecsysEaseLeastMemory(const RecsysDenseTask *task)
{
	return memory_of_order(task, 1);
}

Size
RecsysEaseExactMemory(const RecsysDenseTask *task)
{
	return memory_of_order(task, Min(task->nrows, task->nitems));
}

uint32
RecsysEasePlan(RecsysDenseTask *task, Size memory_limit)
{
	Size		low = 0;
	Size		high = task->nitems;

	task->by_users = task->nrows < task->nitems && RecsysEaseExactMemory(task) <= memory_limit;
	if (task->by_users)
	{
		task->order = task->nrows;
		return task->nitems;
	}

	/* the largest head that fits */
	while (low < high)
	{
		Size		middle = low + (high - low + 1) / 2;

		if (memory_of_order(task, middle) <= memory_limit)
			low = middle;
		else
			high = middle - 1;
	}
	task->order = low;
	return (uint32) low;
}

/* More users first, then the lower number. */
static int
compare_popularity(const void *a, const void *b, void *arg)
{
	const uint32 *users = arg;
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	if (users[x] != users[y])
		return users[x] > users[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void
number_head(Ease *ease)
{
	uint32		nitems = ease->totals.nitems;

	for (uint32 item = 0; item < nitems; item++)
	{
		ease->head[item] = RECSYS_NONE;
		ease->head_items[item] = item;
	}
	qsort_interruptible(ease->head_items, nitems, sizeof(uint32), compare_popularity,
						ease->totals.users);
	for (Size number = 0; number < ease->order; number++)
		ease->head[ease->head_items[number]] = (uint32) number;
}

static void
prepare(const RecsysDenseTask *task, void *shared, const RecsysMatrix *users,
		const RecsysItemTotals *totals)
{
	Ease		ease = {0};

	(void) lay_out(task, shared, &ease);
	RecsysDenseCopyUsers(users, &ease.users);
	memset(ease.items.offsets, 0, sizeof(uint64) * ((Size) task->nitems + 1));
	RecsysMatrixTransposeTo(&ease.users, &ease.items);
	RecsysDenseCopyTotals(totals, &ease.totals);
	if (!task->by_users)
		number_head(&ease);
}

/* The leader says so for all. */
static void
refuse(RecsysTeam *team, double lambda)
{
	if (RecsysTeamLeads(team))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lambda %g does not go with these weights", lambda),
				 errhint("Raise lambda, scale the weights to about 1, or train with weighting = bm25.")));
}

static void
run(RecsysTeam *team, const RecsysDenseTask *task, void *shared, RecsysRowReporter report, void *arg)
{
	Ease		ease = {0};
	RecsysPairModel model = {.users = &ease.users, .items = &ease.items, .totals = &ease.totals,
		.options = &task->options, .score = task->by_users ? score_by_users : score_by_head,
		.arg = &ease};
	Size		total = task->by_users ? (Size) task->nitems : task->order;

	(void) lay_out(task, shared, &ease);
	fill_gram(&ease, team);
	if (!RecsysInvert(team, ease.inverse, ease.order, ease.invert_block))
	{
		refuse(team, ease.lambda);
		return;
	}
	fill_diagonal(&ease, team);

	/* weights too large for single precision */
	for (Size x = 0; x < total; x++)
	{
		if (!(ease.diagonal[x] > 0 && isfinite(ease.diagonal[x])))
		{
			refuse(team, ease.lambda);
			return;
		}
	}

	ease.by_user = recsys_alloc_huge(sizeof(float) * Max((Size) task->nrows, 1));
	ease.mean = recsys_alloc_huge(sizeof(float) * Max((Size) task->nitems, 1));
	RecsysPairRows(team, &model, report, arg);
	pfree(ease.by_user);
	pfree(ease.mean);
}

const RecsysDenseModel RecsysEase = {
	.shared = shared_memory,
	.memory = member_memory,
	.prepare = prepare,
	.run = run
};
