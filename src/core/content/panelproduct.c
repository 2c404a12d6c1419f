/*
 * panelproduct.c
 *	  Products of a few vectors of 16-bit numbers with many.
 *
 * Sums are of integers and fit 32 bits, so all ways to compute them give the same.
 */
#include "core/content/panelproduct.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_AVX2_KERNEL
#include <immintrin.h>
#endif

bool		RecsysPlainKernels = false;

RECSYS_TARGET_CLONES static void
plain_product(const int16 *panel, int strips, int pairs, const int16 *candidates,
			  int32 *products, int stride)
{
	for (int strip = 0; strip < strips; strip++)
	{
		const int16 *queries = panel + (Size) strip * pairs * 2 * RECSYS_LANES;

		for (int c = 0; c < RECSYS_GROUP; c++)
		{
			const int16 *candidate = candidates + (Size) c * 2 * pairs;
			int32		sums[RECSYS_LANES] = {0};

			for (int pair = 0; pair < pairs; pair++)
			{
				int32		first = candidate[2 * pair];
				int32		second = candidate[2 * pair + 1];
				const int16 *query = queries + pair * 2 * RECSYS_LANES;

				for (int lane = 0; lane < RECSYS_LANES; lane++)
					sums[lane] += first * query[2 * lane] + second * query[2 * lane + 1];
			}
			memcpy(products + (Size) c * stride + strip * RECSYS_LANES, sums, sizeof(sums));
		}
	}
}

#ifdef HAVE_AVX2_KERNEL

/* Eight sums of eight queries each stay in registers: two halves of a strip by four candidates. */
__attribute__((target("avx2"))) static void
avx2_product(const int16 *panel, int strips, int pairs, const int16 *candidates,
			 int32 *products, int stride)
{
	const int16 *c0 = candidates;
	const int16 *c1 = c0 + 2 * pairs;
	const int16 *c2 = c1 + 2 * pairs;
	const int16 *c3 = c2 + 2 * pairs;

	for (int strip = 0; strip < strips; strip++)
	{
		const __m256i *queries = (const __m256i *) (panel + (Size) strip * pairs * 2 * RECSYS_LANES);
		int32	   *row = products + strip * RECSYS_LANES;
		__m256i		s00 = _mm256_setzero_si256();
		__m256i		s01 = s00;
		__m256i		s10 = s00;
		__m256i		s11 = s00;
		__m256i		s20 = s00;
		__m256i		s21 = s00;
		__m256i		s30 = s00;
		__m256i		s31 = s00;

/* s += both components of a candidate, times those of eight queries */
#define MULTIPLY(c, s0, s1) \
	do { \
		int32		both; \
		__m256i		spread; \
\
		memcpy(&both, c + 2 * pair, sizeof(both)); \
		spread = _mm256_set1_epi32(both); \
		s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(spread, q0)); \
		s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(spread, q1)); \
	} while (0)

		for (int pair = 0; pair < pairs; pair++)
		{
			__m256i		q0 = _mm256_loadu_si256(queries + 2 * pair);
			__m256i		q1 = _mm256_loadu_si256(queries + 2 * pair + 1);

			MULTIPLY(c0, s00, s01);
			MULTIPLY(c1, s10, s11);
			MULTIPLY(c2, s20, s21);
			MULTIPLY(c3, s30, s31);
		}
#undef MULTIPLY

		_mm256_storeu_si256((__m256i *) row, s00);
		_mm256_storeu_si256((__m256i *) (row + 8), s01);
		row += stride;
		_mm256_storeu_si256((__m256i *) row, s10);
		_mm256_storeu_si256((__m256i *) (row + 8), s11);
		row += stride;
		_mm256_storeu_si256((__m256i *) row, s20);
		_mm256_storeu_si256((__m256i *) (row + 8), s21);
		row += stride;
		_mm256_storeu_si256((__m256i *) row, s30);
		_mm256_storeu_si256((__m256i *) (row + 8), s31);
	}
}

#endif

void
RecsysPanelProduct(const int16 *panel, int strips, int pairs, const int16 *candidates,
				   int32 *products, int stride)
{
#ifdef HAVE_AVX2_KERNEL
	if (!RecsysPlainKernels && __builtin_cpu_supports("avx2"))
	{
		avx2_product(panel, strips, pairs, candidates, products, stride);
		return;
	}
#endif
	plain_product(panel, strips, pairs, candidates, products, stride);
}
