/*
 * choicerows.c
 *	  Rows of the item graphs of many models from one counting of pairs.
 *
 * Counting is the expensive part of an item graph, and models of one family differ only
 * in how a user's products are damped and in what is made of the sums (similarity.c).  So
 * four sums are kept side by side for each pair, in one vector register: the number of
 * users, and the products damped in three ways (the lanes).  All that depends on the two
 * items comes afterwards, for each model, over what the row has touched.
 *
 * Only rows are computed that the ranking of some users needs.  Sums are floats: they
 * decide which model is taken, not what it answers.
 */
#include "core/choice/choicerows.h"

#include <math.h>

#include "core/pairs/modeloptions.h"

typedef float Lanes __attribute__((vector_size(4 * RECSYS_CHOICE_LANES)));

/* Users between two checks for interrupts */
#define USERS_PER_CHECK 64

/* A power of the items' numbers of users, which several models share */
typedef struct Powers
{
	double		exponent;
	float	   *values;			/* by item */
} Powers;

#define MOST_POWERS 64

struct RecsysChoiceCounter
{
	const RecsysChoiceSplit *split;
	uint32		nrows;
	uint32	   *rows;			/* items with a row, ascending */
	uint32	   *row_of;			/* by item */

	/* the row at hand */
	Lanes	   *sums;			/* by item; zero between rows */
	uint32	   *touched;
	uint32		ntouched;
	float	   *lanes[RECSYS_CHOICE_LANES];	/* of what was touched */
	float	   *scores;
	float	   *sorted;

	/* of the count at hand */
	RecsysChoiceLane ways[RECSYS_CHOICE_LANES];
	int			nways;			/* the first is the number of users */
	bool		weighted;
	Lanes	   *by_user;		/* factor of a user's products, unless weighted */
	Lanes	   *by_entry;		/* factors of a product, if weighted */
	double	   *mass[RECSYS_CHOICE_LANES];	/* sums of an item's weights, if weighted */

	Powers		powers[MOST_POWERS];
	int			npowers;
};

RecsysChoiceLane
RecsysChoiceLaneOf(const RecsysModelOptions *options)
{
	RecsysChoiceLane lane = {.transform = options->weight_transform, .alpha = 1};

	lane.damping = options->user_damping;
	if (options->similarity == RECSYS_RP3BETA)
	{
		lane.alpha = options->alpha;
		if (lane.transform == RECSYS_TRANSFORM_BINARY)
			lane.damping += options->alpha;
	}
	if (lane.transform == RECSYS_TRANSFORM_BINARY)
		lane.alpha = 1;
	return lane;
}

static bool
lanes_equal(const RecsysChoiceLane *a, const RecsysChoiceLane *b)
{
	return fabs(a->damping - b->damping) < 1e-9 && a->transform == b->transform &&
		fabs(a->alpha - b->alpha) < 1e-9;
}

RecsysChoiceCounter *
RecsysChoiceCounterCreate(const RecsysChoiceSplit *split)
{
	RecsysChoiceCounter *counter = palloc0(sizeof(RecsysChoiceCounter));
	Size		nitems = Max((Size) split->nitems, 1);

	counter->split = split;
	counter->row_of = recsys_alloc_huge(sizeof(uint32) * nitems);
	counter->rows = recsys_alloc_huge(sizeof(uint32) * nitems);
	memset(counter->row_of, 0xFF, sizeof(uint32) * nitems);
	for (uint32 t = 0; t < split->ntest; t++)
	{
		uint32		user = split->test_users[t];

		for (uint64 e = split->users.offsets[user]; e < split->users.offsets[user + 1]; e++)
			counter->row_of[split->users.columns[e]] = 0;
	}
	for (uint32 item = 0; item < split->nitems; item++)
	{
		if (counter->row_of[item] == RECSYS_NONE)
			continue;
		counter->row_of[item] = counter->nrows;
		counter->rows[counter->nrows++] = item;
	}
	counter->sums = recsys_alloc_huge_zero(sizeof(Lanes) * nitems);
	counter->touched = recsys_alloc_huge(sizeof(uint32) * nitems);
	for (int lane = 0; lane < RECSYS_CHOICE_LANES; lane++)
		counter->lanes[lane] = recsys_alloc_huge(sizeof(float) * nitems);
	counter->scores = recsys_alloc_huge(sizeof(float) * nitems);
	counter->sorted = recsys_alloc_huge(sizeof(float) * nitems);
	return counter;
}

