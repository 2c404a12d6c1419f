/*
 * check_events.c
 *	  The pending events by user, for a check that goes through all users.
 *
 * The events are sorted by the user's hash and the item's number, on disk if there are
 * many.  Each pass over the users visits them in ascending order of their hashes, and
 * the events are read alongside.
 */
#include "postgres.h"

#include "am/check/check_events.h"
#include "am/lists/pending.h"
#include "am/store/enlarge.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/tuplesort.h"

/* (hash, item) in one number whose order as int64 is theirs */
#define EVENT_KEY(hash, item) ((int64) ((((uint64) (hash) << 32) | (item)) ^ ((uint64) 1 << 63)))
#define EVENT_HASH(key) ((uint32) (((uint64) (key) ^ ((uint64) 1 << 63)) >> 32))
#define EVENT_ITEM(key) ((uint32) (key))

struct RecsysEventsByUser
{
	MemoryContext context;
	Tuplesortstate *sort;
	TupleTableSlot *in;
	TupleTableSlot *out;
	bool		more;
	int64		event;			/* the next one, if there are more */
	int64		hash;			/* at hand, or -1 */
	uint32	   *pending;		/* its items, ascending */
	uint32		npending;
	uint32		maxpending;
};

static void
put_event(RecsysEventsByUser *events, const RecsysEvent *event)
{
	ExecClearTuple(events->in);
	events->in->tts_isnull[0] = false;
	events->in->tts_values[0] = Int64GetDatum(EVENT_KEY(event->user_hash, event->item));
	ExecStoreVirtualTuple(events->in);
	tuplesort_puttupleslot(events->sort, events->in);
}

RecsysEventsByUser *
RecsysEventsSort(Relation index, uint32 nitems, RecsysEventSeen seen, void *arg)
{
	RecsysEventsByUser *events = palloc0(sizeof(RecsysEventsByUser));
	TupleDesc	desc = CreateTemplateTupleDesc(1);
	AttrNumber	column = 1;
	Oid			operator = Int8LessOperator;
	Oid			collation = InvalidOid;
	bool		nullsfirst = false;
	RecsysPendingPage *page = palloc(sizeof(RecsysPendingPage));

	TupleDescInitEntry(desc, 1, "event", INT8OID, -1, 0);
	events->context = CurrentMemoryContext;
	events->in = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	events->out = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	events->sort = tuplesort_begin_heap(desc, 1, &column, &operator, &collation, &nullsfirst,
										Max(maintenance_work_mem / 4, 64), NULL,
										TUPLESORT_RANDOMACCESS);
	for (int list = 0; list < RECSYS_PENDING_LISTS; list++)
	{
		BlockNumber block;

		RecsysPendingEnds(index, list, &block, NULL);
		while (BlockNumberIsValid(block))
		{
			CHECK_FOR_INTERRUPTS();
			RecsysPendingRead(index, list, block, page);
			for (int i = 0; i < page->count; i++)
			{
				if (page->events[i].item >= nitems)
					continue;
				seen(arg, page->events[i].item);
				put_event(events, &page->events[i]);
			}
			block = page->next;
		}
	}
	tuplesort_performsort(events->sort);
	pfree(page);
	return events;
}

static void
next_event(RecsysEventsByUser *events)
{
	events->more = tuplesort_gettupleslot(events->sort, true, false, events->out, NULL);
	if (events->more)
	{
		slot_getallattrs(events->out);
		events->event = DatumGetInt64(events->out->tts_values[0]);
	}
}

/* Read the events of a hash, which comes after that of the users so far. */
static void
read_events(RecsysEventsByUser *events, uint32 hash)
{
	events->hash = hash;
	events->npending = 0;
	while (events->more && EVENT_HASH(events->event) < hash)
		next_event(events);
	while (events->more && EVENT_HASH(events->event) == hash)
	{
		uint32		item = EVENT_ITEM(events->event);

		if (events->npending == 0 || events->pending[events->npending - 1] != item)
		{
			if (events->npending == events->maxpending)
			{
				events->maxpending = Max(64, events->maxpending * 2);
				events->pending = RecsysEnlarge(events->context, events->pending,
											   sizeof(uint32) * (Size) events->maxpending);
			}
			events->pending[events->npending++] = item;
		}
		next_event(events);
	}
}

uint32
RecsysEventsOfUser(RecsysEventsByUser *events, uint32 hash, const uint32 **items)
{
	if (hash != events->hash)
		read_events(events, hash);
	*items = events->pending;
	return events->npending;
}

void
RecsysEventsRewind(RecsysEventsByUser *events)
{
	events->hash = -1;
	tuplesort_rescan(events->sort);
	next_event(events);
}

void
RecsysEventsFree(RecsysEventsByUser *events)
{
	ExecDropSingleTupleTableSlot(events->in);
	ExecDropSingleTupleTableSlot(events->out);
	tuplesort_end(events->sort);
}
