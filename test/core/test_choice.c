/*
 * test_choice.c
 *	  Tests of core/choice: samples, splits, rows and rankings against plain references,
 *	  and what is chosen where the data were made by a known model.
 */
#include "core/choice/choice.h"

#include "core/base/random.h"
#include "core/choice/timespan.h"
#include "core/pairs/modeloptions.h"
#include "core/pairs/prior.h"
#include "generate.h"
#include "tap.h"

#define DAY INT64CONST(86400000000)

/* Histories as they are handed over, each ascending by item */
typedef struct Data
{
	uint32		nusers;
	uint32		nitems;
	bool		weighted;
	bool		timed;
	uint64	   *offsets;
	uint64	   *hashes;
	RecsysHistoryItem *items;
	bool	   *has;			/* of the user at hand */
} Data;

typedef enum Kind
{
	BESTSELLERS,				/* some items are bought by most, whatever they have */
	CLUSTERS,					/* users keep to their part of the catalogue */
	ANY							/* a bit of both */
} Kind;

static Data *
make_data(Random *random, uint32 nusers, uint32 nitems, int most, Kind kind, bool weighted, bool timed)
{
	Data	   *data = palloc0(sizeof(Data));
	uint32		part = Max(nitems / 10, 1);
	uint64		next = 0;

	data->nusers = nusers;
	data->nitems = nitems;
	data->weighted = weighted;
	data->timed = timed;
	data->offsets = palloc0(sizeof(uint64) * (nusers + 1));
	data->hashes = palloc(sizeof(uint64) * Max(nusers, 1));
	data->items = palloc(sizeof(RecsysHistoryItem) * Max((Size) nusers * most, 1));
	data->has = palloc(nitems);
	for (uint32 user = 0; user < nusers; user++)
	{
		int			wanted = 1 + (int) (random_bits(random) % most);
		int64		start = (int64) (random_unit(random) * 100) * DAY;

		data->hashes[user] = random_bits(random);
		memset(data->has, false, nitems);
		for (int x = 0; x < wanted; x++)
		{
			double		drawn = random_unit(random);
			uint32		item;

			if (kind == CLUSTERS || (kind == ANY && random_bits(random) % 4 != 0))
				item = user % 10 * part + (uint32) (drawn * part);
			else
				item = (uint32) (drawn * drawn * drawn * nitems);
			data->has[Min(item, nitems - 1)] = true;
		}
		for (uint32 item = 0; item < nitems; item++)
		{
			RecsysHistoryItem *entry = &data->items[next];

			if (!data->has[item])
				continue;
			entry->item = item;
			entry->weight = weighted ? 0.5 * (double) (1 + random_bits(random) % 20) : 1;
			entry->time = !timed || random_bits(random) % 50 == 0 ? RECSYS_NO_TIME :
				start + (int64) (random_bits(random) % 60) * DAY;
			next++;
		}
		data->offsets[user + 1] = next;
	}
	return data;
}

static void
free_data(Data *data)
{
	pfree(data->offsets);
	pfree(data->hashes);
	pfree(data->items);
	pfree(data->has);
	pfree(data);
}

/* step, which has no divisor in common with the number of users, gives another order */
static RecsysChoiceSample *
sample_of(const Data *data, Size memory, uint32 step)
{
	RecsysChoiceSample *sample = RecsysChoiceSampleCreate(data->nitems, data->weighted, data->timed, memory);

	if (data->timed)
		RecsysChoiceTrends(360 * DAY, sample->trends);
	for (uint32 x = 0; x < data->nusers; x++)
	{
		uint32		user = (uint32) ((uint64) x * step % data->nusers);

		RecsysChoiceSampleAdd(sample, data->hashes[user], data->items + data->offsets[user],
							  (int) (data->offsets[user + 1] - data->offsets[user]));
	}
	return sample;
}

static RecsysChoiceTask
free_task(const Data *data)
{
	RecsysChoiceTask task = {0};

	RecsysModelOptionsInit(&task.asked);
	task.half_life_is_free = task.max_age_is_free = task.trend_is_free = data->timed;
	task.memory_limit = 64 * 1024 * 1024;
	return task;
}