static void
forget_powers(RecsysChoiceCounter *counter)
{
	for (int p = 0; p < counter->npowers; p++)
		pfree(counter->powers[p].values);
	counter->npowers = 0;
}

void
RecsysChoiceCounterFree(RecsysChoiceCounter *counter)
{
	forget_powers(counter);
	for (int lane = 0; lane < RECSYS_CHOICE_LANES; lane++)
		pfree(counter->lanes[lane]);
	pfree(counter->sums);
	pfree(counter->touched);
	pfree(counter->scores);
	pfree(counter->sorted);
	pfree(counter->rows);
	pfree(counter->row_of);
	pfree(counter);
}

uint32
RecsysChoiceRowOf(const RecsysChoiceCounter *counter, uint32 item)
{
	return counter->row_of[item];
}

Size
RecsysChoiceRowsMemory(const RecsysChoiceCounter *counter, int neighbors)
{
	return sizeof(RecsysChoiceRows) + sizeof(uint16) * counter->nrows +
		(sizeof(uint32) + sizeof(float)) * (Size) neighbors * counter->nrows;
}

RecsysChoiceRows *
RecsysChoiceRowsCreate(const RecsysChoiceCounter *counter, const RecsysModelOptions *options)
{
	RecsysChoiceRows *rows = palloc0(sizeof(RecsysChoiceRows));
	Size		places = Max((Size) counter->nrows * options->neighbors, 1);

	Assert(options->similarity == RECSYS_RP3BETA || options->similarity == RECSYS_COSINE);
	rows->options = *options;
	rows->nrows = counter->nrows;
	rows->width = options->neighbors;
	rows->counts = recsys_alloc_huge_zero(sizeof(uint16) * Max((Size) counter->nrows, 1));
	rows->items = recsys_alloc_huge(sizeof(uint32) * places);
	rows->scores = recsys_alloc_huge(sizeof(float) * places);
	return rows;
}

void
RecsysChoiceRowsFree(RecsysChoiceRows *rows)
{
	pfree(rows->counts);
	pfree(rows->items);
	pfree(rows->scores);
	pfree(rows);
}

/* n_j ^ -exponent of all items */
static const float *
powers_of(RecsysChoiceCounter *counter, double exponent)
{
	Powers	   *powers;

	for (int p = 0; p < counter->npowers; p++)
		if (fabs(counter->powers[p].exponent - exponent) < 1e-9)
			return counter->powers[p].values;
	powers = &counter->powers[counter->npowers++];
	powers->exponent = exponent;
	powers->values = recsys_alloc_huge(sizeof(float) * Max((Size) counter->split->nitems, 1));
	for (uint32 item = 0; item < counter->split->nitems; item++)
		powers->values[item] = (float) pow(Max(counter->split->item_users[item], 1), -exponent);
	return powers->values;
}

/* The ways in which the models' products differ */
static void
find_ways(RecsysChoiceCounter *counter, RecsysChoiceRows **models, int n)
{
	counter->ways[0] = (RecsysChoiceLane) {.transform = RECSYS_TRANSFORM_BINARY, .alpha = 1};
	counter->nways = 1;
	counter->weighted = false;
	for (int m = 0; m < n; m++)
	{
		RecsysChoiceLane lane = RecsysChoiceLaneOf(&models[m]->options);
		bool		known = false;

		for (int way = 0; way < counter->nways; way++)
			known |= lanes_equal(&counter->ways[way], &lane);
		if (known)
			continue;
		Assert(counter->nways < RECSYS_CHOICE_LANES);
		counter->weighted |= lane.transform != RECSYS_TRANSFORM_BINARY;
		counter->ways[counter->nways++] = lane;
	}
}

static double
transformed(double weight, RecsysWeightTransform transform)
{
	if (transform == RECSYS_TRANSFORM_BINARY)
		return 1;
	return transform == RECSYS_TRANSFORM_LOG ? log1p(weight) : weight;
}

