/*
 * slice.c
 *	  Inserts that merge a few events: where the pending lists are too long and no worker is there.
 */
#include "postgres.h"

#include "access/xact.h"
#include "am/write/passon.h"
#include "am/write/slice.h"
#include "utils/timestamp.h"

/*
 * Slices must not slow inserts down by more than a few percent, nor a session that waits for its
 * client half of the time.  So after a merge of the
 * index no insert merges a slice for this many times as long as the merge took; during
 * a load the lists may grow.  A session whose slice found nothing to merge (all events
 * may be its own transaction's, or another process merges) pauses even longer.
 */
#define SLICE_PAUSE		39
#define IDLE_PAUSE		100
#define SHORTEST_PAUSE	((int64) 10000) /* microseconds */
#define LONGEST_PAUSE	((int64) 60 * USECS_PER_SEC)

/* Slices of this session: when the next of an index may come */
typedef struct SlicePause
{
	Oid			index;
	TimestampTz next;
} SlicePause;

/*
 * More indexes than these are seldom written to by one session; if they are, some forget their
 * pause.
 */
#define PAUSES 64

static SlicePause *
find_pause(Relation index)
{
	static SlicePause pauses[PAUSES];
	SlicePause *pause = &pauses[RelationGetRelid(index) % PAUSES];

	if (pause->index != RelationGetRelid(index))
	{
		pause->index = RelationGetRelid(index);
		pause->next = 0;
	}
	return pause;
}

/* A slice of a whole, unless it would have to wait for a partition. */
static bool
merge_whole(Relation whole, RecsysMergeFunction merge, RecsysMergeResult *result)
{
	List	   *leaves;
	Relation	table = RecsysLockTableOfWhole(whole, &leaves);
	bool		merged;

	if (table == NULL)
		return false;
	merged = merge(table, whole, RECSYS_MERGE_SLICE, result);
	RecsysUnlockTableOfWhole(table, leaves);
	return merged;
}

void
RecsysMergeSlice(Relation heap, Relation index, RecsysMergeFunction merge)
{
	SlicePause *pause = find_pause(index);
	TimestampTz start = GetCurrentTimestamp();
	TimestampTz merged_at;
	int64		duration;
	RecsysMergeResult result;

	/* reading others' rows would make a serializable transaction fail for no reason of its own */
	if (IsolationIsSerializable())
		return;

	/* if the clock has been put back, the time that was set means nothing */
	if (start < pause->next && pause->next - start <= LONGEST_PAUSE)
		return;
	RecsysLastMerge(index, &merged_at, &duration);
	pause->next = merged_at + duration + Min(duration * SLICE_PAUSE, LONGEST_PAUSE);
	if (start < pause->next && pause->next - start <= LONGEST_PAUSE)
		return;

	/* should it end in an error, the next try is not soon */
	pause->next = start + LONGEST_PAUSE;
	if (!(heap != NULL ? merge(heap, index, RECSYS_MERGE_SLICE, &result) :
		  merge_whole(index, merge, &result)) || result.merged == 0)
	{
		duration = GetCurrentTimestamp() - start;
		pause->next = start + Min(Max(duration * IDLE_PAUSE, SHORTEST_PAUSE), LONGEST_PAUSE);
	}
	else
		pause->next = start + SHORTEST_PAUSE;
}