/* Samples: limits, and no dependence on the order */
static void
test_sample(Random *random)
{
	Data	   *data = make_data(random, 9973, 300, 30, ANY, true, true);
	RecsysChoiceSample *there = sample_of(data, 1000 * 1000, 1);
	RecsysChoiceSample *back = sample_of(data, 1000 * 1000, 7919);
	RecsysChoiceSplit *first = RecsysChoiceSplitCreate(there, 0);
	RecsysChoiceSplit *second = RecsysChoiceSplitCreate(back, 0);
	uint32		expected = 0;
	bool		whole = true;
	uint64		n = first->interactions;

	for (uint32 user = 0; user < data->nusers; user++)
		expected += data->hashes[user] <= there->threshold;
	for (uint32 user = 0; user < there->nusers; user++)
		whole &= there->hashes[user] <= there->threshold && there->offsets[user + 1] > there->offsets[user];
	ok(there->offsets[there->nusers] <= there->most && there->offsets[there->nusers] > there->most / 3 &&
	   there->most < data->offsets[data->nusers] && there->nusers == expected && whole,
	   "a sample keeps its limit: %u of %u users", there->nusers, data->nusers);
	ok(there->threshold == back->threshold && there->nusers == back->nusers &&
	   first->users.nrows == second->users.nrows && n == second->interactions &&
	   memcmp(first->users.columns, second->users.columns, sizeof(uint32) * n) == 0 &&
	   memcmp(first->times, second->times, sizeof(int64) * n) == 0 &&
	   memcmp(first->weights, second->weights, sizeof(double) * n) == 0 &&
	   first->ntest == second->ntest && first->test_offsets[first->ntest] == second->test_offsets[first->ntest] &&
	   memcmp(first->test_items, second->test_items, sizeof(uint32) * first->test_offsets[first->ntest]) == 0,
	   "users in another order: the same sample, divided in the same way");
	RecsysChoiceSplitFree(first);
	RecsysChoiceSplitFree(second);
	RecsysChoiceSampleFree(there);
	RecsysChoiceSampleFree(back);

	there = sample_of(data, 64 * 1024 * 1024, 1);
	ok(there->nusers == data->nusers && there->offsets[there->nusers] == data->offsets[data->nusers],
	   "all users where there is room");
	RecsysChoiceSampleFree(there);

	/* a user who is more than there is room for */
	there = RecsysChoiceSampleCreate(100000, false, false, 0);
	data->items = repalloc(data->items, sizeof(RecsysHistoryItem) * 100000);
	for (uint32 x = 0; x < 100000; x++)
		data->items[x] = (RecsysHistoryItem) {.item = x, .weight = 1, .time = RECSYS_NO_TIME};
	RecsysChoiceSampleAdd(there, PG_UINT64_MAX / 4, data->items, 100000);
	RecsysChoiceSampleAdd(there, PG_UINT64_MAX / 16, data->items, 100);
	ok(there->nusers == 1 && there->offsets[1] == 100, "a user beyond all limits is left out");
	RecsysChoiceSampleFree(there);
	free_data(data);
}

/* The row of a sampled user in the split; who has nothing left has none. */
static uint32
user_by_hash(const RecsysChoiceSample *sample, uint64 hash)
{
	for (uint32 user = 0; user < sample->nusers; user++)
		if (sample->hashes[user] == hash)
			return user;
	return RECSYS_NONE;
}

static int
compare_uint64(const void *a, const void *b)
{
	uint64		left = *(const uint64 *) a;
	uint64		right = *(const uint64 *) b;

	return (left > right) - (left < right);
}

static bool
is_in(const uint32 *items, uint64 first, uint64 last, uint32 item)
{
	for (uint64 x = first; x < last; x++)
		if (items[x] == item)
			return true;
	return false;
}

/*
 * Each user of the sample, in the order of hashes: what is learned and what is held out
 * are apart; the asked have all of their items in one of them, and something in both.
 */
