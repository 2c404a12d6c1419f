/*
 * keptpartitions.h
 *	  Tables whose partitions recsys.maintain keeps: what is declared of them.
 */
#ifndef RECSYS_KEPTPARTITIONS_H
#define RECSYS_KEPTPARTITIONS_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

/* A row of recsys.kept_partition, palloc'd */
typedef struct RecsysKeptPartitions
{
	char	   *schema;
	char	   *table;
	char	   *role;			/* that has declared it */
	Interval   *every;			/* length of a partition */
	Interval   *keep;			/* NULL: for ever */
	Interval   *ahead;			/* time for which there are partitions before it comes */
} RecsysKeptPartitions;

/* All of them, in the order of their names. */
extern List *RecsysReadKeptPartitions(void);

/* That of a table, by the name that it has or had; NULL: there is none. */
extern RecsysKeptPartitions *RecsysFindKeptPartitions(const char *schema, const char *table);

/* Declares, in the name of the current user, or changes what is declared. */
extern void RecsysWriteKeptPartitions(const RecsysKeptPartitions *kept);

extern void RecsysDeleteKeptPartitions(const RecsysKeptPartitions *kept);

/* Its name with schema and quotes. */
extern char *RecsysKeptPartitionsName(const RecsysKeptPartitions *kept);

/*
 * The table, and in *owner with whose rights its partitions are to be kept; not locked.  NULL in *problem,
 * or, with InvalidOid, why they cannot be: whoever has declared must still have the rights of the
 * table's owner, or what is made under an old name would lose its partitions.
 */
extern Oid	RecsysKeptPartitionsTable(const RecsysKeptPartitions *kept, Oid *owner, char **problem);

#endif							/* RECSYS_KEPTPARTITIONS_H */
