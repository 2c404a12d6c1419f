/*
 * test_itemset.c
 *	  Tests of core/itemset/itemset: every kind of item sets against counting all subsets, on
 *	  random baskets; one miner against several; limits.
 */
#include "core/itemset/itemset_search.h"
#include "core/rules/rules.h"
#include "generate.h"
#include "matrix_baskets.h"
#include "tap.h"

/* Few enough items to try every set of them. */
#define FEW_ITEMS 12
#define NSETS (1 << FEW_ITEMS)

#define LARGE_LIMIT ((Size) 1 << 30)

typedef struct Case
{
	RecsysMatrix *matrix;
	double	   *weights;		/* by basket, or NULL */
	RecsysItemsetOptions options;
	uint32		excluded[3];
	uint32		all_of[3];
	uint32		any_of[3];
} Case;

/* By set of items as a bit mask. */
typedef struct Result
{
	uint32		supports[NSETS];	/* 0: not reported */
	int64		hundredths[NSETS];	/* of weights */
	double		weights[NSETS];
	bool		ordered;		/* does every set come after its subsets? */
	bool		once;
	uint64		nsets;
} Result;

static uint32
random_below(Random *random, uint32 n)
{
	return (uint32) (random_bits(random) % n);
}

static RecsysMatrix *
matrix_create(uint32 nrows, uint32 ncolumns, uint64 room)
{
	RecsysMatrix *matrix = palloc0(sizeof(RecsysMatrix));

	matrix->nrows = nrows;
	matrix->ncolumns = ncolumns;
	matrix->offsets = palloc0((nrows + 1) * sizeof(uint64));
	matrix->columns = palloc0(Max(room, 1) * sizeof(uint32));
	return matrix;
}

/* Baskets of a few items; with few prototypes many are equal or nearly so. */
static RecsysMatrix *
random_baskets(Random *random)
{
	uint32		nitems = 1 + random_below(random, FEW_ITEMS);
	uint32		nbaskets = random_below(random, 5) == 0 ? random_below(random, 4) :
		1 + random_below(random, random_below(random, 4) == 0 ? 700 : 60);
	double		density = 0.1 + 0.8 * random_unit(random);
	uint32		nprototypes = random_below(random, 3) == 0 ? 1 + random_below(random, 6) : 0;
	double		change = random_below(random, 2) ? 0.0 : 0.1;
	uint32		prototypes[6];
	RecsysMatrix *matrix = matrix_create(nbaskets, nitems, (uint64) nbaskets * nitems);
	uint64		n = 0;

	for (uint32 x = 0; x < 6; x++)
		prototypes[x] = (uint32) random_bits(random) & (uint32) random_bits(random);
	for (uint32 basket = 0; basket < nbaskets; basket++)
	{
		uint32		prototype = nprototypes ? prototypes[random_below(random, nprototypes)] : 0;
		uint32		start = random_below(random, nitems);

		/* the order of a basket's items does not matter */
		for (uint32 x = 0; x < nitems; x++)
		{
			uint32		item = (start + x) % nitems;
			bool		in = nprototypes ? (prototype >> item & 1) != 0 :
				random_unit(random) < density;

			if (nprototypes && random_unit(random) < change)
				in = !in;
			/* some items are rare, some are everywhere */
			if (!nprototypes && item % 4 == 1 && random_unit(random) < 0.7)
				in = false;
			if (!nprototypes && item % 5 == 2 && nbaskets % 3 == 0)
				in = true;
			if (in)
				matrix->columns[n++] = item;
		}
		matrix->offsets[basket + 1] = n;
	}
	return matrix;
}

static uint32
random_filter(Random *random, uint32 *items, uint32 nitems)
{
	uint32		n = random_below(random, 4) == 0 ? 1 + random_below(random, 3) : 0;

	/* at times one that does not exist, or one twice */
	for (uint32 x = 0; x < n; x++)
		items[x] = random_below(random, nitems + (random_below(random, 8) == 0));
	return n;
}

