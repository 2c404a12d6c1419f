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

#include <float.h>
#include <math.h>

#include "core/base/topk.h"

/* palloc aligns to eight bytes only */
typedef float Lanes __attribute__((vector_size(4 * RECSYS_CHOICE_LANES), aligned(4)));

/* Additions for each item of the catalogue, from which on touched items are not noted */
#define WORK_PER_ITEM 2

/* Users between two checks for interrupts */
#define USERS_PER_CHECK 64

/* A power of the items' numbers of users, which several models share */
typedef struct Powers
{
	double		exponent;
	float	   *values;			/* by item */
	float	   *touched;		/* of what the row at hand has touched */
} Powers;

/* Models that are counted at once */
#define MOST_MODELS 64

/* Scores in a group at most, and groups for each neighbor, to find a threshold by their maxima */
#define MAX_GROUP 16
#define GROUPS_PER_NEIGHBOR 4

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
	float	   *maxima;			/* of groups of scores */
	RecsysCandidate *chosen;

	/* of the count at hand */
	RecsysChoiceLane ways[RECSYS_CHOICE_LANES];
	int			nways;			/* the first is the number of users */
	float		least;			/* support of any of the models */
	bool		weighted;
	Lanes	   *by_user;		/* factor of a user's products, unless weighted */
	Lanes	   *by_entry;		/* factors of a product, if weighted */
	double	   *mass[RECSYS_CHOICE_LANES];	/* sums of an item's weights, if weighted */

	Powers		powers[MOST_MODELS];
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

bool
RecsysChoiceLanesEqual(const RecsysChoiceLane *a, const RecsysChoiceLane *b)
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

	/* one more than there may be, as what is not new is written too (add_users) */
	counter->touched = recsys_alloc_huge(sizeof(uint32) * (nitems + 1));
	for (int lane = 0; lane < RECSYS_CHOICE_LANES; lane++)
		counter->lanes[lane] = recsys_alloc_huge(sizeof(float) * nitems);
	counter->scores = recsys_alloc_huge(sizeof(float) * (nitems + MAX_GROUP));
	counter->maxima = recsys_alloc_huge(sizeof(float) * (nitems + 1));
	counter->chosen = recsys_alloc_huge(sizeof(RecsysCandidate) * (nitems + 1));
	return counter;
}