static void
check_split(const RecsysChoiceSample *sample, const RecsysChoiceSplit *split, const char *name)
{
	uint64	   *hashes = palloc(sizeof(uint64) * Max(sample->nusers, 1));
	uint32	   *counts = palloc0(sizeof(uint32) * split->nitems);
	uint32		row = 0;
	uint32		asked = 0;
	uint32		known = 0;
	bool		right = true;
	int64		latest_learned = RECSYS_NO_TIME;
	int64		earliest_held = PG_INT64_MAX;

	memcpy(hashes, sample->hashes, sizeof(uint64) * sample->nusers);
	qsort(hashes, sample->nusers, sizeof(uint64), compare_uint64);
	for (uint32 x = 0; x < sample->nusers; x++)
	{
		uint32		user = user_by_hash(sample, hashes[x]);
		uint64		first = sample->offsets[user];
		uint64		last = sample->offsets[user + 1];
		uint64		from = row < split->users.nrows ? split->users.offsets[row] : 0;
		uint64		to = row < split->users.nrows ? split->users.offsets[row + 1] : 0;
		bool		is_asked = asked < split->ntest && split->test_users[asked] == row;
		uint64		held_first = is_asked ? split->test_offsets[asked] : 0;
		uint64		held_last = is_asked ? split->test_offsets[asked + 1] : 0;
		uint32		learned = 0;
		int64		own_latest = RECSYS_NO_TIME;
		int64		own_held = PG_INT64_MAX;

		/* who has nothing left has no row, and the next row is somebody else's */
		if (split->ahead)
		{
			bool		all_after = true;

			for (uint64 e = first; e < last; e++)
				all_after &= sample->times[e] > split->latest;
			if (all_after)
				continue;
		}
		for (uint64 e = first; e < last; e++)
		{
			bool		in = is_in(split->users.columns, from, to, sample->items[e]);
			bool		out = is_in(split->test_items, held_first, held_last, sample->items[e]);

			learned += in;
			if (is_asked)
				right &= in != out;
			if (in && sample->timed)
				own_latest = Max(own_latest, sample->times[e]);
			if (out && sample->timed)
				own_held = Min(own_held, sample->times[e]);
		}
		right &= learned == to - from && learned > 0;
		if (is_asked)
		{
			right &= to - from + held_last - held_first == last - first && held_last > held_first;
			if (!split->ahead)
				right &= held_last - held_first == Max((last - first) / 5, 1);
			if (sample->timed)
				right &= own_latest <= own_held;
			asked++;
		}
		else if (!split->ahead)
			right &= to - from == last - first;
		latest_learned = Max(latest_learned, own_latest);
		earliest_held = Min(earliest_held, own_held);
		row++;
	}
	ok(right && row == split->users.nrows && asked == split->ntest,
	   "%s: %u of %u users are asked for, none for what was learned", name, asked, row);
	if (split->ahead)
		ok(latest_learned == split->latest && earliest_held > latest_learned,
		   "%s: what is held out comes after all that is learned from", name);

	for (uint64 e = 0; e < split->interactions; e++)
		known += counts[split->users.columns[e]]++ == 0;
	ok(known == split->nknown && memcmp(counts, split->item_users, sizeof(uint32) * split->nitems) == 0 &&
	   split->users.offsets[split->users.nrows] == split->interactions &&
	   split->items.offsets[split->nitems] == split->interactions, "%s: totals", name);
	pfree(counts);
	pfree(hashes);
}

/* Others are asked after the first half of them, for the same. */
static void
test_skipped(RecsysChoiceSample *sample, const RecsysChoiceSplit *all, const char *name)
{
	uint32		skipped = all->ntest / 2;
	RecsysChoiceSplit *rest = RecsysChoiceSplitCreate(sample, skipped);
	RecsysChoiceSplit *none = RecsysChoiceSplitCreate(sample, all->ntest);
	uint64		before = all->test_offsets[skipped];

	ok(rest->ntest == all->ntest - skipped && rest->ahead == all->ahead && none->ntest == 0 &&
	   rest->test_offsets[rest->ntest] == all->test_offsets[all->ntest] - before &&
	   memcmp(rest->test_items, all->test_items + before,
			  sizeof(uint32) * rest->test_offsets[rest->ntest]) == 0, "%s: others are asked", name);
	check_split(sample, rest, name);
	RecsysChoiceSplitFree(rest);
	RecsysChoiceSplitFree(none);
}

static void
test_splits(Random *random)
{
	Data	   *data = make_data(random, 1511, 120, 14, ANY, true, true);
	RecsysChoiceSample *sample = sample_of(data, 64 * 1024 * 1024, 11);
	RecsysChoiceSplit *split = RecsysChoiceSplitCreate(sample, 0);
	double		sum = 0;

	ok(split->ahead && split->trends[1] == 90 * DAY && split->trends[2] == 30 * DAY, "ahead of a time");
	check_split(sample, split, "ahead");
	for (uint64 e = 0; e < split->interactions; e++)
		if (split->times[e] != RECSYS_NO_TIME)
			sum += exp2((double) (split->times[e] -
								  split->all_recent[2].at * split->trends[2]) / split->trends[2]);
	ok(fabs(RecsysRecencyTotalGet(&split->all_recent[2]) - sum) <= 1e-6 * sum, "trends add up: %g of %g",
	   RecsysRecencyTotalGet(&split->all_recent[2]), sum);
	test_skipped(sample, split, "ahead");
	RecsysChoiceSplitFree(split);
	RecsysChoiceSampleFree(sample);

	/* each user at one time, so nobody is there before and after */
	for (uint32 user = 0; user < data->nusers; user++)
		for (uint64 e = data->offsets[user]; e < data->offsets[user + 1]; e++)
			data->items[e].time = (int64) user * 1000 + (int64) (random_bits(random) % 5);
	sample = sample_of(data, 64 * 1024 * 1024, 1);
	split = RecsysChoiceSplitCreate(sample, 0);
	ok(!split->ahead && split->trends[1] == 0 && split->recent[1] == NULL, "users come and go: the latest of each");
	check_split(sample, split, "latest");
	test_skipped(sample, split, "latest");
	RecsysChoiceSplitFree(split);
	RecsysChoiceSampleFree(sample);

	/* no times at all, in a column or without one */
	for (uint64 e = 0; e < data->offsets[data->nusers]; e++)
		data->items[e].time = RECSYS_NO_TIME;
	for (int timed = 0; timed < 2; timed++)
	{
		data->timed = timed;
		sample = sample_of(data, 64 * 1024 * 1024, 1);
		split = RecsysChoiceSplitCreate(sample, 0);
		ok(!split->ahead && split->latest == RECSYS_NO_TIME, "no times");
		check_split(sample, split, timed ? "NULL times" : "drawn");
		RecsysChoiceSplitFree(split);
		RecsysChoiceSampleFree(sample);
	}
	free_data(data);
}