static void
case_create(Case *c, uint64 seed)
{
	Random		random;
	RecsysItemsetOptions *options = &c->options;
	uint32		nitems;

	memset(c, 0, sizeof(Case));
	random_seed(&random, seed);
	c->matrix = random_baskets(&random);
	nitems = c->matrix->ncolumns;
	options->kind = (RecsysItemsetKind) (seed % 3);
	options->min_support = random_below(&random, 3) == 0 ? random_below(&random, 4) :
		1 + random_below(&random, Max(c->matrix->nrows, 2) / 2);
	options->min_length = random_below(&random, 4) == 0 ? 1 + random_below(&random, 4) : 1;
	options->max_length = random_below(&random, 3) == 0 ? 1 + random_below(&random, 5) : 0;
	options->max_basket = random_below(&random, 5) == 0 ? 1 + random_below(&random, nitems) : 0;
	options->excluded = c->excluded;
	options->nexcluded = random_filter(&random, c->excluded, nitems);
	options->all_of = c->all_of;
	options->nall_of = random_filter(&random, c->all_of, nitems);
	options->any_of = c->any_of;
	options->nany_of = random_filter(&random, c->any_of, nitems);
	options->memory_limit = LARGE_LIMIT;
	if (random_below(&random, 2))
	{
		double		scale = random_below(&random, 2) ? 100 : 4;

		c->weights = palloc(Max(c->matrix->nrows, 1) * sizeof(double));
		for (uint32 basket = 0; basket < c->matrix->nrows; basket++)
			c->weights[basket] = ((double) random_below(&random, 20000) - 5000) / scale;
	}
}

static void
matrix_free(RecsysMatrix *matrix)
{
	pfree(matrix->offsets);
	pfree(matrix->columns);
	pfree(matrix);
}

static void
case_free(Case *c)
{
	matrix_free(c->matrix);
	if (c->weights != NULL)
		pfree(c->weights);
}

static uint32
mask_of(const uint32 *items, uint32 n)
{
	uint32		mask = 0;

	for (uint32 x = 0; x < n; x++)
		mask |= (uint32) 1 << items[x];
	return mask;
}

/* What has to be reported, by the definitions. */
static void
expect(const Case *c, Result *result)
{
	const RecsysItemsetOptions *options = &c->options;
	const RecsysMatrix *matrix = c->matrix;
	uint32		nsets = (uint32) 1 << matrix->ncolumns;
	uint32		min_support = Max(options->min_support, 1);
	uint32		excluded = mask_of(c->excluded, options->nexcluded);
	uint32		all_of = mask_of(c->all_of, options->nall_of);
	uint32		any_of = mask_of(c->any_of, options->nany_of);
	uint32	   *supports = palloc0(nsets * sizeof(uint32));

	memset(result, 0, sizeof(Result));
	for (uint32 basket = 0; basket < matrix->nrows; basket++)
	{
		uint32		n = (uint32) (matrix->offsets[basket + 1] - matrix->offsets[basket]);
		uint32		items = mask_of(matrix->columns + matrix->offsets[basket], n) & ~excluded;

		if (options->max_basket != 0 && n > options->max_basket)
			continue;
		/* each subset of the basket, down to the empty one */
		for (uint32 set = items;; set = (set - 1) & items)
		{
			supports[set]++;
			if (c->weights != NULL)
				result->hundredths[set] += llround(c->weights[basket] * 100);
			if (set == 0)
				break;
		}
	}
	for (uint32 set = 0; set < nsets; set++)
		result->weights[set] = result->hundredths[set] / 100.0;
	for (uint32 set = 1; set < nsets; set++)
	{
		uint32		length = (uint32) __builtin_popcount(set);
		bool		wanted = supports[set] >= min_support && length >= options->min_length &&
			(options->max_length == 0 || length <= options->max_length) &&
			(set & all_of) == all_of && (options->nany_of == 0 || (set & any_of) != 0);

		for (uint32 item = 0; item < matrix->ncolumns; item++)
		{
			uint32		larger = set | (uint32) 1 << item;

			if (larger == set)
				continue;
			if (options->kind == RECSYS_ITEMSETS_CLOSED && supports[larger] == supports[set])
				wanted = false;
			if (options->kind == RECSYS_ITEMSETS_MAXIMAL && supports[larger] >= min_support)
				wanted = false;
		}
		if (wanted)
		{
			result->supports[set] = supports[set];
			result->nsets++;
		}
	}
	pfree(supports);
}

