/*
 * scorerblocks.c
 *	  Sums of scores in blocks of 8, a cache line, and a byte for each that tells whether anything
 *	  was added to it.
 *
 * Blocks are touched at random.  So nothing here branches on a single one.
 */
#include "core/scoring/scorerblocks.h"

/* The places of the bits of a byte, one behind the other, and how many there are */
typedef struct BitPlaces
{
	uint8		places[256][8];
	uint8		count[256];
} BitPlaces;

static BitPlaces bit_places;

static void
find_bit_places(void)
{
	for (int byte = 1; byte < 256; byte++)
	{
		int			n = 0;

		for (int bit = 0; bit < 8; bit++)
			if ((byte & 1 << bit) != 0)
				bit_places.places[byte][n++] = (uint8) bit;
		bit_places.count[byte] = (uint8) n;
	}
}

/* Eight marks as bits, the first one the lowest */
static inline uint32
mark_bits(uint64 marks)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	marks = __builtin_bswap64(marks);
#endif
	/* the mark of byte x goes from bit 8 x to bit 56 + x */
	return (uint32) (marks * UINT64CONST(0x0102040810204080) >> 56);
}

/* Passed over together when none is touched: as many marks as a cache line has */
#define MARKS_AT_ONCE 64

static int
touched_by_one(const uint8 *marks, uint16 *list)
{
	int			n = 0;

	if (bit_places.count[1] == 0)
		find_bit_places();
	for (uint32 first = 0; first < RECSYS_NARROW_BLOCKS; first += MARKS_AT_ONCE)
	{
		uint64		words[MARKS_AT_ONCE / 8];
		uint64		any = 0;

		memcpy(words, marks + first, sizeof(words));
		for (int x = 0; x < MARKS_AT_ONCE / 8; x++)
			any |= words[x];
		if (any == 0)
			continue;
		for (int x = 0; x < MARKS_AT_ONCE / 8; x++)
		{
			uint32		bits = mark_bits(words[x]);
			const uint8 *places = bit_places.places[bits];

			/* all eight, of which those beyond the count are overwritten */
			for (int y = 0; y < 8; y++)
				list[n + y] = (uint16) (first + 8 * x + places[y]);
			n += bit_places.count[bits];
		}
	}
	return n;
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(RECSYS_NO_TARGET_CLONES)
#define HAVE_X86_KERNELS

#include <immintrin.h>

__attribute__((target("avx512f,avx512bw,avx512vbmi2,popcnt"))) static int
touched_by_many(const uint8 *marks, uint16 *list)
{
	uint16		places[MARKS_AT_ONCE / 2];
	__m512i		lower;
	int			n = 0;

	for (int x = 0; x < MARKS_AT_ONCE / 2; x++)
		places[x] = (uint16) x;
	lower = _mm512_loadu_si512(places);
	for (uint32 first = 0; first < RECSYS_NARROW_BLOCKS; first += MARKS_AT_ONCE)
	{
		__m512i		all = _mm512_loadu_si512(marks + first);
		uint64		touched = _mm512_test_epi8_mask(all, all);
		__m512i		numbers = _mm512_add_epi16(lower, _mm512_set1_epi16((int16) first));

		if (touched == 0)
			continue;
		_mm512_storeu_si512(list + n, _mm512_maskz_compress_epi16((uint32) touched, numbers));
		n += __builtin_popcount((uint32) touched);
		numbers = _mm512_add_epi16(numbers, _mm512_set1_epi16(MARKS_AT_ONCE / 2));
		_mm512_storeu_si512(list + n, _mm512_maskz_compress_epi16((uint32) (touched >> 32), numbers));
		n += __builtin_popcount((uint32) (touched >> 32));
	}
	return n;
}

int
RecsysBlocksTouched(const uint8 *marks, uint16 *list)
{
	static int	(*kernel) (const uint8 *, uint16 *) = NULL;

	if (kernel == NULL)
	{
		__builtin_cpu_init();
		kernel = __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bw") ?
			touched_by_many : touched_by_one;
	}
	return kernel(marks, list);
}

#else

int
RecsysBlocksTouched(const uint8 *marks, uint16 *list)
{
	return touched_by_one(marks, list);
}

#endif

/* The same loop around several ways to compare the sums of a block */
#define LOOK_THROUGH(bits_above) \
	int			nfound = 0; \
	\
	for (int x = 0; x < n; x++) \
	{ \
		const double *block = sums + (uint32) blocks[x] * RECSYS_BLOCK_ITEMS; \
		uint32		above = (uint32) (bits_above); \
	\
		found[nfound] = (uint32) blocks[x] << 8 | above; \
		nfound += above != 0; \
	} \
	return nfound

/* What is no number is not above anything. */
static inline uint32
bits_above(const double *block, double bound)
{
	uint32		bits = 0;

	for (int x = 0; x < RECSYS_BLOCK_ITEMS; x++)
		bits |= (uint32) (block[x] > bound) << x;
	return bits;
}

#ifdef HAVE_X86_KERNELS

__attribute__((target("avx512f,avx512dq"), always_inline)) static inline __mmask8
bits_by_eight(const double *sums, uint16 block, __m512d bounds)
{
	return _mm512_cmp_pd_mask(_mm512_loadu_pd(sums + (uint32) block * RECSYS_BLOCK_ITEMS), bounds,
							  _CMP_GT_OQ);
}

__attribute__((target("avx512f,avx512dq"))) static int
above_one_after_the_other(const double *sums, const uint16 *blocks, int n, __m512d bounds,
						  uint32 *found)
{
	int			nfound = 0;

	for (int x = 0; x < n; x++)
	{
		uint32		above = bits_by_eight(sums, blocks[x], bounds);

		found[nfound] = (uint32) blocks[x] << 8 | above;
		nfound += above != 0;
	}
	return nfound;
}

/* Eight blocks at a time, of which hardly any has one as a rule */
__attribute__((target("avx512f,avx512dq"))) static int
above_by_eight(const double *sums, const uint16 *blocks, int n, double bound, uint32 *found)
{
	__m512d		bounds = _mm512_set1_pd(bound);
	int			nfound = 0;
	int			x = 0;

	for (; x + 8 <= n; x += 8)
	{
		const uint16 *eight = blocks + x;
		__mmask8	some = _kor_mask8(_kor_mask8(bits_by_eight(sums, eight[0], bounds),
												 bits_by_eight(sums, eight[1], bounds)),
									  _kor_mask8(bits_by_eight(sums, eight[2], bounds),
												 bits_by_eight(sums, eight[3], bounds)));
		__mmask8	others = _kor_mask8(_kor_mask8(bits_by_eight(sums, eight[4], bounds),
												   bits_by_eight(sums, eight[5], bounds)),
										_kor_mask8(bits_by_eight(sums, eight[6], bounds),
												   bits_by_eight(sums, eight[7], bounds)));

		if (!_kortestz_mask8_u8(some, others))
			nfound += above_one_after_the_other(sums, eight, 8, bounds, found + nfound);
	}
	return nfound + above_one_after_the_other(sums, blocks + x, n - x, bounds, found + nfound);
}

__attribute__((target("avx2"))) static int
above_by_four(const double *sums, const uint16 *blocks, int n, double bound, uint32 *found)
{
	__m256d		bounds = _mm256_set1_pd(bound);

	LOOK_THROUGH(_mm256_movemask_pd(_mm256_cmp_pd(_mm256_loadu_pd(block), bounds, _CMP_GT_OQ)) |
				 _mm256_movemask_pd(_mm256_cmp_pd(_mm256_loadu_pd(block + 4), bounds, _CMP_GT_OQ)) << 4);
}

static int
above_by_one(const double *sums, const uint16 *blocks, int n, double bound, uint32 *found)
{
	LOOK_THROUGH(bits_above(block, bound));
}

int
RecsysBlocksAbove(const double *sums, const uint16 *blocks, int n, double bound, uint32 *found)
{
	static int	(*above) (const double *, const uint16 *, int, double, uint32 *) = NULL;

	if (above == NULL)
	{
		__builtin_cpu_init();
		above = __builtin_cpu_supports("avx512dq") ? above_by_eight :
			__builtin_cpu_supports("avx2") ? above_by_four : above_by_one;
	}
	return above(sums, blocks, n, bound, found);
}

#else

int
RecsysBlocksAbove(const double *sums, const uint16 *blocks, int n, double bound, uint32 *found)
{
	LOOK_THROUGH(bits_above(block, bound));
}

#endif

static void
highest_by_one(const double *sums, const uint16 *blocks, int n, double *highest)
{
	memset(highest, 0, sizeof(double) * RECSYS_BLOCK_ITEMS);
	for (int x = 0; x < n; x++)
	{
		const double *block = sums + (uint32) blocks[x] * RECSYS_BLOCK_ITEMS;

		for (int y = 0; y < RECSYS_BLOCK_ITEMS; y++)
			highest[y] = block[y] > highest[y] ? block[y] : highest[y];
	}
}

#ifdef HAVE_X86_KERNELS

/* The first of two that cannot be compared is left out. */
__attribute__((target("avx512f"))) static void
highest_by_eight(const double *sums, const uint16 *blocks, int n, double *highest)
{
	__m512d		best = _mm512_setzero_pd();

	for (int x = 0; x < n; x++)
		best = _mm512_max_pd(_mm512_loadu_pd(sums + (uint32) blocks[x] * RECSYS_BLOCK_ITEMS), best);
	_mm512_storeu_pd(highest, best);
}

__attribute__((target("avx2"))) static void
highest_by_four(const double *sums, const uint16 *blocks, int n, double *highest)
{
	__m256d		lower = _mm256_setzero_pd();
	__m256d		upper = _mm256_setzero_pd();

	for (int x = 0; x < n; x++)
	{
		const double *block = sums + (uint32) blocks[x] * RECSYS_BLOCK_ITEMS;

		lower = _mm256_max_pd(_mm256_loadu_pd(block), lower);
		upper = _mm256_max_pd(_mm256_loadu_pd(block + 4), upper);
	}
	_mm256_storeu_pd(highest, lower);
	_mm256_storeu_pd(highest + 4, upper);
}

#endif

void
RecsysBlocksHighest(const double *sums, const uint16 *blocks, int n, int groups, double *highest)
{
	static void (*kernel) (const double *, const uint16 *, int, double *) = NULL;

	if (kernel == NULL)
	{
		kernel = highest_by_one;
#ifdef HAVE_X86_KERNELS
		__builtin_cpu_init();
		if (__builtin_cpu_supports("avx512f"))
			kernel = highest_by_eight;
		else if (__builtin_cpu_supports("avx2"))
			kernel = highest_by_four;
#endif
	}
	for (int group = 0; group < groups; group++)
	{
		int			first = (int) ((int64) n * group / groups);
		int			last = (int) ((int64) n * (group + 1) / groups);

		kernel(sums, blocks + first, last - first, highest + group * RECSYS_BLOCK_ITEMS);
	}
}

void
RecsysBlocksClear(double *sums, uint8 *marks, const uint16 *blocks, int n)
{
	for (int x = 0; x < n; x++)
	{
		memset(sums + (uint32) blocks[x] * RECSYS_BLOCK_ITEMS, 0, sizeof(double) * RECSYS_BLOCK_ITEMS);
		marks[blocks[x]] = 0;
	}
}
