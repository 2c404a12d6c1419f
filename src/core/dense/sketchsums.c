/*
 * sketchsums.c
 *	  Sums of products of a user's codes with those of items' sketches, and of their rests; which bounds
 *	  that come of them are high enough.
 *
 * The former is what a call does for most items of a catalog, so that it is written for the widest
 * vectors that processors have.  A row of a group has 64 bytes of two codes each, which are numbers
 * without sign; the user's codes have one and seven bits.  Products of both fit 16 bits, two and
 * four of them as well.  All ways to add them up give the same: they are integers.
 *
 * A rest is as many bytes as its item has in all rows, one behind the other.
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
			const int8 *lower = user->rows[row][0];
			const int8 *upper = user->rows[row][1];

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

RECSYS_TARGET_CLONES static int32
plain_rest_sum(const RecsysUserSketch *user, const uint8 *rest, int first, int n)
{
	const int8 *lower = user->rests[0];
	const int8 *upper = user->rests[1];
	int32		sum = 0;

	for (int x = first; x < n; x++)
		sum += (int16) ((int16) (rest[x] & 15) * lower[x] + (int16) (rest[x] >> 4) * upper[x]);
	return sum;
}

static int
plain_places(const float *uppers, uint32 first, uint32 n, float limit, uint16 *places)
{
	int			count = 0;

	for (uint32 x = first; x < n; x++)
		if (unlikely(uppers[x] >= limit))
			places[count++] = (uint16) x;
	return count;
}

#ifdef HAVE_X86_KERNELS

/* Of a group of rank 128, the default; half as many, of rank 64, have a loop of their own, too. */
#define DEFAULT_ROWS 8

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

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
			const __m256i *lower = (const __m256i *) user->rows[row][0];
			const __m256i *upper = (const __m256i *) user->rows[row][1];

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

__attribute__((target("avx2"))) static void
avx2_rest_sums(const RecsysUserSketch *user, const uint8 *rests, int size, const uint16 *places, int n, int32 *sums)
{
	const __m256i low = _mm256_set1_epi8(15);
	const __m256i ones = _mm256_set1_epi16(1);
	int			whole = size / 32 * 32;

	for (int item = 0; item < n; item++)
	{
		const uint8 *rest = rests + (Size) places[item] * size;
		__m256i		sum = _mm256_setzero_si256();
		__m128i		half;

		for (int x = 0; x < whole; x += 32)
		{
			__m256i		both = _mm256_loadu_si256((const __m256i *) (rest + x));
			__m256i		first = _mm256_maddubs_epi16(_mm256_and_si256(both, low),
													 _mm256_loadu_si256((const __m256i *) (user->rests[0] + x)));
			__m256i		second = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(both, 4), low),
													  _mm256_loadu_si256((const __m256i *) (user->rests[1] + x)));

			sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_add_epi16(first, second), ones));
		}
		half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
		half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4E));
		half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xB1));
		sums[item] = _mm_cvtsi128_si32(half);
		if (whole < size)
			sums[item] += plain_rest_sum(user, rest, whole, size);
	}
}

/* Rests of one vector each, those of rank 128 */
VNNI static void
vnni_short_rest_sums(const RecsysUserSketch *user, const uint8 *rests, const uint16 *places, int n, int32 *sums)
{
	const __m512i low = _mm512_set1_epi8(15);
	__m512i		lower = _mm512_loadu_si512(user->rests[0]);
	__m512i		upper = _mm512_loadu_si512(user->rests[1]);

	for (int item = 0; item < n; item++)
	{
		__m512i		both = _mm512_loadu_si512(rests + (Size) places[item] * RECSYS_SKETCH_ROW);
		__m512i		sum = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_and_si512(both, low), lower);

		sum = _mm512_dpbusd_epi32(sum, _mm512_and_si512(_mm512_srli_epi16(both, 4), low), upper);
		sums[item] = _mm512_reduce_add_epi32(sum);
	}
}