static bool
keep_set(void *arg, const RecsysItemset *set)
{
	Result	   *result = arg;
	uint32		mask = mask_of(set->items, set->length);

	if ((uint32) __builtin_popcount(mask) != set->length || result->supports[mask] != 0)
		result->once = false;
	for (uint32 item = 0; item < FEW_ITEMS; item++)
	{
		if (!(mask >> item & 1) && result->supports[mask | (uint32) 1 << item] != 0)
			result->ordered = false;
	}
	result->supports[mask] = set->support;
	result->weights[mask] = set->weight;
	result->nsets++;
	return true;
}

static void
result_init(Result *result)
{
	memset(result, 0, sizeof(Result));
	result->once = result->ordered = true;
}

static RecsysItemsets *
prepare(const Case *c)
{
	MatrixBaskets source;

	matrix_baskets_init(&source, c->matrix, c->weights);
	return RecsysItemsetsPrepare(&source.baskets, &c->options, NULL, NULL);
}

/*
 * How the miner looks at the baskets: as it likes; as lists, then columns; as lists
 * as long as there are so many extensions.
 */
#define NWAYS 4

static const uint32 max_columns[NWAYS] = {0, 64, 1, 3};

/* One miner, all tasks in order. */
static RecsysItemsetOutcome
mine_in_way(int way, const RecsysItemsets *sets, Size memory_limit, RecsysItemsetReporter report,
			void *arg)
{
	RecsysItemsetMiner *miner = RecsysItemsetMinerCreate(sets, memory_limit, report, arg);
	RecsysItemsetOutcome outcome = RECSYS_ITEMSETS_DONE;

	if (way > 0)
	{
		miner->dense = false;
		miner->max_columns = max_columns[way];
	}
	for (uint32 task = 0; task < sets->ntasks && outcome == RECSYS_ITEMSETS_DONE; task++)
		outcome = RecsysItemsetMine(miner, task);
	RecsysItemsetMinerFree(miner);
	return outcome;
}

static RecsysItemsetOutcome
mine(const RecsysItemsets *sets, Size memory_limit, RecsysItemsetReporter report, void *arg)
{
	return mine_in_way(0, sets, memory_limit, report, arg);
}

static bool
same_results(const Case *c, const Result *expected, const Result *found)
{
	if (!found->once || memcmp(expected->supports, found->supports, sizeof(found->supports)) != 0)
		return false;
	for (uint32 set = 0; set < NSETS && c->weights != NULL; set++)
	{
		if (found->supports[set] != 0 && expected->weights[set] != found->weights[set])
			return false;
	}
	return true;
}

static void *
place_in(void *arg, Size size)
{
	void	  **place = arg;

	*place = palloc(size);
	return *place;
}

/* The block in another place, several miners, tasks in any order. */
static void
mine_scattered(const Case *c, Random *random, Result *result)
{
	MatrixBaskets source;
	void	   *placed = NULL;
	RecsysItemsets *sets;
	RecsysItemsets *copy;
	RecsysItemsetMiner *miners[3];
	uint32	   *tasks;

	matrix_baskets_init(&source, c->matrix, c->weights);
	sets = RecsysItemsetsPrepare(&source.baskets, &c->options, place_in, &placed);
	ok(placed == sets, "the block is where it should be");
	copy = palloc(sets->size);
	memcpy(copy, sets, sets->size);
	memset(sets, 0xAA, sets->size);
	pfree(sets);
	tasks = palloc(Max(copy->ntasks, 1) * sizeof(uint32));
	for (uint32 x = 0; x < copy->ntasks; x++)
	{
		uint32		y = random_below(random, x + 1);

		tasks[x] = tasks[y];
		tasks[y] = x;
	}
	for (int x = 0; x < 3; x++)
		miners[x] = RecsysItemsetMinerCreate(copy, LARGE_LIMIT, keep_set, result);
	for (uint32 x = 0; x < copy->ntasks; x++)
		RecsysItemsetMine(miners[random_below(random, 3)], tasks[x]);
	for (int x = 0; x < 3; x++)
		RecsysItemsetMinerFree(miners[x]);
	pfree(tasks);
	pfree(copy);
}

