/*
 * sketchsums.c
 *	  Sums of products of a user's codes with the first bits of items' codes.
 *
 * This is what a call does for most items of a catalog, so that it is written for the widest
 * vectors that processors have.  A row of a group has 64 bytes of two codes each, which are numbers
 * without sign; the user's codes have one and seven bits.  Products of both fit 16 bits, two and
 * four of them as well.  All ways to add them up give the same: they are integers.
 */
#include "core/dense/sketchsums.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_X86_KERNELS
#include <immintrin.h>
#endif

RecsysSketchKernel RecsysUseSketchKernel = RECSYS_SKETCH_WIDEST;

/* What vectors leave of a group: each of them is of four bytes of every row. */
#define PARTS 16

RECSYS_TARGET_CLONES static void
plain_sums(const RecsysUserSketch *user, const uint8 *rows, uint32 n, int rows_per_group, int bytes, int32 *sums)
{
	for (uint32 group = 0; group < n; group++)
	{
		int32		lanes[RECSYS_SKETCH_ROW] = {0};

		for (int row = 0; row < rows_per_group; row++)
		{
			const int8 *lower = user->coarse[row][0];
			const int8 *upper = user->coarse[row][1];

			for (int x = 0; x < RECSYS_SKETCH_ROW; x++)
				lanes[x] += (int16) ((int16) (rows[x] & 15) * lower[x] + (int16) (rows[x] >> 4) * upper[x]);
			rows += RECSYS_SKETCH_ROW;
		}
		for (int x = 0; x < RECSYS_SKETCH_ROW; x += bytes)
		{
			int32		sum = 0;

			for (int byte = 0; byte < bytes; byte++)
				sum += lanes[x + byte];
			*sums++ = sum;
		}
	}
}

#ifdef HAVE_X86_KERNELS

/* From the parts of a group to sums of its items */
static inline void
add_parts(const int32 *parts, int lanes, int32 *sums)
{
	if (lanes == PARTS / 2)
		for (int x = 0; x < PARTS / 2; x++)
			sums[x] = parts[2 * x] + parts[2 * x + 1];
	else
		for (int x = 0; x < PARTS / 4; x++)
			sums[x] = parts[4 * x] + parts[4 * x + 1] + parts[4 * x + 2] + parts[4 * x + 3];
}

__attribute__((target("avx2"))) static void
avx2_sums(const RecsysUserSketch *user, const uint8 *rows, uint32 n, int rows_per_group, int lanes, int32 *sums)
{
	const __m256i low = _mm256_set1_epi8(15);
	const __m256i ones = _mm256_set1_epi16(1);

	for (uint32 group = 0; group < n; group++)
	{
		__m256i		sum[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};

		for (int row = 0; row < rows_per_group; row++)
		{
			const __m256i *codes = (const __m256i *) rows;
			const __m256i *lower = (const __m256i *) user->coarse[row][0];
			const __m256i *upper = (const __m256i *) user->coarse[row][1];

			for (int half = 0; half < 2; half++)
			{
				__m256i		both = _mm256_loadu_si256(codes + half);
				__m256i		first = _mm256_maddubs_epi16(_mm256_and_si256(both, low),
														 _mm256_loadu_si256(lower + half));
				__m256i		second = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(both, 4), low),
														  _mm256_loadu_si256(upper + half));

				sum[half] = _mm256_add_epi32(sum[half],
											 _mm256_madd_epi16(_mm256_add_epi16(first, second), ones));
			}
			rows += RECSYS_SKETCH_ROW;
		}
		if (lanes == PARTS / 2)
			_mm256_storeu_si256((__m256i *) sums,
								_mm256_permute4x64_epi64(_mm256_hadd_epi32(sum[0], sum[1]), 0xD8));
		else
		{
			int32		parts[PARTS];

			_mm256_storeu_si256((__m256i *) parts, sum[0]);
			_mm256_storeu_si256((__m256i *) parts + 1, sum[1]);
			add_parts(parts, lanes, sums);
		}
		sums += lanes;
	}
}

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"))) static void
vnni_sums(const RecsysUserSketch *user, const uint8 *rows, uint32 n, int rows_per_group, int lanes, int32 *sums)
{
	const __m512i low = _mm512_set1_epi8(15);

	for (uint32 group = 0; group < n; group++)
	{
		__m512i		first = _mm512_setzero_si512();
		__m512i		second = _mm512_setzero_si512();
		__m512i		both;

		for (int row = 0; row < rows_per_group; row++)
		{
			both = _mm512_loadu_si512(rows);
			first = _mm512_dpbusd_epi32(first, _mm512_and_si512(both, low),
										_mm512_loadu_si512(user->coarse[row][0]));
			second = _mm512_dpbusd_epi32(second, _mm512_and_si512(_mm512_srli_epi16(both, 4), low),
										 _mm512_loadu_si512(user->coarse[row][1]));
			rows += RECSYS_SKETCH_ROW;
		}
		both = _mm512_add_epi32(first, second);
		if (lanes == PARTS / 2)
			_mm256_storeu_si256((__m256i *) sums,
								_mm512_cvtepi64_epi32(_mm512_add_epi32(both, _mm512_srli_epi64(both, 32))));
		else
		{
			int32		parts[PARTS];

			_mm512_storeu_si512(parts, both);
			add_parts(parts, lanes, sums);
		}
		sums += lanes;
	}
}

#endif

void
RecsysSketchSums(const RecsysUserSketch *user, const uint8 *rows, uint32 n, int rows_per_group, int lanes,
				 int32 *sums)
{
#ifdef HAVE_X86_KERNELS
	if (RecsysUseSketchKernel == RECSYS_SKETCH_WIDEST && __builtin_cpu_supports("avx512vnni") &&
		__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
	{
		vnni_sums(user, rows, n, rows_per_group, lanes, sums);
		return;
	}
	if (RecsysUseSketchKernel != RECSYS_SKETCH_PLAIN && __builtin_cpu_supports("avx2"))
	{
		avx2_sums(user, rows, n, rows_per_group, lanes, sums);
		return;
	}
#endif
	plain_sums(user, rows, n, rows_per_group, RECSYS_SKETCH_ROW / lanes, sums);
}
