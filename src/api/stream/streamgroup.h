/*
 * streamgroup.h
 *	  The Kafka group that the consumers of a stream are in.
 */
#ifndef RECSYS_STREAMGROUP_H
#define RECSYS_STREAMGROUP_H

#include "postgres.h"

#include "utils/jsonb.h"

/* All groups of streams begin with it, so that Kafka can be told whose they are. */
#define RECSYS_STREAM_GROUP_PREFIX "recsys."

/*
 * What the declaration says (config, group.id), or a name that no copy of the database has: a copy that was
 * restored beside it would take half of its partitions.  Offsets do not come from the group, so it may
 * change at any time.
 */
extern char *RecsysStreamGroup(const char *stream, Jsonb *definition);

#endif							/* RECSYS_STREAMGROUP_H */