static void
ignore_rule(void *arg, const RecsysRule *rule)
{
}

/* The k best that have been reported against all that there are */
typedef struct BestCheck
{
	const Case *c;
	const Result *expected;
	uint32		masks[NSETS];	/* in order */
	uint32		nmasks;
	uint32		nreported;
	bool		right;
} BestCheck;

static const Result *order_of;

/* More frequent first, then in the alphabet of the items. */
static int
compare_masks(const void *a, const void *b)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;
	uint32		differ = left ^ right;
	uint32		lowest = differ & -differ;

	if (order_of->supports[left] != order_of->supports[right])
		return order_of->supports[left] > order_of->supports[right] ? -1 : 1;
	if (differ == 0)
		return 0;

	/* who has the first item in which they differ comes first, unless the other has ended */
	if (left & lowest)
		return (right & ~(lowest - 1)) != 0 ? -1 : 1;
	return (left & ~(lowest - 1)) != 0 ? 1 : -1;
}

static void
check_best_rule(void *arg, const RecsysRule *rule)
{
	BestCheck  *check = arg;
	uint32		mask = 0;

	for (uint32 x = 0; x < rule->nantecedent; x++)
	{
		mask |= (uint32) 1 << rule->antecedent[x];
		if (x > 0 && rule->antecedent[x] <= rule->antecedent[x - 1])
			check->right = false;
	}
	if (check->nreported >= check->nmasks || check->masks[check->nreported] != mask ||
		rule->counts.both != check->expected->supports[mask] ||
		(check->c->weights != NULL && rule->weight != check->expected->weights[mask]))
		check->right = false;
	check->nreported++;
}

static bool
best_is_right(const Case *c, const RecsysItemsets *sets, const Result *expected, uint64 k)
{
	BestCheck  *check = palloc0(sizeof(BestCheck));
	bool		right;

	check->c = c;
	check->expected = expected;
	check->right = true;
	for (uint32 set = 0; set < NSETS; set++)
		if (expected->supports[set] != 0)
			check->masks[check->nmasks++] = set;
	order_of = expected;
	qsort(check->masks, check->nmasks, sizeof(uint32), compare_masks);
	right = RecsysItemsetsBest(sets, k, LARGE_LIMIT, check_best_rule, check) == RECSYS_ITEMSETS_DONE &&
		check->right && check->nreported == Min(k, check->nmasks);
	pfree(check);
	return right;
}

