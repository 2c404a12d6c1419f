/*
 * segments.c
 *	  The users of an evaluation: all of them, then each segment.
 */
#include "postgres.h"

#include "api/measure/segments.h"
#include "miscadmin.h"
#include "utils/memutils.h"

RecsysLabels *
RecsysReadSegments(const char *query, RecsysKeyKind kind, const RecsysDictionary *users, uint32 nusers)
{
	return query == NULL ? NULL : RecsysReadLabels(query, "segments", "user", kind, users, nusers);
}

/* Users by segment, in their order */
static void
sort_users(RecsysSegments *segments)
{
	const RecsysLabels *labels = segments->labels;
	uint32	   *starts;
	uint32	   *users;

	starts = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(uint32) * ((Size) labels->count + 2),
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	users = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) Max(segments->nusers, 1));
	for (uint32 user = 0; user < segments->nusers; user++)
		if (labels->labels[user] != RECSYS_NONE)
			starts[labels->labels[user] + 2]++;
	for (uint32 label = 0; label < labels->count; label++)
		starts[label + 2] += starts[label + 1];
	for (uint32 user = 0; user < segments->nusers; user++)
		if (labels->labels[user] != RECSYS_NONE)
			users[starts[labels->labels[user] + 1]++] = user;
	segments->starts = starts;
	segments->users = users;
}

void
RecsysSegmentsBegin(RecsysSegments *segments, const RecsysLabels *labels, uint32 nusers)
{
	memset(segments, 0, sizeof(*segments));
	segments->labels = labels;
	segments->nusers = nusers;
	if (labels != NULL)
		sort_users(segments);
}

bool
RecsysSegmentsNext(RecsysSegments *segments, RecsysSegment *segment)
{
	memset(segment, 0, sizeof(*segment));
	if (segments->next == 0)
	{
		segments->next = 1;
		segment->nusers = segments->nusers;
		return true;
	}
	while (segments->labels != NULL && segments->next <= segments->labels->count)
	{
		uint32		label = segments->next - 1;

		CHECK_FOR_INTERRUPTS();
		segment->number = segments->next++;
		segment->name = segments->labels->names[label];
		segment->labels = segments->labels->labels;
		segment->label = label;
		segment->users = segments->users + segments->starts[label];
		segment->nusers = segments->starts[label + 1] - segments->starts[label];
		if (segment->nusers > 0)
			return true;
	}
	return false;
}