VNNI static void
vnni_rest_sums(const RecsysUserSketch *user, const uint8 *rests, int size, const uint16 *places, int n, int32 *sums)
{
	const __m512i low = _mm512_set1_epi8(15);

	if (size == RECSYS_SKETCH_ROW)
	{
		vnni_short_rest_sums(user, rests, places, n, sums);
		return;
	}
	for (int item = 0; item < n; item++)
	{
		const uint8 *rest = rests + (Size) places[item] * size;
		__m512i		first = _mm512_setzero_si512();
		__m512i		second = _mm512_setzero_si512();

		for (int x = 0; x < size; x += RECSYS_SKETCH_ROW)
		{
			__mmask64	there = size - x >= RECSYS_SKETCH_ROW ? ~(__mmask64) 0 : ((__mmask64) 1 << (size - x)) - 1;
			__m512i		both = _mm512_maskz_loadu_epi8(there, rest + x);

			first = _mm512_dpbusd_epi32(first, _mm512_and_si512(both, low),
										_mm512_maskz_loadu_epi8(there, user->rests[0] + x));
			second = _mm512_dpbusd_epi32(second, _mm512_and_si512(_mm512_srli_epi16(both, 4), low),
										 _mm512_maskz_loadu_epi8(there, user->rests[1] + x));
		}
		sums[item] = _mm512_reduce_add_epi32(_mm512_add_epi32(first, second));
	}
}

/* From the parts of a group in a vector to sums of its items */
VNNI __attribute__((always_inline)) static inline void
store_sums(__m512i sum, int lanes, int32 *sums)
{
	int32		parts[PARTS];

	if (lanes == PARTS / 2)
	{
		_mm256_storeu_si256((__m256i *) sums,
							_mm512_cvtepi64_epi32(_mm512_add_epi32(sum, _mm512_srli_epi64(sum, 32))));
		return;
	}
	_mm512_storeu_si512(parts, sum);
	add_parts(parts, lanes, sums);
}

/* Of so few rows, a number that the compiler knows, that the user's codes stay in registers */
VNNI __attribute__((always_inline)) static inline void
vnni_few_rows(const RecsysUserSketch *user, const uint8 *rows, uint32 n, int rows_per_group, int32 *sums)
{
	const __m512i low = _mm512_set1_epi8(15);
	__m512i		lower[DEFAULT_ROWS];
	__m512i		upper[DEFAULT_ROWS];

	RECSYS_UNROLL
	for (int row = 0; row < rows_per_group; row++)
	{
		lower[row] = _mm512_loadu_si512(user->rows[row][0]);
		upper[row] = _mm512_loadu_si512(user->rows[row][1]);
	}
	for (uint32 group = 0; group < n; group++)
	{
		__m512i		first = _mm512_setzero_si512();
		__m512i		second = _mm512_setzero_si512();

		RECSYS_UNROLL
		for (int row = 0; row < rows_per_group; row++)
		{
			__m512i		both = _mm512_loadu_si512(rows + row * RECSYS_SKETCH_ROW);

			first = _mm512_dpbusd_epi32(first, _mm512_and_si512(both, low), lower[row]);
			second = _mm512_dpbusd_epi32(second, _mm512_and_si512(_mm512_srli_epi16(both, 4), low), upper[row]);
		}
		store_sums(_mm512_add_epi32(first, second), PARTS / 2, sums);
		rows += rows_per_group * RECSYS_SKETCH_ROW;
		sums += PARTS / 2;
	}
}

VNNI static void
vnni_any_rows(const RecsysUserSketch *user, const uint8 *rows, uint32 n, int rows_per_group, int lanes, int32 *sums)
{
	const __m512i low = _mm512_set1_epi8(15);

	for (uint32 group = 0; group < n; group++)
	{
		__m512i		first = _mm512_setzero_si512();
		__m512i		second = _mm512_setzero_si512();

		for (int row = 0; row < rows_per_group; row++)
		{
			__m512i		both = _mm512_loadu_si512(rows);

			first = _mm512_dpbusd_epi32(first, _mm512_and_si512(both, low),
										_mm512_loadu_si512(user->rows[row][0]));
			second = _mm512_dpbusd_epi32(second, _mm512_and_si512(_mm512_srli_epi16(both, 4), low),
										 _mm512_loadu_si512(user->rows[row][1]));
			rows += RECSYS_SKETCH_ROW;
		}
		store_sums(_mm512_add_epi32(first, second), lanes, sums);
		sums += lanes;
	}
}

