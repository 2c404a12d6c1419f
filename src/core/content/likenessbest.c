/*
 * likenessbest.c
 *	  The best candidates of each query of a block, as tiles come by.
 *
 * Each query has a list with room for twice as many as are wanted.  When it is full the best half is
 * kept, and the last of those is the score that others must have from then on.
 */
#include "core/content/likenessbest.h"

#include "core/base/topk.h"

#include <float.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_AVX2_KERNEL
#include <immintrin.h>
#endif

#include "core/content/panelproduct.h"

struct RecsysLikenessBest
{
	int			capacity;
	int			best;
	int			queries;
	float	   *thresholds;		/* scores from which on one is worth a look */
	void	   *threshold_memory;
	uint32	   *except;
	int		   *counts;
	RecsysCandidate *lists;		/* of 2 * best each */
	RecsysCandidate *spare;
	RecsysLike *likes;
};

#define LANES 16
#define IN_LANES(n) (((n) + LANES - 1) / LANES * LANES)

Size
RecsysBestMemory(int capacity, int best)
{
	return sizeof(RecsysLikenessBest) + 64 + IN_LANES(capacity) * sizeof(float) +
		(Size) capacity * (sizeof(uint32) + sizeof(int) + 2 * sizeof(RecsysCandidate) * best) +
		(2 * sizeof(RecsysCandidate) + sizeof(RecsysLike)) * best;
}

RecsysLikenessBest *
RecsysBestCreate(int capacity, int best)
{
	RecsysLikenessBest *result = palloc0(sizeof(RecsysLikenessBest));

	result->capacity = capacity;
	result->best = best;
	result->threshold_memory = recsys_alloc_huge(sizeof(float) * IN_LANES(capacity) + 64);
	result->thresholds = (float *) (((uintptr_t) result->threshold_memory + 63) & ~(uintptr_t) 63);
	result->except = recsys_alloc_huge(sizeof(uint32) * Max(capacity, 1));
	result->counts = recsys_alloc_huge(sizeof(int) * Max(capacity, 1));
	result->lists = recsys_alloc_huge(sizeof(RecsysCandidate) * 2 * best * Max((Size) capacity, 1));
	result->spare = palloc(sizeof(RecsysCandidate) * 2 * best);
	result->likes = palloc(sizeof(RecsysLike) * best);
	return result;
}

void
RecsysBestReset(RecsysLikenessBest *best, int queries, const uint32 *except)
{
	Assert(queries <= best->capacity);
	best->queries = queries;
	for (int query = 0; query < IN_LANES(queries); query++)
		best->thresholds[query] = FLT_MIN;
	for (int query = 0; query < queries; query++)
	{
		best->except[query] = except != NULL ? except[query] : RECSYS_NONE;
		best->counts[query] = 0;
	}
}

static void
take(RecsysLikenessBest *best, int query, uint32 number, float score)
{
	RecsysCandidate *list = best->lists + (Size) query * 2 * best->best;

	if (number == best->except[query])
		return;
	list[best->counts[query]].order = RecsysCandidateOrder(score, number);
	list[best->counts[query]++].support = 0;
	if (best->counts[query] < 2 * best->best)
		return;
	best->thresholds[query] = RecsysCandidateScore(RecsysSelectBest(list, best->counts[query], best->best));
	best->counts[query] = best->best;
}

static void
plain_offer(RecsysLikenessBest *best, uint32 number, const float *scores)
{
	for (int query = 0; query < best->queries; query++)
		if (scores[query] >= best->thresholds[query])
			take(best, query, number, scores[query]);
}

#ifdef HAVE_AVX2_KERNEL
__attribute__((target("avx2"))) static void
avx2_offer(RecsysLikenessBest *best, uint32 number, const float *scores)
{
	int			lanes = IN_LANES(best->queries);

	for (int first = 0; first < lanes; first += LANES)
	{
		__m256		left = _mm256_cmp_ps(_mm256_loadu_ps(scores + first),
										 _mm256_load_ps(best->thresholds + first), _CMP_GE_OQ);
		__m256		right = _mm256_cmp_ps(_mm256_loadu_ps(scores + first + 8),
										  _mm256_load_ps(best->thresholds + first + 8), _CMP_GE_OQ);
		uint32		hits = (uint32) _mm256_movemask_ps(left) | (uint32) _mm256_movemask_ps(right) << 8;

		if (best->queries - first < LANES)
			hits &= (1u << (best->queries - first)) - 1;
		for (; hits != 0; hits &= hits - 1)
		{
			int			query = first + __builtin_ctz(hits);

			take(best, query, number, scores[query]);
		}
	}
}
#endif

void
RecsysBestOffer(RecsysLikenessBest *best, const uint32 *numbers, int n, const float *scores, int stride)
{
#ifdef HAVE_AVX2_KERNEL
	bool		avx2 = !RecsysPlainKernels && __builtin_cpu_supports("avx2");
#endif

	for (int c = 0; c < n; c++)
	{
		CHECK_FOR_INTERRUPTS();
#ifdef HAVE_AVX2_KERNEL
		if (avx2)
		{
			avx2_offer(best, numbers[c], scores + (Size) c * stride);
			continue;
		}
#endif
		plain_offer(best, numbers[c], scores + (Size) c * stride);
	}
}

int
RecsysBestOf(RecsysLikenessBest *best, int query, const RecsysLike **likes)
{
	RecsysCandidate *list = best->lists + (Size) query * 2 * best->best;
	RecsysCandidate *sorted;
	int			n = best->counts[query];

	if (n > best->best)
	{
		RecsysSelectBest(list, n, best->best);
		n = best->best;
	}
	sorted = RecsysSortCandidates(list, best->spare, n);
	for (int x = 0; x < n; x++)
	{
		best->likes[x].item = RecsysCandidateItem(sorted[x].order);
		best->likes[x].score = RecsysCandidateScore(sorted[x].order);
	}
	/* what is in the spare is there no more next time */
	if (sorted != list)
		memcpy(list, sorted, sizeof(RecsysCandidate) * n);
	best->counts[query] = n;
	*likes = best->likes;
	return n;
}

void
RecsysBestFree(RecsysLikenessBest *best)
{
	pfree(best->threshold_memory);
	pfree(best->except);
	pfree(best->counts);
	pfree(best->lists);
	pfree(best->spare);
	pfree(best->likes);
	pfree(best);
}
