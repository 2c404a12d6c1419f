/*
 * test_rules.c
 *	  Tests of core/itemset/setstore, core/itemset/setpack, core/rules/rules and core/rules/bestrules against loops over
 *	  all subsets of a few items.
 */
#include "core/rules/rules.h"
#include "core/itemset/setpack.h"
#include "generate.h"
#include "tap.h"

#define ITEMS 7
#define BASKETS 200
#define SUBSETS (1 << ITEMS)

static uint32 baskets[BASKETS];	/* as sets of bits */

static uint32
support_of(uint32 bits)
{
	uint32		support = 0;

	for (int b = 0; b < BASKETS; b++)
		support += (baskets[b] & bits) == bits;
	return support;
}

static uint32
items_of(uint32 bits, uint32 *items)
{
	uint32		n = 0;

	for (uint32 item = 0; item < ITEMS; item++)
		if (bits & ((uint32) 1 << item))
			items[n++] = item;
	return n;
}

static uint32
bits_of(const uint32 *items, uint32 n)
{
	uint32		bits = 0;

	for (uint32 i = 0; i < n; i++)
		bits |= (uint32) 1 << items[i];
	return bits;
}

static RecsysSetStore *
all_sets(bool weighted)
{
	RecsysSetStore *store = RecsysSetStoreCreate(ITEMS, weighted, (Size) 1 << 30);
	uint32		items[ITEMS];

	/* in an order in which sets come before their subsets */
	for (uint32 bits = SUBSETS - 1; bits > 0; bits--)
		if (support_of(bits) > 0)
			RecsysSetStoreAdd(store, items, items_of(bits, items), support_of(bits), bits * 0.5);
	return store;
}

static void
test_setstore(void)
{
	RecsysSetStore *store = all_sets(true);
	RecsysSetStore *small;
	RecsysSetPlace place = {0, 0};
	const RecsysStoredSet *set;
	uint32		items[ITEMS];
	uint32		wrong = 0;
	uint32		n = 0;
	bool		full = false;

	for (uint32 bits = 1; bits < SUBSETS; bits++)
	{
		uint32		length = items_of(bits, items);

		set = RecsysSetStoreFind(store, items, length);
		if (set == NULL)
			wrong += support_of(bits) > 0;
		else
			wrong += set->support != support_of(bits) || set->length != length ||
				RecsysStoredWeight(store, set) != bits * 0.5;
	}
	while ((set = RecsysSetStoreNext(store, &place)) != NULL)
		n++;
	ok(wrong == 0 && n == RecsysSetStoreCount(store), "set store: %u sets found again", n);
	RecsysSetStoreFree(store);

	/* many sets, several chunks: pairs of 2,000 items */
	small = RecsysSetStoreCreate(2000, false, (Size) 1 << 30);
	for (uint32 a = 0; a < 2000; a++)
		for (uint32 b = a + 1; b < Min(a + 200, 2000); b++)
		{
			items[0] = a;
			items[1] = b;
			RecsysSetStoreAdd(small, items, 2, a * 7 + b, 0);
		}
	wrong = 0;
	for (uint32 a = 0; a < 2000; a++)
		for (uint32 b = a + 1; b < Min(a + 210, 2000); b++)
		{
			items[0] = a;
			items[1] = b;
			set = RecsysSetStoreFind(small, items, 2);
			wrong += b < a + 200 ? set == NULL || set->support != a * 7 + b : set != NULL;
		}
	ok(wrong == 0, "set store: %llu pairs found again, no others",
	   (unsigned long long) RecsysSetStoreCount(small));
	RecsysSetStoreFree(small);

	small = RecsysSetStoreCreate(2000, false, (Size) 3 << 20);
	for (uint32 a = 0; a < 2000 && !full; a++)
		for (uint32 b = a + 1; b < 2000 && !full; b++)
		{
			items[0] = a;
			items[1] = b;
			full = !RecsysSetStoreAdd(small, items, 2, 1, 0);
		}
	ok(full && RecsysSetStoreMemory(small) <= (Size) 3 << 20,
	   "set store: stops at its limit, with %llu sets in %zu bytes",
	   (unsigned long long) RecsysSetStoreCount(small), RecsysSetStoreMemory(small));
	RecsysSetStoreFree(small);
}

typedef struct Seen
{
	uint32		rules;
	uint32		wrong;
	double		last;
	bool		seen[SUBSETS][SUBSETS];
} Seen;

static void
check_rule(void *arg, const RecsysRule *rule)
{
	Seen	   *seen = arg;
	uint32		x = bits_of(rule->antecedent, rule->nantecedent);
	uint32		y = bits_of(rule->consequent, rule->nconsequent);

	seen->rules++;
	if ((x & y) != 0 || x == 0 || y == 0 || seen->seen[x][y] ||
		rule->counts.both != support_of(x | y) || rule->counts.antecedent != support_of(x) ||
		rule->counts.consequent != support_of(y) || rule->counts.baskets != BASKETS)
		seen->wrong++;
	seen->seen[x][y] = true;
}

static void
check_order(void *arg, const RecsysRule *rule)
{
	Seen	   *seen = arg;
	double		lift = RecsysRuleMeasureValue(RECSYS_RULE_LIFT, &rule->counts);

	if (seen->rules++ > 0 && lift > seen->last)
		seen->wrong++;
	seen->last = lift;
}

static uint32
bit_count(uint32 bits)
{
	uint32		n = 0;

	for (; bits > 0; bits &= bits - 1)
		n++;
	return n;
}

