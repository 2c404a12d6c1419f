/*
 * narrowadd.c
 *	  Adding a row whose numbers have 16 bits to sums.
 *
 * A list of a long history spends most of its time here: on two loads, an addition and a store for
 * each number, as sums are anywhere.  So whatever else there is to do is done for eight numbers at
 * once: they are loaded as two words, and the products are made in vector registers.  Vectors do not
 * help with the additions themselves: to gather and scatter sums takes longer than one after the
 * other.
 *
 * A product is rounded before it is added, whatever the kernel, so sums do not depend on the
 * processor.  (core/scoring is compiled without contraction to fused additions.)
 */
#include "core/scoring/narrowadd.h"

/* One number; what is inlined without marks does not look for them. */
static inline __attribute__((always_inline)) void
add_product(double *sums, uint8 *marks, uint16 item, double product)
{
	sums[item] += product;
	if (marks != NULL)
		marks[item / RECSYS_BLOCK_ITEMS] = 1;
}

RECSYS_VECTORIZE static uint32
highest_of(const uint16 *items, int n)
{
	uint16		highest = 0;

	for (int x = 0; x < n; x++)
		highest = Max(highest, items[x]);
	return highest;
}

static void
add_by_one(double *sums, uint8 *marks, double weight, const uint16 *items,
		   const float *similarities, int n)
{
	RECSYS_UNROLL
	for (int x = 0; x < n; x++)
		add_product(sums, marks, items[x], weight * similarities[x]);
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(RECSYS_NO_TARGET_CLONES)
#define HAVE_X86_KERNELS

#include <immintrin.h>

/* Four numbers in a word, the first one lowest, and their products */
__attribute__((target("avx2"), always_inline)) static inline void
add_four(double *sums, uint8 *marks, uint64 word, __m256d products)
{
	add_product(sums, marks, (uint16) word, products[0]);
	add_product(sums, marks, (uint16) (word >> 16), products[1]);
	add_product(sums, marks, (uint16) (word >> 32), products[2]);
	add_product(sums, marks, (uint16) (word >> 48), products[3]);
}

/* The highest of eight numbers, which the instruction for the lowest one finds */
__attribute__((target("avx2"), always_inline)) static inline uint32
highest_of_eight(__m128i numbers)
{
	__m128i		lowest = _mm_minpos_epu16(_mm_xor_si128(numbers, _mm_set1_epi16(-1)));

	return 65535 - (uint32) _mm_extract_epi16(lowest, 0);
}

__attribute__((target("avx2"), always_inline)) static inline uint32
add_by_eight(double *sums, uint8 *marks, double weight, const uint16 *items,
			 const float *similarities, int n)
{
	__m256d		weights = _mm256_set1_pd(weight);
	__m128i		highest = _mm_setzero_si128();
	int			x = 0;

	for (; x + 8 <= n; x += 8)
	{
		__m256d		first = _mm256_cvtps_pd(_mm_loadu_ps(similarities + x));
		__m256d		second = _mm256_cvtps_pd(_mm_loadu_ps(similarities + x + 4));
		uint64		lower;
		uint64		upper;

		memcpy(&lower, items + x, sizeof(lower));
		memcpy(&upper, items + x + 4, sizeof(upper));
		highest = _mm_max_epu16(highest, _mm_loadu_si128((const __m128i *) (items + x)));
		add_four(sums, marks, lower, _mm256_mul_pd(first, weights));
		add_four(sums, marks, upper, _mm256_mul_pd(second, weights));
	}
	if (x + 4 <= n)
	{
		uint64		word;

		memcpy(&word, items + x, sizeof(word));
		highest = _mm_max_epu16(highest, _mm_cvtsi64_si128((int64) word));
		add_four(sums, marks, word,
				 _mm256_mul_pd(_mm256_cvtps_pd(_mm_loadu_ps(similarities + x)), weights));
		x += 4;
	}
	for (; x < n; x++)
	{
		highest = _mm_max_epu16(highest, _mm_cvtsi32_si128(items[x]));
		add_product(sums, marks, items[x], weight * similarities[x]);
	}
	return highest_of_eight(highest);
}

__attribute__((target("avx2"))) static uint32
add_avx2(double *sums, double weight, const uint16 *items, const float *similarities, int n)
{
	return add_by_eight(sums, NULL, weight, items, similarities, n);
}

__attribute__((target("avx2"))) static void
add_marking_avx2(double *sums, uint8 *marks, double weight, const uint16 *items,
				 const float *similarities, int n)
{
	(void) add_by_eight(sums, marks, weight, items, similarities, n);
}

static inline bool
has_avx2(void)
{
	static int	known = -1;

	if (unlikely(known < 0))
	{
		__builtin_cpu_init();
		known = __builtin_cpu_supports("avx2") != 0;
	}
	return known != 0;
}
#endif

uint32
RecsysNarrowAdd(double *sums, double weight, const uint16 *items, const float *similarities, int n)
{
#ifdef HAVE_X86_KERNELS
	if (has_avx2())
		return add_avx2(sums, weight, items, similarities, n);
#endif
	add_by_one(sums, NULL, weight, items, similarities, n);
	return highest_of(items, n);
}

void
RecsysNarrowAddMarking(double *sums, uint8 *marks, double weight, const uint16 *items,
					   const float *similarities, int n)
{
#ifdef HAVE_X86_KERNELS
	if (has_avx2())
	{
		add_marking_avx2(sums, marks, weight, items, similarities, n);
		return;
	}
#endif
	add_by_one(sums, marks, weight, items, similarities, n);
}
