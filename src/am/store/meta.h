/*
 * meta.h
 *	  The meta page, and the part of it that a backend caches.
 */
#ifndef RECSYS_META_H
#define RECSYS_META_H

#include "access/amapi.h"
#include "am/store/columns.h"
#include "am/store/page.h"

/*
 * What rarely or never changes between two builds, kept in rd_amcache.
 * Everything here only grows: row map leaves are appended and never move, so a
 * stale copy is right in all that it has.
 */
typedef struct RecsysCache
{
	RecsysMetaData meta;
	RecsysColumns columns;
	int			stride[2];		/* entry size of each side */
	uint32		nleaves;
	BlockNumber leaves[FLEXIBLE_ARRAY_MEMBER];	/* row map leaf blocks */
} RecsysCache;

/* Items whose neighbors are not what a build would give; of a meta page's data. */
#define RecsysInexactItems(meta) ((meta)->learned ? (meta)->stale : (meta)->queued)

/*
 * Which share of what is known of the table has come, or gone, since the build: changes through
 * those and the rows of the build.  pending are events that no merge has taken yet.  Between 0 and
 * 1; with additions alone it is the share of new rows.  An update counts twice, once as
 * its new row and once as VACUUM removes the old one.
 */
extern double RecsysStaleness(const RecsysMetaData *meta, uint64 pending);

/*
 * Is it an index of the access method recsys_items?  Looks at no page.  Only that one has
 * operator classes with parameters.
 */
static inline bool
RecsysIndexIsItems(Relation index)
{
	return index->rd_indam->amoptsprocnum != 0;
}

/*
 * Is it an index of the access method recsys_graph?  Looks at no page.  Of the two that have no scans
 * it is the one whose operator classes have no parameters.
 */
static inline bool
RecsysIndexIsGraph(Relation index)
{
	return index->rd_indam->amgetbitmap == NULL && index->rd_indam->amoptsprocnum == 0;
}

/* The cached copy, read at first use; valid until the next call or CommandCounterIncrement. */
extern RecsysCache *RecsysGetCache(Relation index);

/* The same, read anew. */
extern RecsysCache *RecsysRefreshCache(Relation index);

/*
 * Of all users and items as of now, which the cached copy may have of an earlier time: how many
 * pairs of them count, and when the users have their items again.
 */
extern void RecsysReadRhythm(Relation index, uint64 *pairs, RecsysRhythm *rhythm);

/* The half-life that lists are made with: the one that is set, or else the one that was chosen. */
extern int64 RecsysServingHalfLife(Relation index);

/* How the index folds histories: as it was built, whatever has been set since. */
extern void RecsysMetaFolding(const RecsysMetaData *meta, const RecsysKeyOrder *order,
							  RecsysFolding *folding);

/* Entry size of a side. */
extern int	RecsysEntryStride(RecsysSide side, bool weighted, bool timed);

/*
 * The options that merges weigh and score with: those that the graph was built with.
 */
extern void RecsysGraphOptions(const RecsysMetaData *meta, RecsysModelOptions *options);

/* Errors out unless the page is a meta page of the current format. */
extern void RecsysMetaCheck(Relation index, Page page);

#endif							/* RECSYS_META_H */