/* Sums of one pair, over the users as they stand */
static double
plain_dot(const RecsysChoiceSplit *split, const RecsysModelOptions *options, uint32 i, uint32 j,
		  double *c)
{
	double		dot = 0;

	*c = 0;
	for (uint32 user = 0; user < split->users.nrows; user++)
	{
		uint64		first = split->users.offsets[user];
		uint64		last = split->users.offsets[user + 1];
		double		mass = 0;
		double		weights[2] = {0, 0};
		double		product;

		for (uint64 e = first; e < last; e++)
		{
			double		weight = split->weights == NULL ? 1 :
				RecsysHistoryTransform(split->weights[e], options->weight_transform);

			mass += weight;
			if (split->users.columns[e] == i)
				weights[0] = weight;
			if (split->users.columns[e] == j)
				weights[1] = weight;
		}
		if (weights[0] == 0 || weights[1] == 0)
			continue;
		*c += 1;
		product = weights[0] * weights[1];
		if (options->similarity == RECSYS_RP3BETA)
			product = pow(product / mass, options->alpha);
		dot += product * pow((double) (last - first), -options->user_damping);
	}
	return dot;
}

static double
plain_mass(const RecsysChoiceSplit *split, const RecsysModelOptions *options, uint32 item)
{
	double		mass = 0;

	for (uint64 e = 0; e < split->interactions; e++)
		if (split->users.columns[e] == item)
			mass += split->weights == NULL ? 1 :
				RecsysHistoryTransform(split->weights[e], options->weight_transform);
	return mass;
}

typedef struct Pair
{
	uint32		item;
	double		score;
} Pair;

static int
compare_pairs(const void *a, const void *b)
{
	const Pair *left = a;
	const Pair *right = b;

	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	return (left->item > right->item) - (left->item < right->item);
}

/* A row against the whole sorted row; returns whether they agree. */
static bool
check_row(const RecsysChoiceSplit *split, const RecsysChoiceRows *rows, uint32 row, uint32 item)
{
	const RecsysModelOptions *options = &rows->options;
	RecsysPairTotals totals = {.n_users = split->users.nrows};
	Pair	   *pairs = palloc(sizeof(Pair) * split->nitems);
	double	   *scores = palloc0(sizeof(double) * split->nitems);
	Size		base = (Size) row * rows->width;
	int			count = 0;
	bool		right;

	totals.n_i = totals.norm2_i = split->item_users[item];
	totals.mass_i = plain_mass(split, options, item);
	for (uint32 other = 0; other < split->nitems; other++)
	{
		double		c;
		double		dot = plain_dot(split, options, item, other, &c);

		totals.n_j = totals.norm2_j = split->item_users[other];
		if (other == item || c < Max(options->min_support, 1))
			continue;
		scores[other] = RecsysSimilarityScore(options, c, dot, &totals);
		pairs[count].item = other;
		pairs[count++].score = scores[other];
	}
	qsort(pairs, count, sizeof(Pair), compare_pairs);
	right = rows->counts[row] == Min(count, rows->width);
	for (int x = 0; x < rows->counts[row]; x++)
	{
		uint32		other = rows->items[base + x];
		double		least = pairs[rows->counts[row] - 1].score;

		right &= other != item && scores[other] > 0 &&
			fabs(rows->scores[base + x] - scores[other]) <= 1e-5 * scores[other] &&
			scores[other] >= least * (1 - 1e-5);
		for (int y = 0; y < x; y++)
			right &= rows->items[base + y] != other;

		/* counts are exact, so of equal cosines those with the lower numbers are left */
		if (options->similarity == RECSYS_COSINE && options->alpha == 0)
		{
			bool		among = false;

			for (int y = 0; y < rows->counts[row]; y++)
				among |= pairs[y].item == other || fabs(pairs[y].score - scores[other]) > 1e-9;
			right &= among;
		}
	}
	pfree(pairs);
	pfree(scores);
	return right;
}