static void
test_small(void)
{
	Result	   *expected = palloc(sizeof(Result));
	Result	   *found = palloc(sizeof(Result));
	Random		random;
	int			wrong = 0;
	int			unordered = 0;
	int			wrong_scattered = 0;
	int			wrong_supports = 0;
	int			wrong_suggestions = 0;
	int			wrong_best = 0;
	uint64		nsets = 0;

	random_seed(&random, 99);
	for (uint64 seed = 0; seed < 1500; seed++)
	{
		Case		c;
		RecsysItemsets *sets;
		uint64		max_sets;
		uint32		suggestion;

		case_create(&c, seed);
		expect(&c, expected);
		nsets += expected->nsets;
		sets = prepare(&c);
		for (int way = 0; way < NWAYS; way++)
		{
			result_init(found);
			if (mine_in_way(way, sets, LARGE_LIMIT, keep_set, found) != RECSYS_ITEMSETS_DONE ||
				!same_results(&c, expected, found) || sets->nbaskets != c.matrix->nrows)
			{
				wrong++;
				printf("# seed %d, way %d: %d expected, %d found\n", (int) seed, way,
					   (int) expected->nsets, (int) found->nsets);
			}
		}
		if (c.options.kind == RECSYS_ITEMSETS_ALL && !found->ordered)
			unordered++;
		for (uint32 item = 0; item < c.matrix->ncolumns; item++)
		{
			uint32		support = found->supports[(uint32) 1 << item];

			if (support != 0 && RecsysItemsetsSupport(sets, item) != support)
				wrong_supports++;
		}
		if (seed % 10 == 0)
		{
			result_init(found);
			mine_scattered(&c, &random, found);
			wrong_scattered += !same_results(&c, expected, found);
		}

		if (c.options.kind != RECSYS_ITEMSETS_MAXIMAL && c.options.nany_of == 0 &&
			!best_is_right(&c, sets, expected,
						   random_below(&random, random_below(&random, 2) ? 5 : (uint32) expected->nsets + 3)))
			wrong_best++;

		/* what is suggested keeps the number, and one less does not */
		max_sets = random_below(&random, (uint32) expected->nsets + 2);
		suggestion = RecsysItemsetsSuggest(sets, max_sets, LARGE_LIMIT, NULL);
		if (c.options.kind != RECSYS_ITEMSETS_MAXIMAL)
		{
			uint64		with = 0;
			uint64		with_less = 0;

			for (uint32 set = 0; set < NSETS; set++)
			{
				with += expected->supports[set] != 0 && expected->supports[set] >= suggestion;
				with_less += expected->supports[set] != 0 &&
					expected->supports[set] >= suggestion - 1;
			}
			if (with > max_sets || (with_less <= max_sets && suggestion > sets->min_support))
				wrong_suggestions++;
		}
		else if (suggestion < sets->min_support)
			wrong_suggestions++;
		pfree(sets);
		case_free(&c);
	}
	ok(wrong == 0, "item sets equal those by definition: %d of 1500 cases in 4 ways differ (%llu sets)",
	   wrong, (unsigned long long) nsets);
	ok(unordered == 0, "subsets come before supersets, %d times not", unordered);
	ok(wrong_scattered == 0, "several miners, tasks in any order, block elsewhere: %d differ",
	   wrong_scattered);
	ok(wrong_supports == 0, "supports of items, %d wrong", wrong_supports);
	ok(wrong_best == 0, "the k most frequent, in order: %d of 1500 cases differ", wrong_best);
	ok(wrong_suggestions == 0, "suggested supports, %d wrong", wrong_suggestions);
	pfree(expected);
	pfree(found);
}

/*
 * Many items, so that there are baskets as lists within lists.  Sets are kept as a
 * sum of hashes, and the reference intersects lists of baskets.
 */
typedef struct Digest
{
	uint64		nsets;
	uint64		sum;
	double		weight;
	uint64		stop_after;		/* 0: do not */
} Digest;

static uint64
scramble(uint64 x)
{
	x = (x ^ (x >> 31)) * UINT64CONST(0x7FB5D329728EA185);
	x = (x ^ (x >> 27)) * UINT64CONST(0x81DADEF4BC2DD44D);
	return x ^ (x >> 33);
}

static bool
digest_set(void *arg, const RecsysItemset *set)
{
	Digest	   *digest = arg;
	uint64		sum = 0;

	for (uint32 x = 0; x < set->length; x++)
		sum += scramble(set->items[x] + 1);
	digest->nsets++;
	digest->sum += scramble(sum ^ set->support);
	digest->weight += set->weight;
	return digest->nsets != digest->stop_after;
}

typedef struct Reference
{
	const RecsysMatrix *items;	/* baskets of each item */
	const double *weights;
	RecsysItemsetKind kind;
	uint32		min_support;
	uint32		set[64];
	Digest		digest;
} Reference;

static uint32
intersect_lists(const uint32 *a, uint32 na, const uint32 *b, uint32 nb, uint32 *out)
{
	uint32		n = 0;

	for (uint32 x = 0, y = 0; x < na && y < nb;)
	{
		if (a[x] < b[y])
			x++;
		else if (a[x] > b[y])
			y++;
		else
		{
			out[n++] = a[x++];
			y++;
		}
	}
	return n;
}

static void
reference_mine(Reference *reference, uint32 length, uint32 first, const uint32 *baskets,
			   uint32 nbaskets)
{
	const RecsysMatrix *items = reference->items;
	uint32	   *common = palloc(Max(nbaskets, 1) * sizeof(uint32));
	bool		wanted = length > 0;

	for (uint32 item = 0; item < items->nrows; item++)
	{
		bool		in = false;
		uint32		n = intersect_lists(baskets, nbaskets, items->columns + items->offsets[item],
										(uint32) (items->offsets[item + 1] - items->offsets[item]),
										common);

		for (uint32 x = 0; x < length; x++)
			in = in || reference->set[x] == item;
		if (!in && ((reference->kind == RECSYS_ITEMSETS_CLOSED && n == nbaskets) ||
					(reference->kind == RECSYS_ITEMSETS_MAXIMAL && n >= reference->min_support)))
			wanted = false;
		if (item >= first && n >= reference->min_support)
		{
			reference->set[length] = item;
			reference_mine(reference, length + 1, item + 1, common, n);
		}
	}
	if (wanted)
	{
		RecsysItemset set = {reference->set, length, nbaskets, 0.0};

		for (uint32 x = 0; x < nbaskets; x++)
			set.weight += reference->weights[baskets[x]];
		digest_set(&reference->digest, &set);
	}
	pfree(common);
}

