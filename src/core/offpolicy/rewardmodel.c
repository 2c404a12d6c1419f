/*
 * rewardmodel.c
 *	  What reward is to be expected of an item at a place, smoothed and cross-fitted.
 *
 * Cells are pairs of a position and an item.  The mean of a position is shrunk towards the mean of
 * all rows, that of a cell towards its position's: how far follows from how much means of cells vary
 * beyond what single rewards explain (empirical Bayes, the variance between cells by moments:
 * DerSimonian, Laird: Meta-analysis in clinical trials, 1986).  Clicks and amounts are treated
 * alike.
 *
 * Units are dealt to folds, and the model for the rows of a fold is made of the other folds'
 * (cross-fitting: Chernozhukov et al.: Double/debiased machine learning, 2018), so that a reward
 * does not foretell itself.
 */
#include "core/offpolicy/rewardmodel.h"

#include <math.h>

#include "core/base/random.h"
#include "core/offpolicy/cellnumbers.h"

/* Probabilities of the target that are the same, written differently; sums of them that are 1 */
#define SAME_PROBABILITY 1e-9
#define ROUNDED_SUM 1e-3

typedef struct RewardCells
{
	RecsysCellNumbers cells;	/* of a position and an item */
	RecsysCellNumbers groups;	/* of a position and a context */
	RecsysCellNumbers entries;	/* of a group and a cell: what the target may show there */
	uint32		npositions;
	uint32	   *cell;			/* of each row */
	uint32	   *group;			/* of each row; NULL: its target_item is known */
	uint32	   *first_row;		/* of each entry: its probability is this row's */
	uint8	   *fold;			/* of each row */
} RewardCells;

/* A model that was made of some of the rows */
typedef struct RewardMeans
{
	double	   *cell;
	double	   *position;
	double	   *group;			/* of what the target shows in it */
	double	   *rest;			/* of each group: what probabilities leave of 1 */
} RewardMeans;

/* Counts, sums and sums of squares of cells */
typedef struct RewardSums
{
	double	   *count;
	double	   *sum;
	double	   *square;
} RewardSums;

void
RecsysShrinkMeans(const double *count, const double *sum, const uint32 *group, uint32 ncells,
				  uint32 ngroups, double within, const double *prior, double *mean)
{
	double	   *total = palloc0(sizeof(double) * Max(ngroups, 1));
	double	   *squares = palloc0(sizeof(double) * Max(ngroups, 1));
	double		distance = 0;
	double		degrees = 0;
	double		spread = 0;
	double		between;

	for (uint32 c = 0; c < ncells; c++)
		if (count[c] > 0)
		{
			double		deviation = sum[c] / count[c] - prior[c];

			distance += count[c] * deviation * deviation;
			degrees += 1;
			total[group[c]] += count[c];
			squares[group[c]] += count[c] * count[c];
		}
	for (uint32 g = 0; g < ngroups; g++)
		if (total[g] > 0)
		{
			degrees -= 1;
			spread += total[g] - squares[g] / total[g];
		}
	between = spread > 0 ? Max((distance - degrees * within) / spread, 0) : 0;
	for (uint32 c = 0; c < ncells; c++)
	{
		double		keep = count[c] > 0 && between > 0 ? between / (between + within / count[c]) : 0;

		mean[c] = prior[c] + (keep > 0 ? keep * (sum[c] / count[c] - prior[c]) : 0);
	}
	pfree(total);
	pfree(squares);
}

static void
add_reward(RewardSums *sums, uint32 cell, double reward)
{
	sums->count[cell] += 1;
	sums->sum[cell] += reward;
	sums->square[cell] += reward * reward;
}

static void
create_sums(RewardSums *sums, Size ncells)
{
	sums->count = recsys_alloc_huge(sizeof(double) * ncells);
	sums->sum = recsys_alloc_huge(sizeof(double) * ncells);
	sums->square = recsys_alloc_huge(sizeof(double) * ncells);
}

static void
free_sums(RewardSums *sums)
{
	pfree(sums->count);
	pfree(sums->sum);
	pfree(sums->square);
}

/* Variance of a reward around the mean of its cell, over all cells */
static double
variance_within(const RewardSums *sums, uint32 ncells)
{
	double		distance = 0;
	double		degrees = 0;

	for (uint32 c = 0; c < ncells; c++)
		if (sums->count[c] > 0)
		{
			distance += Max(sums->square[c] - sums->sum[c] * sums->sum[c] / sums->count[c], 0);
			degrees += sums->count[c] - 1;
		}
	return degrees > 0 ? distance / degrees : 0;
}

