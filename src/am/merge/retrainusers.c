/*
 * retrainusers.c
 *	  A merge that trains anew: users, whose histories are read first and whose flags follow at last.
 *
 * What counts of a user is the history that the model keeps.  The user's flag tells whether anything
 * does, and where that is not said by the rows themselves the entries are marked (mark.c).  Few users
 * have flags that differ from what was read: they are noted by their hashes, and read once more when
 * all rows are written.  Until then their marks are in doubt, so that an ordinary merge does not
 * go by them should this one be cut short.
 */
#include "postgres.h"

#include "am/merge/mark.h"
#include "am/merge/retrainstate.h"
#include "am/store/corrupted.h"
#include "am/store/enlarge.h"
#include "am/store/indexname.h"
#include "am/store/progress.h"
#include "fault.h"
#include "miscadmin.h"

static uint32
rank_of(const RecsysRetraining *state, uint32 item)
{
	if (item >= state->nitems)
		RecsysCorrupted(state->index,
						"index \"%s\" has an entry with item number %u, which does not exist",
						RecsysIndexName(state->index), item);
	return state->ranks != NULL ? state->ranks[item] : item;
}

/* What counts of a user, ascending by rank */
typedef struct RankedHistory
{
	const RecsysRetraining *state;
	const RecsysHistoryItem *items;
	int			count;
} RankedHistory;

static int
compare_ranks(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = ((const RecsysHistoryItem *) b)->item;

	return (x > y) - (x < y);
}

static bool
counts(const RankedHistory *history, const RecsysEntry *entry)
{
	uint32		rank;

	if (entry->orphan || history->count == 0)
		return false;

	/* entries of rows that are newer than the snapshot may have newer items */
	if (entry->peer >= history->state->nitems)
		return false;
	rank = rank_of(history->state, entry->peer);
	return bsearch(&rank, history->items, history->count, sizeof(RecsysHistoryItem),
				   compare_ranks) != NULL;
}

/* Have the user's entries to tell which of them count? */
static bool
needs_marks(const RecsysRetraining *state, const RecsysUserView *user)
{
	return (user->flags & (RECSYS_OWNER_MARKED | RECSYS_OWNER_UNSURE)) != 0 ||
		user->nentries >= (uint32) state->meta.max_history;
}

/* Are the flags of a user and of the entries as the history has them? */
static bool
flags_are_right(const RecsysRetraining *state, const RecsysUserView *user, const RankedHistory *history)
{
	if (((user->flags & RECSYS_OWNER_COUNTED) != 0) != (history->count > 0))
		return false;
	if (!needs_marks(state, user))
		return true;
	if ((user->flags & (RECSYS_OWNER_MARKED | RECSYS_OWNER_UNSURE)) != RECSYS_OWNER_MARKED)
		return false;
	for (uint32 i = 0; i < user->nentries; i++)
		if (user->entries[i].counted != counts(history, &user->entries[i]))
			return false;
	return true;
}

static void
note_user(RecsysRetraining *state, uint32 hash)
{
	if (state->nhashes > 0 && state->hashes[state->nhashes - 1] == hash)
		return;
	if (state->nhashes == state->maxhashes)
	{
		state->maxhashes = Max(1024, state->maxhashes * 2);
		state->hashes = RecsysEnlarge(state->context, state->hashes,
									  sizeof(uint32) * state->maxhashes);
	}
	state->hashes[state->nhashes++] = hash;
}

/* Visitor: a user's history goes to the model. */
static void
take_user(void *arg, RecsysUserView *user)
{
	RecsysRetraining *state = arg;
	RankedHistory history = {state, NULL, 0};

	for (int i = 0; i < user->ninteractions; i++)
	{
		user->interactions[i].item = rank_of(state, user->interactions[i].item);
		RecsysModelAdd(state->model, &user->interactions[i]);
	}
	(void) RecsysModelEndUser(state->model);
	history.items = RecsysModelLastHistory(state->model, &history.count);
	if (flags_are_right(state, user, &history))
		return;
	note_user(state, user->hash);
	if (needs_marks(state, user))
		RecsysDoubtMarks(state->index, user);
}

void
RecsysRetrainRead(RecsysRetraining *state)
{
	uint64		next = 0;

	RecsysMergeProgressPhase(RECSYS_PHASE_HISTORIES);
	while (next <= PG_UINT32_MAX)
	{
		CHECK_FOR_INTERRUPTS();
		next = RecsysUserReaderReadBucket(state->reader, (uint32) next, take_user, state);
	}
	RECSYS_FAULT("retrain-read");
}

static void
mark_counted(void *arg, RecsysEntry *entry)
{
	entry->counted = counts(arg, entry);
}

/* Visitor: a user whose flags are to follow; the history is what it was when it was read. */
static void
update_user(void *arg, RecsysUserView *user)
{
	RecsysRetraining *state = arg;
	RecsysHistoryItem *folded = palloc_extended(sizeof(RecsysHistoryItem) *
												((Size) user->ninteractions + 1), MCXT_ALLOC_HUGE);
	RankedHistory history = {state, folded, 0};
	RecsysFolding folding;

	RecsysMetaFolding(&state->meta, NULL, &folding);
	for (int i = 0; i < user->ninteractions; i++)
		user->interactions[i].item = rank_of(state, user->interactions[i].item);
	if (user->ninteractions > 0)
		history.count = RecsysHistoryFold(user->interactions, user->ninteractions, &folding,
										  folded, NULL);
	if (needs_marks(state, user) && !flags_are_right(state, user, &history))
		RecsysMarkEntries(state->index, user, RECSYS_OWNER_MARKED, mark_counted, &history);
	RecsysSetCounted(state->index, user, history.count > 0);
	pfree(folded);
}

void
RecsysRetrainUsers(RecsysRetraining *state)
{
	for (uint64 i = 0; i < state->nhashes; i++)
	{
		CHECK_FOR_INTERRUPTS();
		RecsysUserReaderRead(state->reader, state->hashes[i], update_user, state);
	}
	RECSYS_FAULT("retrain-users");
}