static void
test_large(void)
{
	for (int round = 0; round < 4; round++)
	{
		Random		random;
		RecsysMatrix *matrix;
		double	   *weights;
		uint32	   *baskets;
		RecsysItemsetOptions options = {0};
		Reference	reference = {0};
		int			differ = 0;
		uint64		nsets = 0;

		random_seed(&random, 400 + round);
		matrix = generate_matrix(&random, 1500, round % 2 ? 150 : 400, 12000, 80, true,
								 WEIGHTS_NONE);
		weights = palloc(matrix->nrows * sizeof(double));
		baskets = palloc(matrix->nrows * sizeof(uint32));
		for (uint32 basket = 0; basket < matrix->nrows; basket++)
		{
			weights[basket] = random_below(&random, 100);
			baskets[basket] = basket;
		}
		reference.items = RecsysMatrixTranspose(matrix);
		reference.weights = weights;
		options.min_length = 1;
		options.memory_limit = LARGE_LIMIT;
		options.min_support = reference.min_support = round % 2 ? 45 : 20 + 5 * round;
		for (RecsysItemsetKind kind = RECSYS_ITEMSETS_ALL; kind <= RECSYS_ITEMSETS_MAXIMAL; kind++)
		{
			MatrixBaskets source;
			RecsysItemsets *sets;
			Digest		digest;

			matrix_baskets_init(&source, matrix, weights);
			options.kind = reference.kind = kind;
			sets = RecsysItemsetsPrepare(&source.baskets, &options, NULL, NULL);
			memset(&reference.digest, 0, sizeof(Digest));
			reference_mine(&reference, 0, 0, baskets, matrix->nrows);
			for (int way = 0; way < NWAYS; way++)
			{
				memset(&digest, 0, sizeof(digest));
				mine_in_way(way, sets, LARGE_LIMIT, digest_set, &digest);
				if (digest.nsets != reference.digest.nsets ||
					digest.sum != reference.digest.sum ||
					digest.weight != reference.digest.weight)
					differ++;
			}
			nsets += digest.nsets;
			pfree(sets);
		}
		ok(differ == 0, "many items, round %d: %d of 3 kinds in 4 ways differ (%llu sets)", round, differ,
		   (unsigned long long) nsets);
		pfree(weights);
		pfree(baskets);
		RecsysMatrixFree((RecsysMatrix *) reference.items);
		RecsysMatrixFree(matrix);
	}
}