static RecsysModelOptions
random_model(Random *random, int number, bool weighted)
{
	static const RecsysWeightTransform transforms[] = {RECSYS_TRANSFORM_BINARY, RECSYS_TRANSFORM_LOG,
	RECSYS_TRANSFORM_NONE};
	RecsysModelOptions options;

	RecsysModelOptionsInit(&options);
	options.similarity = number % 4 == 3 ? RECSYS_COSINE : RECSYS_RP3BETA;
	options.weight_transform = weighted && number % 4 != 3 ? transforms[number % 3] : RECSYS_TRANSFORM_BINARY;
	options.neighbors = number % 3 == 0 ? 500 : 1 + (int) (random_bits(random) % 20);
	options.min_support = 1 + (uint32) (random_bits(random) % 3);
	options.shrinkage = random_bits(random) % 2 == 0 ? 0 : (double) (1 + random_bits(random) % 10);
	options.alpha = (double) (random_bits(random) % 5) / 4;
	options.beta = (double) (random_bits(random) % 5) / 4;
	options.user_damping = number % 4 == 3 ? 0 : (double) (random_bits(random) % 3) / 4;
	RecsysModelOptionsResolve(&options);
	return options;
}

static void
test_rows(Random *random)
{
	enum
	{
		MODELS = 12
	};

	for (int round = 0; round < 4; round++)
	{
		bool		weighted = round % 2 == 1;
		Data	   *data = make_data(random, 150, round < 2 ? 40 : 23, 12, round < 2 ? ANY : BESTSELLERS, weighted, false);
		RecsysChoiceSample *sample = sample_of(data, 64 * 1024 * 1024, 1);
		RecsysChoiceSplit *split = RecsysChoiceSplitCreate(sample, 0);
		RecsysChoiceCounter *counter = RecsysChoiceCounterCreate(split);
		RecsysChoiceRows *rows[MODELS];
		uint64		before = standalone_interrupt_checks;
		bool		same = true;

		for (int m = 0; m < MODELS; m++)
		{
			RecsysModelOptions options = random_model(random, m, weighted);

			rows[m] = RecsysChoiceRowsCreate(counter, &options);
		}
		/* three at a time have ways of their own at most */
		for (int m = 0; m < MODELS; m += 3)
			RecsysChoiceCount(counter, rows + m, 3);
		ok(standalone_interrupt_checks - before >= rows[0]->nrows * (MODELS / 3), "rows %d: interrupts are looked at", round);
		for (int m = 0; m < MODELS; m++)
		{
			bool		right = rows[m]->nrows > 20 || split->nitems < 30;

			for (uint32 item = 0; item < split->nitems; item++)
			{
				uint32		row = RecsysChoiceRowOf(counter, item);

				if (row != RECSYS_NONE)
					right &= check_row(split, rows[m], row, item);
			}
			ok(right, "rows %d, model %d: %s, %u users at least, shrinkage %g, %s, %d neighbors", round, m,
			   RecsysSimilarityName(rows[m]->options.similarity), rows[m]->options.min_support,
			   rows[m]->options.shrinkage, RecsysWeightTransformName(rows[m]->options.weight_transform),
			   rows[m]->width);
		}
		for (int m = 0; m < MODELS; m++)
		{
			RecsysChoiceRows *alone = RecsysChoiceRowsCreate(counter, &rows[m]->options);

			RecsysChoiceCount(counter, &alone, 1);
			for (uint32 row = 0; row < alone->nrows; row++)
			{
				Size		base = (Size) row * alone->width;

				same &= alone->counts[row] == rows[m]->counts[row];
				for (int x = 0; x < alone->counts[row] && same; x++)
				{
					bool		found = false;

					for (int y = 0; y < alone->counts[row]; y++)
						found |= rows[m]->items[base + y] == alone->items[base + x] &&
							fabsf(rows[m]->scores[base + y] - alone->scores[base + x]) <=
							(weighted ? 1e-5f * alone->scores[base + x] : 0);
					same &= found;
				}
			}
			RecsysChoiceRowsFree(alone);
			RecsysChoiceRowsFree(rows[m]);
		}
		ok(same, "rows %d: counted one by one they are the same", round);
		RecsysChoiceCounterFree(counter);
		RecsysChoiceSplitFree(split);
		RecsysChoiceSampleFree(sample);
		free_data(data);
	}
}

