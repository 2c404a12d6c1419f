/*
 * forget.c
 *	  Forgetting a user.
 *
 * The table is the shop's: its rows stay, and index scans still find them.  But
 * the user's entries are flagged, which keeps them out of every history, and
 * all items that the user had are recomputed at once.  The flags go with the
 * entries, when VACUUM removes those of deleted rows, and with the index: a
 * REINDEX learns from the rows that are still there.
 */
#include "postgres.h"

#include "am/lists/directory.h"
#include "am/merge/mark.h"
#include "am/write/forget.h"
#include "fault.h"

typedef struct Forgetting
{
	int64		until;			/* entries of a later time stay; PG_INT64_MAX: all go */
	int64		forgotten;
} Forgetting;

static void
forget_entry(void *arg, RecsysEntry *entry)
{
	Forgetting *forgetting = arg;

	if (entry->time != RECSYS_NO_TIME && entry->time > forgetting->until)
		return;
	if (!entry->forgotten)
		forgetting->forgotten++;
	entry->forgotten = true;
}

int64
RecsysForgetUser(Relation heap, Relation index, const RecsysKey *user)
{
	return RecsysForgetUserUntil(heap, index, user, PG_INT64_MAX);
}

int64
RecsysForgetUserUntil(Relation heap, Relation index, const RecsysKey *user, int64 until)
{
	RecsysMetaData *meta = &RecsysGetCache(index)->meta;
	RecsysUserView *view = palloc0(sizeof(RecsysUserView));
	RecsysMergeResult result;
	Forgetting	forgetting = {.until = meta->timed ? until : PG_INT64_MAX};

	view->hash = RECSYS_TREE_HASH(RecsysKeyHash(meta->user_kind, user, meta->seed));
	if (user->len > RECSYS_MAX_KEY_LEN)
		return 0;
	view->keylen = user->len;
	RecsysKeyStore(meta->user_kind, user, view->key);

	/* rows of this statement are to be there, too; marking locks no bucket to read it */
	if (RecsysBeforeReading != NULL)
		RecsysBeforeReading();
	RecsysSetForgotten(index, view);
	RecsysMarkEntries(index, view, 0, forget_entry, &forgetting);
	RECSYS_FAULT("forget-marked");

	/* also when all was forgotten before: that call may have ended here */
	RecsysMergeUser(heap, index, view->hash, &result);
	pfree(view);
	return forgetting.forgotten;
}