/* Means of positions and of all cells, from sums */
static void
fit_means(const RewardCells *rewards, const RewardSums *sums, RewardMeans *means)
{
	uint32		ncells = rewards->cells.count;
	uint32		npositions = rewards->npositions;
	const uint32 *position = rewards->cells.left;
	double	   *count = palloc0(sizeof(double) * npositions);
	double	   *sum = palloc0(sizeof(double) * npositions);
	uint32	   *one_group = palloc0(sizeof(uint32) * npositions);
	double	   *prior = recsys_alloc_huge(sizeof(double) * Max((Size) ncells, npositions));
	double		within = variance_within(sums, ncells);
	double		total = 0;
	double		all = 0;

	for (uint32 c = 0; c < ncells; c++)
	{
		count[position[c]] += sums->count[c];
		sum[position[c]] += sums->sum[c];
		total += sums->count[c];
		all += sums->sum[c];
	}
	for (uint32 p = 0; p < npositions; p++)
		prior[p] = total > 0 ? all / total : 0;
	RecsysShrinkMeans(count, sum, one_group, npositions, 1, within, prior, means->position);
	for (uint32 c = 0; c < ncells; c++)
		prior[c] = means->position[position[c]];
	RecsysShrinkMeans(sums->count, sums->sum, position, ncells, npositions, within, prior,
					  means->cell);
	pfree(count);
	pfree(sum);
	pfree(one_group);
	pfree(prior);
}

/* Reward expected of the target in each group; of items that were not shown there, the position's mean. */
static void
fit_groups(const RecsysPolicyRows *rows, const RewardCells *rewards, RewardMeans *means)
{
	for (uint32 g = 0; g < rewards->groups.count; g++)
	{
		means->group[g] = 0;
		means->rest[g] = 1;
	}
	for (uint32 e = 0; e < rewards->entries.count; e++)
	{
		double		probability = rows->target[rewards->first_row[e]];
		uint32		group = rewards->entries.left[e];

		means->group[group] += probability * means->cell[rewards->entries.right[e]];
		means->rest[group] -= probability;
	}
	for (uint32 g = 0; g < rewards->groups.count; g++)
		means->group[g] += Max(means->rest[g], 0) * means->position[rewards->groups.left[g]];
}

static uint32
position_of(const RecsysPolicyRows *rows, uint32 row)
{
	return rows->position == NULL ? 0 : rows->position[row];
}

static double
predict_target(const RecsysPolicyRows *rows, const RewardCells *rewards, const RewardMeans *means,
			   uint32 row)
{
	uint32		item;
	uint32		cell;

	if (rewards->group != NULL)
		return means->group[rewards->group[row]];
	item = rows->target_item[row];
	if (item == RECSYS_NONE)
		return 0;
	cell = RecsysCellFind(&rewards->cells, position_of(rows, row), item);
	return cell == RECSYS_NONE ? means->position[position_of(rows, row)] : means->cell[cell];
}

/* The model of all rows that are not of the fold, for those that are */
static void
predict_fold(const RecsysPolicyRows *rows, const RewardCells *rewards, int fold, RewardSums *sums,
			 RewardMeans *means, double *predicted, double *target_predicted)
{
	Size		size = sizeof(double) * rewards->cells.count;

	memset(sums->count, 0, size);
	memset(sums->sum, 0, size);
	memset(sums->square, 0, size);
	for (uint32 i = 0; i < rows->n; i++)
		if (rewards->fold[i] != fold)
			add_reward(sums, rewards->cell[i], rows->reward[i]);
	fit_means(rewards, sums, means);
	if (rewards->group != NULL)
		fit_groups(rows, rewards, means);
	for (uint32 i = 0; i < rows->n; i++)
		if (rewards->fold[i] == fold)
		{
			predicted[i] = means->cell[rewards->cell[i]];
			target_predicted[i] = predict_target(rows, rewards, means, i);
		}
}

static void
predict(const RecsysPolicyRows *rows, const RewardCells *rewards, double *predicted,
		double *target_predicted)
{
	Size		ncells = Max((Size) rewards->cells.count, 1);
	Size		ngroups = Max((Size) rewards->groups.count, 1);
	RewardSums	sums;
	RewardMeans means;

	create_sums(&sums, ncells);
	means.cell = recsys_alloc_huge(sizeof(double) * ncells);
	means.position = recsys_alloc_huge(sizeof(double) * rewards->npositions);
	means.group = recsys_alloc_huge(sizeof(double) * ngroups);
	means.rest = recsys_alloc_huge(sizeof(double) * ngroups);
	for (int fold = 0; fold < RECSYS_REWARD_FOLDS; fold++)
	{
		CHECK_FOR_INTERRUPTS();
		predict_fold(rows, rewards, fold, &sums, &means, predicted, target_predicted);
	}
	free_sums(&sums);
	pfree(means.cell);
	pfree(means.position);
	pfree(means.group);
	pfree(means.rest);
}

