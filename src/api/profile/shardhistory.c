/*
 * shardhistory.c
 *	  Where the history of a user is, by one signal.
 *
 * Mostly it is where everything else is: in the index of the events.  Where the events are on several
 * nodes it is in the index of the user's shard, which numbers items in a way of its own and may have
 * some that the common item graph does not know yet.  So these become slots by their keys: a
 * map for each shard would take a session as much memory as all items, for each.
 */
#include "postgres.h"

#include "am/graph/itemorder.h"
#include "api/profile/shardhistory.h"
#include "api/shards/dispatch.h"
#include "miscadmin.h"

static bool
is_elsewhere(const RecsysEvidence *evidence)
{
	return evidence->distributed != NULL;
}

static const RecsysUserPlace *
place_of(RecsysEvidence *evidence, const RecsysKey *user)
{
	if (evidence->place == NULL)
	{
		evidence->place = palloc(sizeof(RecsysUserPlace));
		RecsysFindUserPlace(evidence->distributed, &evidence->events, user, evidence->place);
	}
	return evidence->place;
}

bool
RecsysIsSomebody(RecsysEvidence *evidence, const RecsysKey *user)
{
	return !is_elsewhere(evidence) || place_of(evidence, user)->known;
}

bool
RecsysBeginHistory(RecsysEvidence *evidence, const RecsysKey *user)
{
	if (!is_elsewhere(evidence))
		return true;
	if (!place_of(evidence, user)->here)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the user's rows of signal \"%s\" are on another node", evidence->signal->label),
				 errdetail("recommend, recommend_with_reasons and explain_recommendation go there."),
				 errhint("If the tables of the signals are not distributed alike: SELECT alter_distributed_table(…, colocate_with => …).")));
	if (RecsysOpenHistoryHere(evidence->distributed, evidence->place, &evidence->history))
		return true;
	evidence->history.index = NULL;
	return false;
}

RecsysRecommender *
RecsysHistoryOf(const RecsysEvidence *evidence)
{
	return unconstify(RecsysRecommender *,
					  is_elsewhere(evidence) ? &evidence->history : &evidence->events);
}

static uint32
slot_of(const RecsysEvidence *evidence, RecsysGraphReader *reader, uint32 item)
{
	RecsysKey	key;

	if (!is_elsewhere(evidence))
		return RecsysMapSlot(evidence->map, reader, item);
	return RecsysGraphReadKey(reader, item, &key) ? RecsysCatalogueSlot(evidence->catalogue, &key) :
		RECSYS_NONE;
}

void
RecsysHistorySlots(const RecsysEvidence *evidence, const uint32 *items, int n, uint32 *slots)
{
	Relation	index = RecsysHistoryOf(evidence)->index;
	RecsysGraphReader reader;

	if (n == 0)
		return;
	RecsysGraphReaderInit(&reader, index);
	if (is_elsewhere(evidence))
		RecsysGraphReaderRemember(&reader);
	for (int x = 0; x < n; x++)
	{
		CHECK_FOR_INTERRUPTS();
		slots[x] = slot_of(evidence, &reader, items[x]);
		if (slots[x] == RECSYS_NONE)
			RecsysNoItem(index, items[x]);
	}
	RecsysGraphReaderDone(&reader);
}

void
RecsysEndHistory(RecsysEvidence *evidence)
{
	if (evidence->history.index != NULL)
		RecsysCloseRecommender(&evidence->history);
	evidence->history.index = NULL;
}