/* One user's NDCG with everything sorted */
static double
plain_ndcg(const RecsysChoiceSplit *split, const RecsysChoiceCounter *counter,
		   const RecsysChoiceModel *model, uint32 t)
{
	uint32		user = split->test_users[t];
	uint64		first = split->users.offsets[user];
	uint64		last = split->users.offsets[user + 1];
	double	   *scores = palloc0(sizeof(double) * split->nitems);
	Pair	   *pairs = palloc(sizeof(Pair) * split->nitems);
	RecsysPriorTotals totals = {.users = split->users.nrows, .items = split->nknown,
		.interactions = (double) split->interactions, .recent = split->all_recent[model->trend]};
	int64		latest = RECSYS_NO_TIME;
	int			count = 0;
	double		gain = 0;
	double		ideal = 0;

	for (uint64 e = first; e < last && split->times != NULL; e++)
		latest = Max(latest, split->times[e]);
	for (uint64 e = first; e < last && model->rows != NULL; e++)
	{
		uint32		row = RecsysChoiceRowOf(counter, split->users.columns[e]);
		double		weight = split->weights == NULL ? 1 :
			RecsysHistoryTransform(split->weights[e], model->options.weight_transform);

		if (model->half_life > 0 && split->times[e] != RECSYS_NO_TIME)
			weight *= exp2(-(double) (latest - split->times[e]) / model->half_life);
		for (int x = 0; x < model->rows->counts[row]; x++)
			scores[model->rows->items[row * model->rows->width + x]] +=
				weight * model->rows->scores[row * model->rows->width + x];
	}
	for (uint32 item = 0; item < split->nitems && model->rows != NULL; item++)
		scores[item] += RecsysPriorScore(&model->options, &totals, split->item_users[item],
										 split->recent[model->trend] == NULL ? NULL :
										 &split->recent[model->trend][item]);
	for (uint32 item = 0; item < split->nitems; item++)
	{
		if (split->item_users[item] == 0 || is_in(split->users.columns, first, last, item) ||
			(model->options.item_max_age > 0 && split->last[item] != RECSYS_NO_TIME &&
			 split->last[item] < split->latest - model->options.item_max_age))
			continue;
		/* bestsellers behind */
		pairs[count].item = item;
		pairs[count++].score = scores[item] > 0 ? 1e9 * (float) scores[item] :
			(double) split->item_users[item] - 1e9;
	}
	qsort(pairs, count, sizeof(Pair), compare_pairs);
	for (int x = 0; x < Min(count, RECSYS_CHOICE_K); x++)
		if (is_in(split->test_items, split->test_offsets[t], split->test_offsets[t + 1], pairs[x].item))
			gain += 1 / log2(x + 2);
	for (uint64 x = 0; x < Min(split->test_offsets[t + 1] - split->test_offsets[t], RECSYS_CHOICE_K); x++)
		ideal += 1 / log2((double) x + 2);
	pfree(scores);
	pfree(pairs);
	return gain / ideal;
}

static void
test_rank(Random *random)
{
	for (int number = 0; number < 12; number++)
	{
		bool		timed = number % 2 == 1;
		Data	   *data = make_data(random, 700, 90, 12, ANY, number % 3 == 1, timed);
		RecsysChoiceSample *sample = sample_of(data, 64 * 1024 * 1024, 1);
		RecsysChoiceSplit *split = RecsysChoiceSplitCreate(sample, 0);
		RecsysChoiceCounter *counter = RecsysChoiceCounterCreate(split);
		RecsysChoiceRanker *ranker = RecsysChoiceRankerCreate(split, counter);
		RecsysModelOptions options = random_model(random, number, data->weighted);
		RecsysChoiceRows *rows;
		RecsysChoiceModel model = {0};
		double	   *ndcg = palloc(sizeof(double) * split->ntest);
		double		mean;
		double		sum = 0;
		uint32		differ = 0;

		options.neighbors = 3 + number;
		rows = RecsysChoiceRowsCreate(counter, &options);
		RecsysChoiceCount(counter, &rows, 1);
		model.options = options;
		model.rows = number == 0 ? NULL : rows;
		model.options.popularity = number % 3;
		if (timed && split->ahead && number % 4 == 1)
		{
			model.trend = 2;
			model.options.popularity_half_life = split->trends[2];
		}
		model.half_life = timed ? number * DAY : 0;
		if (timed && number > 3)
			model.options.item_max_age = number * 2 * DAY;
		mean = RecsysChoiceRank(ranker, &model, ndcg);
		for (uint32 t = 0; t < split->ntest; t++)
		{
			sum += ndcg[t];
			differ += fabs(ndcg[t] - plain_ndcg(split, counter, &model, t)) > 1e-9;
		}
		ok(differ == 0 && split->ntest > 100 && mean > 0 && fabs(mean - sum / split->ntest) < 1e-12,
		   "ranking %d: NDCG %.4f, %u of %u users differ", number, mean, differ, split->ntest);
		pfree(ndcg);
		RecsysChoiceRowsFree(rows);
		RecsysChoiceRankerFree(ranker);
		RecsysChoiceCounterFree(counter);
		RecsysChoiceSplitFree(split);
		RecsysChoiceSampleFree(sample);
		free_data(data);
	}
}

static RecsysChoice
choose(const Data *data, const RecsysChoiceTask *task, uint32 step)
{
	RecsysChoice choice;
	RecsysChoiceSample *sample = sample_of(data, 64 * 1024 * 1024, step);

	RecsysChoose(sample, task, NULL, NULL, &choice);
	RecsysChoiceSampleFree(sample);
	return choice;
}

