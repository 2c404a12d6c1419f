/*
 * timespan.c
 *	  Over which time nearly all of the interactions are spread, in one pass.
 *
 * A hundredth at each end is left out: a single 1970-01-01 must not make the span.
 */
#include "core/choice/timespan.h"

#include "core/base/random.h"
#include "core/rows/history.h"

static uint64
hash_of(int64 time)
{
	return RecsysRandomMix((uint64) time + RECSYS_RANDOM_STEP);
}

static int
compare_hashes(const void *a, const void *b, void *arg)
{
	uint64		left = hash_of(*(const int64 *) a);
	uint64		right = hash_of(*(const int64 *) b);

	(void) arg;
	return (left > right) - (left < right);
}

/* Each time once, and no more than are kept. */
static void
shrink(RecsysTimeSpan *span)
{
	int			kept = 0;

	qsort_interruptible(span->times, span->count, sizeof(int64), compare_hashes, NULL);
	for (int x = 0; x < span->count; x++)
		if (kept == 0 || span->times[x] != span->times[kept - 1])
			span->times[kept++] = span->times[x];
	if (kept > RECSYS_SPAN_TIMES)
	{
		kept = RECSYS_SPAN_TIMES;
		span->threshold = hash_of(span->times[kept - 1]);
	}
	span->count = kept;
}

void
RecsysTimeSpanAdd(RecsysTimeSpan *span, int64 time)
{
	if (time == RECSYS_NO_TIME || (span->threshold != 0 && hash_of(time) > span->threshold))
		return;
	span->times[span->count++] = time;
	if (span->count == 2 * RECSYS_SPAN_TIMES)
		shrink(span);
}

int64
RecsysTimeSpanGet(RecsysTimeSpan *span)
{
	int64		length;

	shrink(span);
	if (span->count < 2)
		return 0;
	qsort_interruptible(span->times, span->count, sizeof(int64), RecsysCompareTimes, NULL);
	if (__builtin_sub_overflow(span->times[span->count - 1 - span->count / 100],
							   span->times[span->count / 100], &length))
		return 0;
	return length;
}