/* Cells and folds of the rows */
static void
create_cells(const RecsysPolicyRows *rows, uint64 seed, RewardCells *rewards)
{
	memset(rewards, 0, sizeof(RewardCells));
	RecsysCellNumbersCreate(&rewards->cells, rows->n);
	rewards->cell = recsys_alloc_huge(sizeof(uint32) * Max((Size) rows->n, 1));
	rewards->fold = recsys_alloc_huge(Max((Size) rows->n, 1));
	rewards->npositions = 1;
	for (uint32 i = 0; i < rows->n; i++)
	{
		uint64		unit = rows->unit != NULL ? rows->unit[i] : rows->request != NULL ? rows->request[i] : i;

		rewards->cell[i] = RecsysCellNumber(&rewards->cells, position_of(rows, i), rows->item[i]);
		rewards->fold[i] = RecsysRandomMix(RecsysRandomMix(seed + RECSYS_RANDOM_STEP) + unit) %
			RECSYS_REWARD_FOLDS;
		rewards->npositions = Max(rewards->npositions, position_of(rows, i) + 1);
	}
}

/* What the target may show where; false if a probability differs between rows. */
static bool
create_entries(const RecsysPolicyRows *rows, RewardCells *rewards)
{
	Size		n = Max((Size) rows->n, 1);

	RecsysCellNumbersCreate(&rewards->groups, rows->n);
	RecsysCellNumbersCreate(&rewards->entries, rows->n);
	rewards->group = recsys_alloc_huge(sizeof(uint32) * n);
	rewards->first_row = recsys_alloc_huge(sizeof(uint32) * n);
	for (uint32 i = 0; i < rows->n; i++)
	{
		uint32		before = rewards->entries.count;
		uint32		entry;

		rewards->group[i] = RecsysCellNumber(&rewards->groups, position_of(rows, i),
											 rows->context == NULL ? 0 : rows->context[i]);
		entry = RecsysCellNumber(&rewards->entries, rewards->group[i], rewards->cell[i]);
		if (rewards->entries.count > before)
			rewards->first_row[entry] = i;
		else if (fabs(rows->target[rewards->first_row[entry]] - rows->target[i]) > SAME_PROBABILITY)
			return false;
	}
	return true;
}

/* Are there probabilities that no policy can have? */
static bool
is_overfull(const RecsysPolicyRows *rows, const RewardCells *rewards)
{
	double	   *sums = recsys_alloc_huge_zero(sizeof(double) * Max((Size) rewards->groups.count, 1));
	bool		overfull = false;

	for (uint32 e = 0; e < rewards->entries.count; e++)
		sums[rewards->entries.left[e]] += rows->target[rewards->first_row[e]];
	for (uint32 g = 0; g < rewards->groups.count; g++)
		overfull |= sums[g] > 1 + ROUNDED_SUM;
	pfree(sums);
	return overfull;
}

static void
free_cells(RewardCells *rewards)
{
	RecsysCellNumbersFree(&rewards->cells);
	pfree(rewards->cell);
	pfree(rewards->fold);
	if (rewards->group == NULL)
		return;
	RecsysCellNumbersFree(&rewards->groups);
	RecsysCellNumbersFree(&rewards->entries);
	pfree(rewards->group);
	pfree(rewards->first_row);
}

RecsysRewardModelState
RecsysRewardModel(const RecsysPolicyRows *rows, uint64 seed, double *predicted,
				  double *target_predicted)
{
	RewardCells rewards;
	RecsysRewardModelState state = RECSYS_REWARD_MODEL_MADE;

	if (rows->item == NULL)
		return RECSYS_REWARD_MODEL_NO_ITEMS;
	create_cells(rows, seed, &rewards);
	if (rows->target_item == NULL && !create_entries(rows, &rewards))
		state = RECSYS_REWARD_MODEL_NO_TARGET;
	else if (rows->target_item == NULL && is_overfull(rows, &rewards))
		state = RECSYS_REWARD_MODEL_OVERFULL;
	else
		predict(rows, &rewards, predicted, target_predicted);
	free_cells(&rewards);
	return state;
}