/* Whatever the limit is, it is kept, and what is found within it is right. */
static void
test_memory(void)
{
	Random		random;
	RecsysMatrix *matrix;
	MatrixBaskets source;
	RecsysItemsetOptions options = {0};
	RecsysItemsets *sets;
	Digest		expected = {0};
	bool		kept = true;
	bool		right = true;
	int			refused = 0;
	int			done = 0;
	Size		before;

	random_seed(&random, 3);
	matrix = generate_matrix(&random, 3000, 500, 40000, 200, false, WEIGHTS_NONE);
	matrix_baskets_init(&source, matrix, NULL);
	options.min_length = 1;
	options.min_support = 60;
	before = standalone_memory_now;
	for (Size limit = 1024; limit < 16 * 1024 * 1024; limit = limit * 3 / 2)
	{
		options.memory_limit = limit;
		standalone_memory_peak = standalone_memory_now;
		sets = RecsysItemsetsPrepare(&source.baskets, &options, NULL, NULL);
		kept = kept && standalone_memory_peak <= before + limit;
		if (sets == NULL)
			refused++;
		else
			pfree(sets);
		right = right && standalone_memory_now == before;
	}
	ok(kept && right && refused > 5 && refused < 22,
	   "preparation keeps its memory limit; refused %d of 24", refused);

	options.memory_limit = LARGE_LIMIT;
	sets = RecsysItemsetsPrepare(&source.baskets, &options, NULL, NULL);
	mine(sets, LARGE_LIMIT, digest_set, &expected);
	before = standalone_memory_now;
	refused = 0;
	right = kept = true;
	for (Size limit = 1024; limit < 16 * 1024 * 1024; limit = limit * 3 / 2)
	{
		Digest		digest = {0};
		RecsysItemsetOutcome outcome;

		standalone_memory_peak = standalone_memory_now;
		outcome = mine(sets, limit, digest_set, &digest);
		kept = kept && standalone_memory_peak <= before + limit + 4096;
		if (outcome == RECSYS_ITEMSETS_NO_MEMORY)
			refused++;
		else
		{
			done++;
			right = right && digest.nsets == expected.nsets && digest.sum == expected.sum;
		}
		right = right && standalone_memory_now == before;
	}
	ok(kept && right && refused > 5 && done > 5, "miners keep their memory limit; refused %d of 24",
	   refused);
	ok(RecsysItemsetsBest(sets, 10, 1024, ignore_rule, NULL) == RECSYS_ITEMSETS_NO_MEMORY,
	   "no best sets without memory");
	ok(RecsysItemsetsSuggest(sets, 10, 1024, NULL) == 0, "no suggestion without memory");
	pfree(sets);
	RecsysMatrixFree(matrix);
}

/* Counts that anybody can check, and stopping. */
static void
test_known(void)
{
	/* the power set of 15 items, in each of 3 baskets */
	RecsysMatrix *matrix = matrix_create(3, 15, 45);
	RecsysItemsetOptions options = {0};
	MatrixBaskets source;
	RecsysItemsets *sets;
	Digest		digest = {0};
	uint64		checks;

	for (uint32 x = 0; x < 45; x++)
		matrix->columns[x] = x % 15;
	for (uint32 row = 0; row <= 3; row++)
		matrix->offsets[row] = row * 15;
	matrix_baskets_init(&source, matrix, NULL);
	options.min_length = 1;
	options.min_support = 3;
	options.memory_limit = LARGE_LIMIT;
	sets = RecsysItemsetsPrepare(&source.baskets, &options, NULL, NULL);
	checks = standalone_interrupt_checks;
	mine(sets, LARGE_LIMIT, digest_set, &digest);
	ok(digest.nsets == 32767, "all subsets of a basket: %llu", (unsigned long long) digest.nsets);
	ok(standalone_interrupt_checks > checks, "interrupts are looked for while subsets are reported");
	pfree(sets);

	options.max_length = 3;
	sets = RecsysItemsetsPrepare(&source.baskets, &options, NULL, NULL);
	memset(&digest, 0, sizeof(digest));
	mine(sets, LARGE_LIMIT, digest_set, &digest);
	ok(digest.nsets == 15 + 105 + 455, "of up to three items: %llu",
	   (unsigned long long) digest.nsets);
	pfree(sets);

	options.kind = RECSYS_ITEMSETS_CLOSED;
	sets = RecsysItemsetsPrepare(&source.baskets, &options, NULL, NULL);
	memset(&digest, 0, sizeof(digest));
	mine(sets, LARGE_LIMIT, digest_set, &digest);
	ok(digest.nsets == 0, "the only closed one is longer");
	pfree(sets);

	options.kind = RECSYS_ITEMSETS_ALL;
	sets = RecsysItemsetsPrepare(&source.baskets, &options, NULL, NULL);
	for (int after = 1; after < 575; after += 191)
	{
		memset(&digest, 0, sizeof(digest));
		digest.stop_after = after;
		ok(mine(sets, LARGE_LIMIT, digest_set, &digest) == RECSYS_ITEMSETS_STOPPED &&
		   digest.nsets == after, "the reporter stops the mining after %d sets", after);
	}
	pfree(sets);
	matrix_free(matrix);
}

void
test_itemset(void)
{
	test_small();
	test_large();
	test_memory();
	test_known();
}
