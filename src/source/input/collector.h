/*
 * collector.h
 *	  Gathers interactions in arrival order and gives them back by user and by
 *	  item, within a memory limit.
 *
 * Used by index builds and by the functions that take a query.  Protocol:
 *
 *	Create, Add…, Finish,
 *	NextUser + NextOfUser…       until false: users in ascending hash order,
 *	NextItem + NextOfItem…       until false (only with postings):
 *	                             items in ascending hash order,
 *	Free.
 *
 * Items are numbered in ascending key order once all rows are known.
 */
#ifndef RECSYS_COLLECTOR_H
#define RECSYS_COLLECTOR_H

#include "postgres.h"

#include "core/rows/dictionary.h"
#include "core/rows/history.h"

typedef struct RecsysCollector RecsysCollector;

typedef struct RecsysCollectorOptions
{
	RecsysKeyKind user_kind;
	RecsysKeyKind item_kind;
	Oid			item_type;		/* that texts are read as to be keys of items; of a query only */
	bool		weighted;
	bool		timed;
	Oid			time_type;		/* base type of the times, InvalidOid without */
	bool		postings;		/* NextItem will be called */
	uint64		seed;			/* of the key hashes */
	Size		memory_limit;	/* bytes */
} RecsysCollectorOptions;

/* One row; user or item is NULL when the row has none, not both. */
typedef struct RecsysCollected
{
	const RecsysKey *user;
	const RecsysKey *item;
	double		weight;
	int64		time;
	uint64		position;		/* below 2^48: heap TID as block << 16 | offset */
	bool		dead;			/* visible to some snapshot yet, but not in the model */
} RecsysCollected;

/* A row of the user at hand */
typedef struct RecsysUserRow
{
	RecsysInteraction interaction;	/* item is RECSYS_NONE for a row without item */
	bool		dead;
} RecsysUserRow;

/* A row of the item at hand */
typedef struct RecsysItemRow
{
	uint32		user_hash;		/* upper half of the user's hash */
	bool		no_user;
	uint64		position;
} RecsysItemRow;

extern RecsysCollector *RecsysCollectorCreate(const RecsysCollectorOptions *options);
extern void RecsysCollectorAdd(RecsysCollector *collector, const RecsysCollected *row);
extern void RecsysCollectorFinish(RecsysCollector *collector);

extern uint64 RecsysCollectorRows(const RecsysCollector *collector);
extern uint32 RecsysCollectorItems(const RecsysCollector *collector);
extern void RecsysCollectorItemKey(const RecsysCollector *collector, uint32 item, RecsysKey *key);

/*
 * The latest time of rows with user and item that are not dead, or RECSYS_NO_TIME; not
 * later than now, of which there may be some.
 */
extern int64 RecsysCollectorLatest(const RecsysCollector *collector);
extern uint64 RecsysCollectorFuture(const RecsysCollector *collector);

/* Over which time nearly all of these rows are spread, in microseconds */
extern int64 RecsysCollectorSpan(RecsysCollector *collector);

extern RecsysKeyKind RecsysCollectorUserKind(const RecsysCollector *collector);

/* Is there a time column? */
extern bool RecsysCollectorTimed(const RecsysCollector *collector);

/* Has the limit forced rows to disk? */
extern bool RecsysCollectorSpilled(const RecsysCollector *collector);

/* Bytes held now that stay held until Free, whatever is read meanwhile. */
extern Size RecsysCollectorMemory(const RecsysCollector *collector);

/* The key stays valid until the next call. */
extern bool RecsysCollectorNextUser(RecsysCollector *collector, RecsysKey *key, uint32 *hash);
extern bool RecsysCollectorNextOfUser(RecsysCollector *collector, RecsysUserRow *row);

extern bool RecsysCollectorNextItem(RecsysCollector *collector, uint32 *item, RecsysKey *key,
									uint32 *hash);
extern bool RecsysCollectorNextOfItem(RecsysCollector *collector, RecsysItemRow *row);

/* Rows are no longer needed; item keys still are. */
extern void RecsysCollectorRelease(RecsysCollector *collector);
extern void RecsysCollectorFree(RecsysCollector *collector);

#endif							/* RECSYS_COLLECTOR_H */
