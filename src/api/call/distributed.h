/*
 * distributed.h
 *	  Recommenders over tables that Citus has distributed.
 */
#ifndef RECSYS_DISTRIBUTED_H
#define RECSYS_DISTRIBUTED_H

#include "postgres.h"

#include "api/call/recommender.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

/* What recsys.distribute() has noted of a recommender */
typedef struct RecsysDistributed
{
	Oid			index;			/* the shell that the recommender is named by */
	Oid			table;
	char	   *name;			/* of the index, with its schema, as the tables of the extension have it */
	char	   *graph;			/* name of the index that neighbors come from, with its schema; NULL: none yet */
	int32		version;		/* of the graph */
	int			secret_length;
	uint8		secret[32];		/* key of the hashes of who was forgotten */
} RecsysDistributed;

/*
 * What tables of the extension are read by that tell where rows are now.  In a parallel plan, whose
 * leader gets no new snapshot, that is what the statement sees.
 */
extern Snapshot RecsysSnapshotOfNow(void);

/* Has recsys.distribute() been here?  The index need not be locked, and may be any relation. */
extern bool RecsysFindDistributed(Oid index, RecsysDistributed *found);

/*
 * May an index over the table be meant where none is named?  Not if it only stands for what is
 * elsewhere, or has only some rows of what another name stands for.
 */
extern bool RecsysMayBeMeant(Oid index, Oid table);

/* Errors out, with the way out, if the index only stands for what is in shards. */
extern void RecsysRefuseShell(Relation heap, Relation index);

/*
 * Opens a recommender that recsys.distribute() has been to; false if it is another.  NULL: the
 * only recommender that the caller may read.  Of the shell that is opened nothing but columns and
 * options are of use.  The caller may read all rows of the table, or this errors out.
 */
extern bool RecsysOpenDistributed(const char *name, RecsysRecommender *shell,
								  RecsysDistributed *distributed);

/*
 * Opens an index that only stands for what is in shards: nothing but columns and options are of
 * use.  The caller may read all rows of the table, or this errors out.
 */
extern void RecsysOpenShell(Oid index, RecsysTakes takes, RecsysRecommender *shell);

/*
 * Opens what a definition reads events from, wherever the rows are: the shell of an index that is
 * distributed, and then returns true; of a reference table this node's copy; any other index as
 * RecsysOpenRecommender does, with the same errors.
 */
extern bool RecsysOpenSpread(const char *name, RecsysRecommender *recommender,
							 RecsysDistributed *distributed);

/* The same for who needs columns and rights alone */
extern bool RecsysOpenForColumns(const char *name, RecsysRecommender *recommender);

/* The same for who needs all users on this node: one that is distributed is an error. */
extern void RecsysOpenUndivided(const char *name, RecsysRecommender *recommender);

/*
 * Opens an index of this node that belongs to one that the caller may read, or that one's shell:
 * without a look at rights.
 */
extern void RecsysOpenOfNode(Oid index, RecsysRecommender *own);

/* Opens this node's copy of its item graph; errors out if there is none. */
extern void RecsysOpenGraphOf(const RecsysDistributed *distributed, RecsysRecommender *graph);

/*
 * Opens that in the place of a shell, for functions that need nothing else; false: it is another
 * index.
 */
extern bool RecsysOpenGraphInstead(RecsysRecommender *recommender);

/*
 * The relation of this node that a table of the extension, or an index, is read from: itself, or
 * where it is a shell its only shard; InvalidOid if that is not on this node.
 */
extern Oid	RecsysLocalCopy(Oid relation);

#endif							/* RECSYS_DISTRIBUTED_H */