static bool
same_choice(const RecsysChoice *a, const RecsysChoice *b)
{
	return a->best.ndcg == b->best.ndcg && a->best.half_life == b->best.half_life &&
		memcmp(&a->best.options, &b->best.options, sizeof(a->best.options)) == 0 &&
		a->second.ndcg == b->second.ndcg && a->popular == b->popular && a->tried == b->tried;
}

static void
test_structure(Random *random)
{
	Data	   *data = make_data(random, 601, 200, 20, CLUSTERS, false, false);
	RecsysChoiceTask task = free_task(data);
	uint64		before = standalone_interrupt_checks;
	RecsysChoice choice = choose(data, &task, 1);
	RecsysChoice again = choose(data, &task, 601 - 7);

	ok(choice.measured && choice.best.ndcg > 3 * choice.popular && choice.p_popular < 1e-6 &&
	   choice.best.options.popularity <= 10, "clusters: NDCG %.3f, of bestsellers %.3f", choice.best.ndcg, choice.popular);
	ok(same_choice(&choice, &again), "users in another order: the same choice");
	ok(standalone_interrupt_checks - before > 10000, "interrupts are looked at");
	ok(memcmp(&choice.best.options, &choice.second.options, sizeof(choice.best.options)) != 0 ||
	   choice.best.half_life != choice.second.half_life, "the runner-up is another one");
	free_data(data);

	data = make_data(random, 800, 300, 20, BESTSELLERS, false, false);
	task = free_task(data);
	choice = choose(data, &task, 1);
	ok(choice.measured && choice.best.ndcg >= 0.99 * choice.popular && choice.best.options.popularity >= 10,
	   "bestsellers: NDCG %.3f of %.3f, popularity %g", choice.best.ndcg, choice.popular,
	   choice.best.options.popularity);
	free_data(data);

	data = make_data(random, 199, 100, 20, ANY, true, true);
	task = free_task(data);
	task.half_life = 5;
	choice = choose(data, &task, 1);
	ok(!choice.measured && choice.best.options.similarity == RECSYS_COSINE && choice.best.half_life == 5 &&
	   choice.users < RECSYS_CHOICE_USERS && choice.tried == 0, "too few users: cosine");
	free_data(data);

	data = make_data(random, 0, 1, 1, ANY, false, false);
	task = free_task(data);
	choice = choose(data, &task, 1);
	ok(!choice.measured && choice.users == 0, "nobody");
	free_data(data);

	data = make_data(random, 1000, 50, 1, ANY, true, true);
	task = free_task(data);
	choice = choose(data, &task, 1);
	ok(!choice.measured, "users of one item each");
	free_data(data);
}

/* What is asked for stays, whatever the data. */
static void
test_asked(Random *random)
{
	for (int number = 0; number < 14; number++)
	{
		Data	   *data = make_data(random, 700, 80, 12, ANY, number % 2 == 0, number % 3 != 2);
		RecsysChoiceTask task = free_task(data);
		RecsysModelOptions *asked = &task.asked;
		const RecsysModelOptions *best;
		RecsysChoice choice;

		if (number % 7 == 1)
			asked->alpha = 0.123;
		if (number % 7 == 2)
			asked->beta = 0.777;
		if (number % 7 == 3)
			asked->user_damping = 0.333;
		if (number % 7 == 4)
			asked->neighbors = 17;
		if (number % 7 == 5)
			asked->min_support = 3;
		if (number % 7 == 6)
			asked->shrinkage = 1.5;
		if (number >= 7)
		{
			static const RecsysWeightTransform transforms[] = {RECSYS_TRANSFORM_NONE, RECSYS_TRANSFORM_LOG,
			RECSYS_TRANSFORM_BINARY};

			asked->weight_transform = transforms[number % 3];
			asked->popularity = number % 4;
		}
		if (data->timed && number % 4 < 2)
		{
			asked->popularity_half_life = 90 * DAY;
			asked->item_max_age = 1000 * DAY;
			task.trend_is_free = task.max_age_is_free = task.half_life_is_free = false;
			task.half_life = number % 4 * DAY;
		}
		choice = choose(data, &task, 1);
		best = &choice.best.options;
		ok(choice.measured && choice.best.ndcg > 0 && choice.tried > 5 &&
		   (best->similarity == RECSYS_COSINE || best->similarity == RECSYS_RP3BETA) &&
		   (asked->alpha == RECSYS_MODEL_DEFAULT || best->alpha == asked->alpha) &&
		   (asked->beta == RECSYS_MODEL_DEFAULT || best->beta == asked->beta ||
			best->similarity == RECSYS_COSINE) &&
		   (asked->user_damping == RECSYS_MODEL_DEFAULT || best->user_damping == asked->user_damping) &&
		   (asked->neighbors == (int) RECSYS_MODEL_DEFAULT || best->neighbors == asked->neighbors) &&
		   (asked->min_support == (uint32) (int) RECSYS_MODEL_DEFAULT || best->min_support == asked->min_support) &&
		   (asked->shrinkage == RECSYS_MODEL_DEFAULT || best->shrinkage == asked->shrinkage) &&
		   (asked->popularity == RECSYS_MODEL_DEFAULT || best->popularity == asked->popularity) &&
		   (asked->weight_transform == RECSYS_TRANSFORM_AUTO || best->weight_transform == asked->weight_transform) &&
		   (task.trend_is_free || !data->timed || best->popularity_half_life == 90 * DAY) &&
		   (task.max_age_is_free || !data->timed || best->item_max_age == 1000 * DAY) &&
		   (task.half_life_is_free || choice.best.half_life == task.half_life),
		   "asked for %d: %u models", number, choice.tried);
		free_data(data);
	}
}

