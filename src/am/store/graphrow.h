/*
 * graphrow.h
 *	  A row of the item graph: as it is worked with, and as it is stored.
 *
 * Stored, it is one tuple of a graph page, always whole on one page:
 *
 *	  header │ scores peers │ users floor totals │ spare scores, spare peers, supports │ key
 *	          serving part     what is known of     the rest of the neighbors
 *	                           the item alone
 *
 * The neighbors are packed by core/scoring/packedrow.  Serving reads the header and what follows it
 * at once, and nothing else.  The totals are left out of rows in which they say nothing that
 * users does not say, as of every index without weights and times.  A row is always stored in the
 * form with fewest bytes, so that equal rows are equal bytes.  The item's line pointer may be
 * longer than the row, to leave room for growth.
 *
 * Whoever does more than add up scores takes the row as a RecsysGraphRow: a copy, with
 * everything where a pointer can lead to it.  No score changes on the way.
 *
 * Only the first nneighbors are the item's neighbors.  The others are spare:
 * when scores sink, they move up, and the row need not be computed anew.  How
 * far they can be trusted is what the floor tells: every pair that is not
 * stored stands behind (floor_score, floor_item) in the order of neighbors
 * (core/pairs/neighbors.h).  A floor_score of 0 means that nothing is left out.  Where
 * scores are learned no pair can come in between two builds, and it is always 0.
 */
#ifndef RECSYS_GRAPHROW_H
#define RECSYS_GRAPHROW_H

#include "am/store/page.h"
#include "core/scoring/packedrow.h"

/*
 * A row in memory.  After the header: nstored item numbers, nstored scores, nstored supports, each
 * four bytes wide, then the item's key.
 */
typedef struct RecsysGraphRowData
{
	uint32		item;
	uint32		users;			/* n_i */
	uint16		nneighbors;
	uint16		nstored;		/* neighbors and spare ones */
	uint16		keylen;
	uint16		flags;			/* RECSYS_ROW_… */
	float		floor_score;
	uint32		floor_item;
	double		norm2;			/* sum of squared weights, those that scores are computed
								 * with; n_i without weights */
	double		mass;			/* sum of weights before they are damped (W_i of rp3beta);
								 * n_i without weights */
	int64		latest;			/* of the interactions that count; RECSYS_NO_TIME for none */
	RecsysRecency recent;		/* how many users have it lately: with popularity_half_life
								 * of a model that has a prior, or zeros */
	RecsysRhythm rhythm;		/* when users take it again */
	uint32		peers[FLEXIBLE_ARRAY_MEMBER];
} RecsysGraphRowData;

typedef RecsysGraphRowData *RecsysGraphRow;

#define RecsysRowScores(row)	((float *) ((row)->peers + (row)->nstored))
#define RecsysRowSupports(row)	((row)->peers + 2 * (row)->nstored)
#define RecsysRowKey(row)		((char *) ((row)->peers + 3 * (row)->nstored))

/* Bytes in memory; a stored row takes no more */
#define RECSYS_ROW_SIZE(nstored, keylen) \
	(offsetof(RecsysGraphRowData, peers) + (Size) (nstored) * 12 + (keylen))

/* What a row says of its item alone */
typedef struct RecsysRowTotals
{
	uint32		users;
	double		norm2;
	double		mass;
	int64		latest;
	RecsysRecency recent;
	RecsysRhythm rhythm;
} RecsysRowTotals;

static inline RecsysRowTotals
RecsysRowGetTotals(const RecsysGraphRowData *row)
{
	return (RecsysRowTotals) {row->users, row->norm2, row->mass, row->latest, row->recent, row->rhythm};
}

static inline void
RecsysRowSetTotals(RecsysGraphRowData *row, const RecsysRowTotals *totals)
{
	row->users = totals->users;
	row->norm2 = totals->norm2;
	row->mass = totals->mass;
	row->latest = totals->latest;
	row->recent = totals->recent;
	row->rhythm = totals->rhythm;
}

/*
 * The row has been adjusted, but not counted, or a user of the item weighs something
 * else by now; the item is queued, as are those of the next two, unless the meta page says that
 * there is something unsaid
 */
#define RECSYS_ROW_INEXACT		0x0001
/* rows of others may hold pairs with the item that no user has any more */
#define RECSYS_ROW_SHRUNK		0x0004
/* fewer neighbors than wanted stand above the floor; the item is queued */
#define RECSYS_ROW_SHORT		0x0002
/* the item's interactions have changed since its scores were learned */
#define RECSYS_ROW_STALE		0x0008

