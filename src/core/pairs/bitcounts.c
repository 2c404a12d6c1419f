/*
 * bitcounts.c
 *	  How many users have each of 512 items, counted in columns of bits.
 *
 * A user's items are a row of 512 bits, and the rows are added up as numbers that stand
 * upright: bit k of plane p is binary digit p of the count of item k.  A carry-save adder
 * makes two rows of three of the same place value, by five operations for all 512 items,
 * or two where there are operations of three operands.  Sixteen rows go through a tree of
 * them, which leaves a single row of value 16; that one goes into the planes from the
 * fourth on, as 1 is added to a binary number.  So a user costs about one adder whatever
 * number of the items it has.
 *
 * The tree: Mula, Kurz and Lemire, "Faster Population Counts Using AVX2 Instructions"
 * (2018), whose sums go across the bits instead.
 *
 * Vectors are of the compiler's own kind, which makes as many instructions of them as the
 * machine needs.
 */
#include "core/pairs/bitcounts.h"

/* Users whose rows go through a tree of adders, and the planes that it leaves to others */
#define TREE_USERS 16
#define TREE_PLANES 4

/* Users whose rows are fetched into the cache while others are added up */
#define FETCHED_USERS 32

#define MAX_PLANES 33

/* Bits of all items */
typedef uint64 Row __attribute__((vector_size(RECSYS_BLOCK_ITEMS / 8),
								  aligned(RECSYS_BLOCK_ALIGNMENT)));

/* Counts of 16 items */
typedef uint32 Counts __attribute__((vector_size(64)));

/* carry and sum of three; sum may be one of them */
#define ADD_ROWS(carry, sum, a, b, c) \
	do { \
		Row			differ = (a) ^ (b); \
		Row			third = (c); \
		\
		(carry) = ((a) & (b)) | (differ & third); \
		(sum) = differ ^ third; \
	} while (0)

/* The counts of 32 items from their binary digits. */
static inline __attribute__((always_inline)) void
unfold(const uint32 *digits, int nplanes, uint32 *counts)
{
	const Counts bits = {
		1U << 0, 1U << 1, 1U << 2, 1U << 3, 1U << 4, 1U << 5, 1U << 6, 1U << 7,
		1U << 8, 1U << 9, 1U << 10, 1U << 11, 1U << 12, 1U << 13, 1U << 14, 1U << 15
	};
	Counts		lower = {0};
	Counts		upper = {0};

	/* comparing makes all bits ones where it holds */
	for (int plane = nplanes - 1; plane >= 0; plane--)
	{
		lower = lower + lower - (Counts) ((digits[plane] & bits) != 0);
		upper = upper + upper - (Counts) ((digits[plane] >> 16 & bits) != 0);
	}
	memcpy(counts, &lower, sizeof(lower));
	memcpy(counts + 16, &upper, sizeof(upper));
}

RECSYS_TARGET_CLONES void
RecsysCountBits(const uint64 *block, const uint32 *users, uint64 n, uint32 *counts)
{
	const Row  *rows = (const Row *) block;
	Row			planes[MAX_PLANES];
	Row			ones = {0};
	Row			twos = {0};
	Row			fours = {0};
	Row			eights = {0};
	int			nplanes = 0;
	uint64		x = 0;

	/* as many digits as n has */
	while (n >> nplanes != 0)
		nplanes++;
	memset(planes, 0, sizeof(Row) * Max(nplanes, TREE_PLANES));

	for (; x + TREE_USERS <= n; x += TREE_USERS)
	{
		const uint32 *u = users + x;
		Row			twos_a, twos_b, fours_a, fours_b, eights_a, eights_b, carry;

		if (x + FETCHED_USERS + TREE_USERS <= n)
		{
			for (int y = 0; y < TREE_USERS; y++)
				__builtin_prefetch(&rows[u[FETCHED_USERS + y]]);
		}
		ADD_ROWS(twos_a, ones, ones, rows[u[0]], rows[u[1]]);
		ADD_ROWS(twos_b, ones, ones, rows[u[2]], rows[u[3]]);
		ADD_ROWS(fours_a, twos, twos, twos_a, twos_b);
		ADD_ROWS(twos_a, ones, ones, rows[u[4]], rows[u[5]]);
		ADD_ROWS(twos_b, ones, ones, rows[u[6]], rows[u[7]]);
		ADD_ROWS(fours_b, twos, twos, twos_a, twos_b);
		ADD_ROWS(eights_a, fours, fours, fours_a, fours_b);
		ADD_ROWS(twos_a, ones, ones, rows[u[8]], rows[u[9]]);
		ADD_ROWS(twos_b, ones, ones, rows[u[10]], rows[u[11]]);
		ADD_ROWS(fours_a, twos, twos, twos_a, twos_b);
		ADD_ROWS(twos_a, ones, ones, rows[u[12]], rows[u[13]]);
		ADD_ROWS(twos_b, ones, ones, rows[u[14]], rows[u[15]]);
		ADD_ROWS(fours_b, twos, twos, twos_a, twos_b);
		ADD_ROWS(eights_b, fours, fours, fours_a, fours_b);
		ADD_ROWS(carry, eights, eights, eights_a, eights_b);

		/* the sum of so many rows has no more digits than their number */
		for (int plane = TREE_PLANES; (x + TREE_USERS) >> plane != 0; plane++)
		{
			Row			next = planes[plane] & carry;

			planes[plane] ^= carry;
			carry = next;
		}
	}
	planes[0] = ones;
	planes[1] = twos;
	planes[2] = fours;
	planes[3] = eights;
	for (; x < n; x++)
	{
		Row			carry = rows[users[x]];

		for (int plane = 0; plane < nplanes; plane++)
		{
			Row			next = planes[plane] & carry;

			planes[plane] ^= carry;
			carry = next;
		}
	}

	for (int word = 0; word < RECSYS_BLOCK_WORDS; word++)
	{
		uint32		lower[MAX_PLANES];
		uint32		upper[MAX_PLANES];

		for (int plane = 0; plane < nplanes; plane++)
		{
			lower[plane] = (uint32) planes[plane][word];
			upper[plane] = (uint32) (planes[plane][word] >> 32);
		}
		unfold(lower, nplanes, counts + 64 * word);
		unfold(upper, nplanes, counts + 64 * word + 32);
	}
}

uint32
RecsysTouchBits(const uint64 *block, const uint32 *users, uint64 n, uint32 first,
				uint32 *counts, uint32 *touched, uint32 ntouched)
{
	for (uint64 x = 0; x < n; x++)
	{
		const uint64 *words = block + RECSYS_BLOCK_WORDS * (Size) users[x];

		for (int word = 0; word < RECSYS_BLOCK_WORDS; word++)
		{
			for (uint64 rest = words[word]; rest != 0; rest &= rest - 1)
			{
				uint32		item = first + 64 * word + (uint32) __builtin_ctzll(rest);

				touched[ntouched] = item;
				ntouched += counts[item]++ == 0;
			}
		}
	}
	return ntouched;
}