void
RecsysChoiceCounterFree(RecsysChoiceCounter *counter)
{
	for (int lane = 0; lane < RECSYS_CHOICE_LANES; lane++)
		pfree(counter->lanes[lane]);
	pfree(counter->sums);
	pfree(counter->touched);
	pfree(counter->scores);
	pfree(counter->maxima);
	pfree(counter->chosen);
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

/* Which powers are n_j ^ -exponent of all items? */
static int
powers_of(RecsysChoiceCounter *counter, double exponent)
{
	Size		nitems = Max((Size) counter->split->nitems, 1);
	Powers	   *powers;

	for (int p = 0; p < counter->npowers; p++)
		if (fabs(counter->powers[p].exponent - exponent) < 1e-9)
			return p;
	powers = &counter->powers[counter->npowers];
	powers->exponent = exponent;
	powers->values = recsys_alloc_huge(sizeof(float) * nitems);
	powers->touched = recsys_alloc_huge(sizeof(float) * nitems);
	for (uint32 item = 0; item < counter->split->nitems; item++)
		powers->values[item] = (float) pow(Max(counter->split->item_users[item], 1), -exponent);
	return counter->npowers++;
}

/* The ways in which the models' products differ */
static void
find_ways(RecsysChoiceCounter *counter, RecsysChoiceRows **models, int n)
{
	counter->ways[0] = (RecsysChoiceLane) {.transform = RECSYS_TRANSFORM_BINARY, .alpha = 1};
	counter->nways = 1;
	counter->weighted = false;
	counter->least = FLT_MAX;
	for (int m = 0; m < n; m++)
	{
		RecsysChoiceLane lane = RecsysChoiceLaneOf(&models[m]->options);
		bool		known = false;

		counter->least = Min(counter->least, (float) models[m]->options.min_support);
		for (int way = 0; way < counter->nways; way++)
			known |= RecsysChoiceLanesEqual(&counter->ways[way], &lane);
		if (known)
			continue;
		Assert(counter->nways < RECSYS_CHOICE_LANES);
		counter->weighted |= lane.transform != RECSYS_TRANSFORM_BINARY;
		counter->ways[counter->nways++] = lane;
	}
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
			sum += RecsysHistoryTransform(split->weights[e], lane->transform);
		for (uint64 e = first; e < last; e++)
		{
			double		weight = RecsysHistoryTransform(split->weights[e], lane->transform);
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

/* Adds up the histories of the item's users; returns how many items they have touched. */
static uint32
add_users(RecsysChoiceCounter *counter, uint32 item, bool touching)
{
	const RecsysMatrix *users = &counter->split->users;
	const RecsysMatrix *items = &counter->split->items;
	Lanes	   *sums = counter->sums;
	uint32		ntouched = 0;

	for (uint64 p = items->offsets[item]; p < items->offsets[item + 1]; p++)
	{
		uint32		user = items->columns[p];
		uint64		first = users->offsets[user];
		uint64		last = users->offsets[user + 1];
		Lanes		factors = counter->weighted ? entry_factors(counter, user, item) :
			counter->by_user[user];

		if (p % USERS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		if (counter->weighted)
			for (uint64 e = first; e < last; e++)
			{
				uint32		other = users->columns[e];

				counter->touched[ntouched] = other;
				ntouched += sums[other][0] == 0;
				sums[other] += factors * counter->by_entry[e];
			}
		else if (touching)
			for (uint64 e = first; e < last; e++)
			{
				uint32		other = users->columns[e];

				/* without a branch, which would be taken at random */
				counter->touched[ntouched] = other;
				ntouched += sums[other][0] == 0;
				sums[other] += factors;
			}
		else
			for (uint64 e = first; e < last; e++)
				sums[users->columns[e]] += factors;
	}
	return ntouched;
}

/* What an item's users have, in additions */
static uint64
work_of(const RecsysChoiceCounter *counter, uint32 item)
{
	const RecsysMatrix *users = &counter->split->users;
	const RecsysMatrix *items = &counter->split->items;
	uint64		work = 0;

	for (uint64 p = items->offsets[item]; p < items->offsets[item + 1]; p++)
		work += users->offsets[items->columns[p] + 1] - users->offsets[items->columns[p]];
	return work;
}

/* Takes a sum out and clears it. */
static inline void
take_sum(RecsysChoiceCounter *counter, uint32 item, uint32 other)
{
	Lanes		sum = counter->sums[other];
	uint32		place = counter->ntouched;

	counter->sums[other] = (Lanes) {0};
	if (sum[0] < counter->least || other == item)
		return;
	for (int lane = 0; lane < RECSYS_CHOICE_LANES; lane++)
		counter->lanes[lane][place] = sum[lane];
	counter->touched[place] = other;
	counter->ntouched++;
}

static void
count_item(RecsysChoiceCounter *counter, uint32 item)
{
	/* where most items are touched, looking at all of them is less than noting them */
	bool		touching = counter->weighted ||
		work_of(counter, item) < (uint64) counter->split->nitems * WORK_PER_ITEM;
	uint32		ntouched = add_users(counter, item, touching);

	counter->ntouched = 0;
	if (touching)
		for (uint32 x = 0; x < ntouched; x++)
			take_sum(counter, item, counter->touched[x]);
	else
		for (uint32 other = 0; other < counter->split->nitems; other++)
			if (counter->sums[other][0] != 0)
				take_sum(counter, item, other);
}

/* Scores of what the row has touched, but for a factor of the row. */
RECSYS_TARGET_CLONES static void
score_row(const float *restrict counts, const float *restrict sums, const float *restrict powers,
		  uint32 n, float support, float shrinkage, float *restrict scores)
{
	if (shrinkage > 0)
	{
		for (uint32 x = 0; x < n; x++)
			scores[x] = counts[x] >= support ?
				sums[x] * powers[x] * counts[x] / (counts[x] + shrinkage) : 0;
		return;
	}
	for (uint32 x = 0; x < n; x++)
		scores[x] = counts[x] >= support ? sums[x] * powers[x] : 0;
}

/* The largest of each group of so many scores */
RECSYS_TARGET_CLONES static void
group_maxima(const float *restrict scores, uint32 ngroups, uint32 group, float *restrict maxima)
{
	for (uint32 x = 0; x < ngroups; x++)
		maxima[x] = scores[x];
	for (uint32 y = 1; y < group; y++)
		for (uint32 x = 0; x < ngroups; x++)
			maxima[x] = Max(maxima[x], scores[y * ngroups + x]);
}

RECSYS_TARGET_CLONES static uint32
count_reaching(const float *maxima, uint32 n, float threshold)
{
	uint32		count = 0;

	for (uint32 x = 0; x < n; x++)
		count += maxima[x] >= threshold;
	return count;
}

static inline float
float_of(uint32 bits)
{
	float		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/*
 * A threshold that at least k of the scores reach, and hardly more, by bisection over the
 * groups' maxima, each of which is a score; 0 when fewer than k groups have one.
 */
static float
find_threshold(const float *maxima, uint32 n, uint32 k)
{
	uint32		low = 0;		/* at least k reach this; positive floats have the order of their bits */
	uint32		high = 0x7F800000;	/* fewer than k do */

	if (n < k || count_reaching(maxima, n, float_of(1)) < k)
		return 0;
	while (high - low > 1)
	{
		uint32		middle = low + (high - low) / 2;
		uint32		count = count_reaching(maxima, n, float_of(middle));

		if (count < k)
			high = middle;
		else
		{
			low = middle;
			if (count <= k + k / 8)
				break;
		}
	}
	return float_of(low);
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
	uint32		n = counter->ntouched;
	uint32		k = (uint32) model->width;
	uint32		group = Min(Max(n / (GROUPS_PER_NEIGHBOR * k), 1), MAX_GROUP);
	uint32		ngroups = (n + group - 1) / group;
	float		factor = (float) row_factor(counter, options, way, counter->rows[row]);
	float		threshold;
	int			count = 0;
	Size		base = (Size) row * model->width;

	score_row(counter->lanes[0], counter->lanes[way], powers, n, (float) options->min_support,
			  (float) options->shrinkage, counter->scores);
	for (uint32 x = n; x < ngroups * group; x++)
		counter->scores[x] = 0;
	group_maxima(counter->scores, ngroups, group, counter->maxima);
	threshold = Max(find_threshold(counter->maxima, ngroups, k), FLT_MIN);
	for (uint32 x = 0; x < ngroups; x++)
	{
		if (counter->maxima[x] < threshold)
			continue;
		for (uint32 place = x; place < n; place += ngroups)
		{
			/* without a branch; what does not reach it is overwritten */
			counter->chosen[count].order = RecsysCandidateOrder(counter->scores[place],
																counter->touched[place]);
			count += counter->scores[place] >= threshold;
		}
	}
	if (count > (int) k)
	{
		(void) RecsysSelectBest(counter->chosen, count, (int) k);
		count = (int) k;
	}
	for (int x = 0; x < count; x++)
	{
		model->items[base + x] = RecsysCandidateItem(counter->chosen[x].order);
		model->scores[base + x] = RecsysCandidateScore(counter->chosen[x].order) * factor;
	}
	model->counts[row] = (uint16) count;
}

/* The powers of what the row has touched */
static void
gather_powers(RecsysChoiceCounter *counter)
{
	for (int p = 0; p < counter->npowers; p++)
	{
		const float *values = counter->powers[p].values;

		for (uint32 x = 0; x < counter->ntouched; x++)
			counter->powers[p].touched[x] = values[counter->touched[x]];
	}
}

/* Which way a model's products are summed in */
static int
way_of(const RecsysChoiceCounter *counter, const RecsysModelOptions *options)
{
	RecsysChoiceLane lane = RecsysChoiceLaneOf(options);

	for (int way = 0; way < counter->nways; way++)
		if (RecsysChoiceLanesEqual(&counter->ways[way], &lane))
			return way;
	return 0;
}

void
RecsysChoiceCount(RecsysChoiceCounter *counter, RecsysChoiceRows **models, int n)
{
	int			powers[MOST_MODELS];
	int			ways[MOST_MODELS];

	Assert(n <= MOST_MODELS);
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
		gather_powers(counter);
		for (int m = 0; m < n; m++)
			select_row(counter, models[m], row, ways[m], counter->powers[powers[m]].touched);
	}

	for (int way = 0; counter->weighted && way < counter->nways; way++)
		pfree(counter->mass[way]);
	if (counter->weighted)
		pfree(counter->by_entry);
	else
		pfree(counter->by_user);
	for (int p = 0; p < counter->npowers; p++)
	{
		pfree(counter->powers[p].values);
		pfree(counter->powers[p].touched);
	}
	counter->npowers = 0;
}