/* Flags of items on the queue, which merges take away again */
#define RECSYS_ROW_QUEUED (RECSYS_ROW_INEXACT | RECSYS_ROW_SHRUNK | RECSYS_ROW_SHORT)

/* Neighbors that a row of an index with so many neighbors stores at most */
#define RECSYS_ROW_CAPACITY(neighbors) \
	Min((neighbors) + Max((neighbors) / 4, 4), RECSYS_MAX_STORED)

/* A row as it stands on its page */
typedef struct RecsysStoredRowData
{
	uint32		item;
	uint16		nneighbors;
	uint16		nstored;
	uint16		keylen;
	uint8		flags;			/* RECSYS_ROW_…, of which one byte is in use */
	uint8		form;			/* RecsysPackForm and RECSYS_STORED_… */
	char		serving[FLEXIBLE_ARRAY_MEMBER];
} RecsysStoredRowData;

typedef RecsysStoredRowData *RecsysStoredRow;

/* weights are 1, and there are no times: the totals are left out */
#define RECSYS_STORED_PLAIN		0x10

#define RECSYS_STORED_HEADER offsetof(RecsysStoredRowData, serving)

/* No stored row takes fewer bytes */
#define RECSYS_STORED_LEAST (RECSYS_STORED_HEADER + 3 * sizeof(uint32))

/* The serving part: scores of the neighbors shown, best first, and their item numbers */
#define RecsysStoredScores(row) ((const float *) (row)->serving)
#define RecsysStoredIsNarrow(row) (RECSYS_PACK_PEER_WIDTH((row)->form) == sizeof(uint16))
#define RecsysStoredNarrowPeers(row) \
	((const uint16 *) ((row)->serving + sizeof(float) * (row)->nneighbors))
#define RecsysStoredPeers(row, peers) \
	RecsysUnpackPeers((row)->form & RECSYS_PACK_FORM_BITS, (row)->serving, (row)->nneighbors, (peers))

/* Bytes of the header and the serving part */
#define RecsysStoredServingEnd(row) \
	(RECSYS_STORED_HEADER + \
	 RecsysPackServingSize((row)->form & RECSYS_PACK_FORM_BITS, (row)->nneighbors))

/* What the totals take, in rows that are not plain */
#define RECSYS_STORED_TOTALS 64

static inline Size
RecsysStoredTotalsSize(uint8 form)
{
	return (form & RECSYS_STORED_PLAIN) != 0 ? 0 : RECSYS_STORED_TOTALS;
}

/* Bytes of a row with such a form and so many neighbors */
static inline Size
RecsysStoredRowSize(uint8 form, int shown, int stored, Size keylen)
{
	RecsysPackForm pack = form & RECSYS_PACK_FORM_BITS;

	return RECSYS_STORED_LEAST + RecsysStoredTotalsSize(form) + keylen +
		RecsysPackServingSize(pack, shown) + RecsysPackRestSize(pack, shown, stored);
}

/* Does a tuple of that length, no less than RECSYS_STORED_LEAST, hold all that it claims? */
static inline bool
RecsysStoredRowIsSane(const RecsysStoredRowData *row, Size length, RecsysKeyKind kind)
{
	return row->nneighbors <= row->nstored && row->nstored <= RECSYS_MAX_STORED &&
		(row->form & ~(RECSYS_PACK_FORM_BITS | RECSYS_STORED_PLAIN)) == 0 &&
		RECSYS_PACK_FORM_IS_SANE(row->form) &&
		RecsysKeyLengthIsSane(kind, row->keylen) &&
		RecsysStoredRowSize(row->form, row->nneighbors, row->nstored, row->keylen) <= length;
}

/* The key, which need not be aligned */
extern const char *RecsysStoredRowKey(const RecsysStoredRowData *row);

/*
 * A sane row into memory, which has RECSYS_ROW_SIZE for what the row stores.  The second one reads
 * nothing of the neighbors: the copy has none.
 */
extern void RecsysLoadRow(const RecsysStoredRowData *stored, RecsysGraphRow row);
extern void RecsysLoadRowAlone(const RecsysStoredRowData *stored, RecsysGraphRow row);

/* When the item was taken last */
extern int64 RecsysStoredRowLatest(const RecsysStoredRowData *stored);

/* A row as it is to be stored, into memory of RECSYS_ROW_SIZE; returns how many bytes it takes. */
extern Size RecsysStoreRow(const RecsysGraphRowData *row, RecsysStoredRow stored);

#endif							/* RECSYS_GRAPHROW_H */
