/*
 * collectorstate.h
 *	  What a collector consists of; for collector.c and collectorread.c alone.
 */
#ifndef RECSYS_COLLECTORSTATE_H
#define RECSYS_COLLECTORSTATE_H

#include "core/choice/timespan.h"
#include "core/rows/dictionary.h"
#include "source/input/collector.h"
#include "source/input/postings.h"
#include "source/input/rowstore.h"
#include "source/input/spill.h"
#include "source/input/spillitems.h"

struct RecsysCollector
{
	RecsysCollectorOptions options;
	MemoryContext context;
	uint64		nrows;
	int64		now;
	int64		latest;			/* time of any row that counts, not after now */
	RecsysTimeSpan span;		/* of these rows */
	uint64		nfuture;		/* rows that count and that no clock has seen yet */
	RecsysDictionary *users;	/* NULL once spilled */
	RecsysDictionary *items;
	RecsysRowStore store;
	bool		spilled;		/* rows are on disk */
	RecsysSpill *spill;			/* until they have been read by user */
	RecsysSpillItems *spillitems;

	/* after Finish */
	uint32	   *itembynumber;	/* final item number -> dictionary number */
	uint32	   *itemnumber;		/* dictionary number -> final item number */
	uint32	   *itemorder;		/* rank in hash order -> dictionary number */
	uint32	   *itemrank;		/* final item number -> rank in hash order */

	/* in memory */
	uint32	   *userorder;		/* rank in hash order -> dictionary number */
	RecsysUserRows *userrows;
	RecsysItemRows *itemrows;

	/* reading */
	uint32		group;			/* next user or item group */
	uint64		row;			/* next row of the group at hand */
	uint64		end;
	bool		reading_items;
	bool		has_user;		/* spilled: the user at hand, or rows without */
	uint32		userhash;
	uint32		postingrank;	/* spilled: the posting read ahead */
	RecsysItemRow posting;
	bool		has_posting;
	uint32		currentrank;
};

#endif							/* RECSYS_COLLECTORSTATE_H */
