/*
 * assigned.h
 *	  The partitions of a process: given and taken by the group, claimed in the database, fetched.
 *
 * Two truths meet here.  The group says who is to read a partition; it may say so too late, or to two at
 * once.  The database says where reading stands and who may move it on: only whoever has the epoch, which
 * each claim raises, and only from the offset where it stands.  The group is for sharing the work; nothing
 * depends on it being right.
 */
#ifndef RECSYS_ASSIGNED_H
#define RECSYS_ASSIGNED_H

#include <librdkafka/rdkafka.h>
#include <signal.h>

#include "stream/run/database.h"

typedef enum RecsysPartitionStep
{
	RECSYS_PARTITION_CLAIM,		/* to be claimed in the database, not before claim_at */
	RECSYS_PARTITION_FETCH,		/* claimed, and in librdkafka's hands */
	RECSYS_PARTITION_LOST		/* its log is another one than was read: waits for seek_stream() */
} RecsysPartitionStep;

/* The last message that was consumed, by which the log is known again */
typedef struct RecsysLastMessage
{
	int64		offset;			/* -1: there was none */
	int64		timestamp;
	int64		checksum;
} RecsysLastMessage;

typedef struct RecsysPartition
{
	int32		id;
	RecsysPartitionStep step;
	bool		revoked;		/* the group wants it back, as soon as the batch is written */
	bool		given_again;	/* ... and has given it once more */
	int64		claim_at;		/* RecsysNow() */
	int			failures;		/* claims that have failed in a row */
	int			short_log;		/* how often its log was found to end too early */

	/* as of the last claim or advance: what the database has */
	bool		claimed;
	char	   *seek;			/* where to begin if committed is -1: earliest, latest or milliseconds since 1970 */
	int64		epoch;
	int64		committed;		/* the next offset */
	RecsysLastMessage last;

	/* where this process is */
	int64		position;		/* messages before it are in the batch, or written, or none of ours */
	bool		verifying;		/* the first message must be the last one of the database */
	bool		at_end;			/* it was read to its end */
	int64		high_watermark; /* -1: not known */
	int64		fetched_high;	/* the same as fetches have shown it since the last claim, or -1 */
	int64		told_broker;	/* offset that the broker has been told */
	int64		told;			/* high watermark that the database has been told */

	/* of the piece of a batch that is written now */
	bool		involved;
	int64		piece_next;
	int			piece_last;		/* number of its last message, or -1 */
	RecsysLastMessage piece_end;	/* the last message that the database will know */
	int64		piece_messages;
	int64		piece_rejected;
} RecsysPartition;

/* Where fetching begins */
static inline int64
RecsysFetchOffset(const RecsysPartition *partition)
{
	return partition->verifying ? partition->last.offset : partition->position;
}

typedef struct RecsysAssignment
{
	rd_kafka_t *broker;
	RecsysDatabase *database;
	const char *stream;
	int64		version;		/* of the declaration: a claim fails when there is a newer one */
	const char *topic;
	const char *consumer;		/* who claims */
	RecsysPartition **partitions;	/* those that the group has given, in no order */
	int			npartitions;
	bool		given;			/* the group has given something once, if only nothing */
	bool		revoking;		/* librdkafka waits for the partitions that are marked so */
	bool		closing;		/* partitions are given back at once */
	bool		paused;
	int64		patience;		/* milliseconds that the group may take to give partitions anew */
	int64		hang_at;		/* it should have given something by then; 0: nothing is awaited */
	bool		telling;		/* a commit of offsets to the broker is under way */
	int64		trouble_at;		/* when the broker was last in trouble */
	bool		outdated;		/* the declaration has changed, or the stream does not run any more */
	volatile sig_atomic_t suspicious;	/* librdkafka has lost sight of a log; set by its threads */
	char		problem[512];	/* the last one, for the stream's last message; empty if none */
	char		reported[256];	/* what librdkafka has said of connections last */
} RecsysAssignment;

/* librdkafka's callback; the configuration's opaque is the RecsysAssignment. */
extern void RecsysRebalance(rd_kafka_t *broker, rd_kafka_resp_err_t kind, rd_kafka_topic_partition_list_t *list,
							void *opaque);

extern RecsysPartition *RecsysFindPartition(RecsysAssignment *assignment, int32 id);

/* Gives back what the group wants.  No message of it may be in the batch. */
extern void RecsysGiveBack(RecsysAssignment *assignment);

/* Is there a partition to be claimed now?  Then the batch has to be written first. */
extern bool RecsysHasToClaim(const RecsysAssignment *assignment);

/* Claims them, and fetches what can be.  false if the database's connection is lost. */
extern bool RecsysClaimPartitions(RecsysAssignment *assignment);

/* All partitions are read anew from where the database says, after some milliseconds. */
extern void RecsysRewindAll(RecsysAssignment *assignment, int delay);
extern void RecsysRewind(RecsysAssignment *assignment, RecsysPartition *partition, int delay);

/* The partition's log is another one: it stands still, and the database is told why. */
extern void RecsysLosePartition(RecsysAssignment *assignment, RecsysPartition *partition, const char *format,...)
			pg_attribute_printf(3, 4);

/* The last problem, which the next heartbeat tells the database; logged, unless it is the one before. */
extern void RecsysNoteProblem(RecsysAssignment *assignment, const char *format,...) pg_attribute_printf(2, 3);

/* Fetching stops; what is handed out all the same may be thrown away.  It goes on at each partition's position. */
extern void RecsysPauseFetching(RecsysAssignment *assignment);
extern void RecsysResumeFetching(RecsysAssignment *assignment);

/* High watermarks as librdkafka knows them */
extern void RecsysNoteWatermarks(RecsysAssignment *assignment);

/*
 * Tells the broker where reading stands, for those who watch the lag there; nothing depends on it.
 * RecsysBrokerTold() is librdkafka's callback of what has become of that.
 */
extern void RecsysBrokerTold(rd_kafka_t *broker, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *list,
							 void *opaque);
extern void RecsysTellBroker(RecsysAssignment *assignment);

#endif							/* RECSYS_ASSIGNED_H */