/* Rules that the options should give */
static uint32
expected_rules(const RecsysRuleOptions *options, uint32 required, uint32 consequents)
{
	uint32		n = 0;

	for (uint32 x = 1; x < SUBSETS; x++)
		for (uint32 y = 1; y < SUBSETS; y++)
		{
			uint32		length = bit_count(x | y);

			if ((x & y) == 0 && support_of(x | y) > 0 && length >= options->min_length &&
				(options->max_length == 0 || length <= options->max_length) &&
				bit_count(y) <= options->max_consequent && ((x | y) & required) == required &&
				(y & ~consequents) == 0 &&
				(double) support_of(x | y) / support_of(x) >= options->min_confidence)
				n++;
		}
	return n;
}

static void
test_generation(void)
{
	static Seen seen;
	RecsysSetStore *store = all_sets(false);
	RecsysRuleOptions options = {0};
	bool		required[ITEMS] = {false};
	bool		consequents[ITEMS] = {false};
	bool		fine;

	options.baskets = BASKETS;
	options.min_length = 2;
	options.memory_limit = (Size) 1 << 30;
	for (uint32 max_consequent = 1; max_consequent <= 4; max_consequent++)
		for (uint32 max_length = 0; max_length <= 4; max_length += 2)
		{
			memset(&seen, 0, sizeof(seen));
			options.max_consequent = max_consequent;
			options.max_length = max_length;
			options.min_confidence = 0.1 * max_consequent;
			fine = RecsysGenerateRules(store, &options, check_rule, &seen);
			ok(fine && seen.wrong == 0 && seen.rules > 0 &&
			   seen.rules == expected_rules(&options, 0, SUBSETS - 1),
			   "%u rules with up to %u items in the consequent and %u in all", seen.rules,
			   max_consequent, max_length);
		}

	memset(&seen, 0, sizeof(seen));
	required[1] = required[4] = true;
	consequents[1] = consequents[2] = consequents[3] = true;
	options.required = required;
	options.nrequired = 2;
	options.consequents = consequents;
	options.min_confidence = 0.1;
	fine = RecsysGenerateRules(store, &options, check_rule, &seen);
	ok(fine && seen.wrong == 0 && seen.rules > 0 &&
	   seen.rules == expected_rules(&options, 1 << 1 | 1 << 4, 1 << 1 | 1 << 2 | 1 << 3),
	   "%u rules with required items and a choice of consequents", seen.rules);

	options.nrequired = 0;
	options.consequents = NULL;
	options.min_confidence = 0;
	options.best = true;
	options.order_by = RECSYS_RULE_LIFT;
	for (options.k = 0; options.k <= 100; options.k += 25)
	{
		memset(&seen, 0, sizeof(seen));
		fine = RecsysGenerateRules(store, &options, check_order, &seen);
		ok(fine && seen.wrong == 0 && seen.rules == options.k, "the %u best rules by lift, in order", seen.rules);
	}
	options.k = PG_UINT32_MAX;
	options.memory_limit = 10000;
	ok(!RecsysGenerateRules(store, &options, check_order, &seen),
	   "all rules in order do not fit into 10,000 bytes");
	RecsysSetStoreFree(store);
}

/* Item sets packed and unpacked again: items ascending, everything else as it was. */
static void
test_setpack(void)
{
	static const uint32 sizes[] = {1, 60, 256, 257, 65536, 65537, 1000000};
	Random		random;
	bool		same = true;
	bool		sorted = true;

	random_seed(&random, 42);
	for (uint32 x = 0; x < 200; x++)
	{
		RecsysSetFormat format = {sizes[x % 7], x % 2 == 1};
		uint16		units[4000];
		uint16	   *end = units;
		const uint16 *place = units;
		uint32		items[20][40];
		RecsysItemset sets[20];

		for (uint32 n = 0; n < 20; n++)
		{
			uint32		length = 0;

			/* different items in a random order */
			for (uint32 tries = 0; tries < 40 && length < 1 + n; tries++)
			{
				uint32		item;
				bool		known = false;

				item = (uint32) (random_bits(&random) % format.nitems);
				for (uint32 i = 0; i < length; i++)
					known = known || items[n][i] == item;
				if (!known)
					items[n][length++] = item;
			}
			sets[n].items = items[n];
			sets[n].length = length;
			sets[n].support = (uint32) random_bits(&random);
			sets[n].weight = format.weighted ? random_normal(&random) : 0.0;
			same = same && RecsysPackSet(&format, &sets[n], end) ==
				end + RecsysSetUnits(&format, length);
			end += RecsysSetUnits(&format, length);
		}
		for (uint32 n = 0; n < 20; n++)
		{
			RecsysItemset set;
			uint32		unpacked[40];
			uint32		again[40];

			place = RecsysUnpackSet(&format, place, &set);
			place = RecsysUnpackItems(&format, place, &set, unpacked);
			same = same && set.length == sets[n].length && set.support == sets[n].support &&
				set.weight == sets[n].weight;
			RecsysSortSet(format.nitems, &sets[n], again);
			for (uint32 i = 0; i < set.length && same; i++)
			{
				bool		found = false;

				for (uint32 j = 0; j < set.length; j++)
					found = found || items[n][j] == unpacked[i];
				same = found && again[i] == unpacked[i];
				sorted = sorted && (i == 0 || unpacked[i - 1] < unpacked[i]);
			}
		}
		same = same && place == end;
	}
	ok(same, "item sets come out of their packing as they went in");
	ok(sorted, "with their items in ascending order");
}

void
test_rules(void)
{
	Random		random;

	random_seed(&random, 3);
	for (int b = 0; b < BASKETS; b++)
		for (uint32 item = 0; item < ITEMS; item++)
			if (random_unit(&random) < 0.15 + 0.05 * item + (b % 3 == (int) item % 3 ? 0.2 : 0))
				baskets[b] |= (uint32) 1 << item;
	test_setstore();
	test_setpack();
	test_generation();
}