VNNI static void
vnni_sums(const RecsysUserSketch *user, const uint8 *rows, uint32 n, int rows_per_group, int lanes, int32 *sums)
{
	if (lanes == PARTS / 2 && rows_per_group == DEFAULT_ROWS)
		vnni_few_rows(user, rows, n, DEFAULT_ROWS, sums);
	else if (lanes == PARTS / 2 && rows_per_group == DEFAULT_ROWS / 2)
		vnni_few_rows(user, rows, n, DEFAULT_ROWS / 2, sums);
	else
		vnni_any_rows(user, rows, n, rows_per_group, lanes, sums);
}

__attribute__((target("avx2"))) static int
avx2_places(const float *uppers, uint32 n, float limit, uint16 *places)
{
	const __m256	limits = _mm256_set1_ps(limit);
	uint32		x = 0;
	int			count = 0;

	for (; x + 8 <= n; x += 8)
	{
		uint32		bits = (uint32) _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(uppers + x), limits, _CMP_GE_OQ));

		for (; bits != 0; bits &= bits - 1)
			places[count++] = (uint16) (x + (uint32) __builtin_ctz(bits));
	}
	return count + plain_places(uppers, x, n, limit, places + count);
}

VNNI static int
vnni_places(const float *uppers, uint32 n, float limit, uint16 *places)
{
	const __m512	limits = _mm512_set1_ps(limit);
	uint32		x = 0;
	int			count = 0;

	for (; x + 16 <= n; x += 16)
	{
		uint32		bits = _mm512_cmp_ps_mask(_mm512_loadu_ps(uppers + x), limits, _CMP_GE_OQ);

		for (; bits != 0; bits &= bits - 1)
			places[count++] = (uint16) (x + (uint32) __builtin_ctz(bits));
	}
	return count + plain_places(uppers, x, n, limit, places + count);
}

static bool
use_vnni(void)
{
	return RecsysUseSketchKernel == RECSYS_SKETCH_WIDEST && __builtin_cpu_supports("avx512vnni") &&
		__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

static bool
use_avx2(void)
{
	return RecsysUseSketchKernel != RECSYS_SKETCH_PLAIN && __builtin_cpu_supports("avx2");
}

#endif

void
RecsysSketchSums(const RecsysUserSketch *user, const uint8 *rows, uint32 n, int rows_per_group, int lanes,
				 int32 *sums)
{
#ifdef HAVE_X86_KERNELS
	if (use_vnni())
	{
		vnni_sums(user, rows, n, rows_per_group, lanes, sums);
		return;
	}
	if (use_avx2())
	{
		avx2_sums(user, rows, n, rows_per_group, lanes, sums);
		return;
	}
#endif
	plain_sums(user, rows, n, rows_per_group, RECSYS_SKETCH_ROW / lanes, sums);
}

void
RecsysSketchRestSums(const RecsysUserSketch *user, const uint8 *rests, int size, const uint16 *places, int n,
					 int32 *sums)
{
#ifdef HAVE_X86_KERNELS
	if (use_vnni())
	{
		vnni_rest_sums(user, rests, size, places, n, sums);
		return;
	}
	if (use_avx2())
	{
		avx2_rest_sums(user, rests, size, places, n, sums);
		return;
	}
#endif
	for (int item = 0; item < n; item++)
		sums[item] = plain_rest_sum(user, rests + (Size) places[item] * size, 0, size);
}

int
RecsysSketchPlaces(const float *uppers, uint32 n, float limit, uint16 *places)
{
#ifdef HAVE_X86_KERNELS
	if (use_vnni())
		return vnni_places(uppers, n, limit, places);
	if (use_avx2())
		return avx2_places(uppers, n, limit, places);
#endif
	return plain_places(uppers, 0, n, limit, places);
}