/* Factors of one way's products: of a user or, with weights, of each entry. */
static void
weigh_way(RecsysChoiceCounter *counter, int way)
{
	const RecsysChoiceSplit *split = counter->split;
	const RecsysChoiceLane *lane = &counter->ways[way];
	const RecsysMatrix *users = &split->users;

	for (uint32 user = 0; user < users->nrows; user++)
	{
		uint64		first = users->offsets[user];
		uint64		last = users->offsets[user + 1];
		double		damping = pow((double) (last - first), -lane->damping);
		double		sum = 0;

		if (user % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (!counter->weighted)
		{
			counter->by_user[user][way] = (float) damping;
			continue;
		}
		for (uint64 e = first; e < last; e++)
			sum += transformed(split->weights[e], lane->transform);
		for (uint64 e = first; e < last; e++)
		{
			double		weight = transformed(split->weights[e], lane->transform);
			double		factor = sqrt(damping);

			if (lane->transform != RECSYS_TRANSFORM_BINARY)
			{
				counter->mass[way][users->columns[e]] += weight;
				factor *= pow(weight, lane->alpha) * pow(sum, -lane->alpha / 2);
			}
			counter->by_entry[e][way] = (float) factor;
		}
	}
}

static void
weigh(RecsysChoiceCounter *counter)
{
	const RecsysChoiceSplit *split = counter->split;
	Size		nitems = Max((Size) split->nitems, 1);

	if (counter->weighted)
		counter->by_entry = recsys_alloc_huge_zero(sizeof(Lanes) * Max(split->interactions, 1));
	else
		counter->by_user = recsys_alloc_huge_zero(sizeof(Lanes) * Max((Size) split->users.nrows, 1));
	for (int way = 0; way < counter->nways; way++)
	{
		if (counter->weighted)
			counter->mass[way] = recsys_alloc_huge_zero(sizeof(double) * nitems);
		weigh_way(counter, way);
	}
}

/* Factors of a user's entry with the item */
static Lanes
entry_factors(const RecsysChoiceCounter *counter, uint32 user, uint32 item)
{
	const RecsysMatrix *users = &counter->split->users;
	uint64		low = users->offsets[user];
	uint64		high = users->offsets[user + 1];

	while (high - low > 1)
	{
		uint64		middle = low + (high - low) / 2;

		if (users->columns[middle] <= item)
			low = middle;
		else
			high = middle;
	}
	return counter->by_entry[low];
}

static void
count_item(RecsysChoiceCounter *counter, uint32 item)
{
	const RecsysMatrix *users = &counter->split->users;
	const RecsysMatrix *items = &counter->split->items;
	Lanes	   *sums = counter->sums;
	uint32		ntouched = 0;

	for (uint64 p = items->offsets[item]; p < items->offsets[item + 1]; p++)
	{
		uint32		user = items->columns[p];
		uint64		last = users->offsets[user + 1];
		Lanes		factors = counter->weighted ? entry_factors(counter, user, item) :
			counter->by_user[user];

		if (p % USERS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		for (uint64 e = users->offsets[user]; e < last; e++)
		{
			uint32		other = users->columns[e];

			/* without a branch, which would be taken at random */
			counter->touched[ntouched] = other;
			ntouched += sums[other][0] == 0;
			sums[other] += counter->weighted ? factors * counter->by_entry[e] : factors;
		}
	}
	counter->ntouched = ntouched;
	for (uint32 x = 0; x < ntouched; x++)
	{
		Lanes		sum = sums[counter->touched[x]];

		for (int lane = 0; lane < RECSYS_CHOICE_LANES; lane++)
			counter->lanes[lane][x] = sum[lane];
		sums[counter->touched[x]] = (Lanes) {0};
	}

	/* the item is no neighbor of its own */
	for (uint32 x = 0; x < ntouched; x++)
		if (counter->touched[x] == item)
			counter->lanes[0][x] = 0;
}

static inline void
swap_floats(float *values, uint32 a, uint32 b)
{
	float		swap = values[a];

	values[a] = values[b];
	values[b] = swap;
}

/*
 * The k-th largest of n > k floats, which are reordered: quickselect (Hoare 1961) with
 * all that equals the pivot in the middle, for ties are many (Dijkstra 1976).
 */
static float
kth_largest(float *values, uint32 n, uint32 k)
{
	uint32		low = 0;
	uint32		high = n;

	k--;
	for (;;)
	{
		float		pivot = values[low + (high - low) / 2];
		uint32		above = low;	/* what is greater ends here */
		uint32		below = high;	/* what is less begins here */

		for (uint32 x = low; x < below;)
		{
			if (values[x] > pivot)
				swap_floats(values, x++, above++);
			else if (values[x] < pivot)
				swap_floats(values, x, --below);
			else
				x++;
		}
		if (k < above)
			high = above;
		else if (k >= below)
			low = below;
		else
			return pivot;
	}
}

/* Scores of what the row has touched; returns how many are positive. */
static uint32
score_row(RecsysChoiceCounter *counter, const RecsysModelOptions *options, const float *lane,
		  const float *powers)
{
	const float *counts = counter->lanes[0];
	float		support = (float) options->min_support;
	float		shrinkage = (float) options->shrinkage;
	uint32		npositive = 0;

	for (uint32 x = 0; x < counter->ntouched; x++)
	{
		float		score = lane[x] * powers[counter->touched[x]];

		if (shrinkage > 0)
			score *= counts[x] / (counts[x] + shrinkage);
		score = counts[x] >= support ? score : 0;
		counter->scores[x] = score;
		npositive += score > 0;
	}
	return npositive;
}

/* What of a score depends on the row's item alone */
static double
row_factor(const RecsysChoiceCounter *counter, const RecsysModelOptions *options, int way, uint32 item)
{
	double		mass = counter->split->item_users[item];

	if (options->similarity == RECSYS_COSINE)
		return 1 / sqrt(mass);
	if (counter->weighted && counter->ways[way].transform != RECSYS_TRANSFORM_BINARY)
		mass = counter->mass[way][item];
	return pow(mass, -options->alpha);
}

static void
select_row(RecsysChoiceCounter *counter, RecsysChoiceRows *model, uint32 row, int way,
		   const float *powers)
{
	const RecsysModelOptions *options = &model->options;
	uint32		npositive = score_row(counter, options, counter->lanes[way], powers);
	float		factor = (float) row_factor(counter, options, way, counter->rows[row]);
	uint32		k = (uint32) model->width;
	float		threshold = 0;
	uint32		count = 0;
	Size		base = (Size) row * model->width;

	if (npositive > k)
	{
		memcpy(counter->sorted, counter->scores, sizeof(float) * counter->ntouched);
		threshold = kth_largest(counter->sorted, counter->ntouched, k);
	}

	/* first what is above the threshold, then what equals it, as far as there is room */
	for (int equal = 0; equal <= 1; equal++)
	{
		for (uint32 x = 0; x < counter->ntouched && count < k; x++)
		{
			float		score = counter->scores[x];

			if (score > 0 && (equal ? score == threshold : score > threshold))
			{
				model->items[base + count] = counter->touched[x];
				model->scores[base + count++] = score * factor;
			}
		}
	}
	model->counts[row] = (uint16) count;
}

/* Which way a model's products are summed in */
static int
way_of(const RecsysChoiceCounter *counter, const RecsysModelOptions *options)
{
	RecsysChoiceLane lane = RecsysChoiceLaneOf(options);

	for (int way = 0; way < counter->nways; way++)
		if (lanes_equal(&counter->ways[way], &lane))
			return way;
	return 0;
}

void
RecsysChoiceCount(RecsysChoiceCounter *counter, RecsysChoiceRows **models, int n)
{
	const float **powers = palloc(sizeof(float *) * Max(n, 1));
	int		   *ways = palloc(sizeof(int) * Max(n, 1));

	Assert(n <= MOST_POWERS);
	if (counter->npowers + n > MOST_POWERS)
		forget_powers(counter);
	find_ways(counter, models, n);
	weigh(counter);
	for (int m = 0; m < n; m++)
	{
		const RecsysModelOptions *options = &models[m]->options;

		ways[m] = way_of(counter, options);
		powers[m] = powers_of(counter, options->similarity == RECSYS_COSINE ?
							  0.5 + options->alpha : options->beta);
	}
	for (uint32 row = 0; row < counter->nrows; row++)
	{
		CHECK_FOR_INTERRUPTS();
		count_item(counter, counter->rows[row]);
		for (int m = 0; m < n; m++)
			select_row(counter, models[m], row, ways[m], powers[m]);
	}

	for (int way = 0; counter->weighted && way < counter->nways; way++)
		pfree(counter->mass[way]);
	if (counter->weighted)
		pfree(counter->by_entry);
	else
		pfree(counter->by_user);
	pfree(powers);
	pfree(ways);
}