static void
test_memory(Random *random)
{
	Data	   *data = make_data(random, 5003, 2000, 60, ANY, true, true);
	Size		limit = 4 * 1024 * 1024;
	RecsysChoiceSample *sample = sample_of(data, limit, 1);
	Size		before = standalone_memory_now;
	RecsysChoiceTask task = free_task(data);
	RecsysChoice choice;
	bool		less;

	task.memory_limit = limit / 2;
	less = sample->nusers < data->nusers;
	standalone_memory_peak = standalone_memory_now;
	RecsysChoose(sample, &task, NULL, NULL, &choice);
	ok(choice.measured && less && standalone_memory_peak - before < 2 * limit, "%zu kB beside the sample, allowed were %zu",
	   (standalone_memory_peak - before) / 1024, limit / 1024);
	RecsysChoiceSampleFree(sample);
	free_data(data);
}

static void
test_timespan(Random *random)
{
	RecsysTimeSpan *there = palloc0(sizeof(RecsysTimeSpan));
	RecsysTimeSpan *back = palloc0(sizeof(RecsysTimeSpan));
	RecsysTimeSpan *few = palloc0(sizeof(RecsysTimeSpan));
	int64		length;

	for (int x = 0; x < 100000; x++)
	{
		RecsysTimeSpanAdd(there, (int64) (x % 70000) * 1000);
		RecsysTimeSpanAdd(back, (int64) ((99999 - x) % 70000) * 1000);
	}
	RecsysTimeSpanAdd(there, -5000 * DAY);
	RecsysTimeSpanAdd(back, -5000 * DAY);
	length = RecsysTimeSpanGet(there);
	ok(length > 65000000 && length < 70000000 && length == RecsysTimeSpanGet(back), "span of time: %g",
	   (double) length);
	ok(RecsysTimeSpanGet(few) == 0, "span of no times");
	RecsysTimeSpanAdd(few, RECSYS_NO_TIME);
	for (int x = 0; x < 5000; x++)
		RecsysTimeSpanAdd(few, 42);
	ok(RecsysTimeSpanGet(few) == 0, "span of one time");
	RecsysTimeSpanAdd(few, PG_INT64_MAX);
	ok(RecsysTimeSpanGet(few) == PG_INT64_MAX - 42, "a span up to infinity");
	RecsysTimeSpanAdd(few, PG_INT64_MIN + 1);
	ok(RecsysTimeSpanGet(few) == 0, "and between two of them");
	ok(RecsysChoiceRound(3 * DAY + DAY / 3) == 3 * DAY && RecsysChoiceRound(DAY + 5) == DAY + 5, "days are rounded");
	pfree(there);
	pfree(back);
	pfree(few);
}

/* Times at the ends of the world: nothing overflows. */
static void
test_far_times(Random *random)
{
	Data	   *data = make_data(random, 700, 80, 12, ANY, false, true);
	RecsysChoiceTask task = free_task(data);
	RecsysChoice choice;

	for (uint64 e = 0; e < data->offsets[data->nusers]; e++)
		if (e % 7 < 2)
			data->items[e].time = e % 7 == 0 ? PG_INT64_MAX : PG_INT64_MIN + 1;
	choice = choose(data, &task, 1);
	ok(choice.measured && choice.best.options.item_max_age >= 0 && choice.best.half_life >= 0, "infinite times");
	free_data(data);
}

void
test_choice(void)
{
	Random		random;

	random_seed(&random, 20260301);
	test_timespan(&random);
	test_sample(&random);
	test_splits(&random);
	test_rows(&random);
	test_rank(&random);
	test_structure(&random);
	test_asked(&random);
	test_memory(&random);
	test_far_times(&random);
}
