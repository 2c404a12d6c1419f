/*
 * session.h
 *	  A consumer's session in the database: made, made again, and what is said in it besides batches.
 */
#ifndef RECSYS_SESSION_H
#define RECSYS_SESSION_H

#include "stream/run/consumer.h"

/*
 * Connects, reads the declaration (which must not have changed, if it was read before) and takes the
 * owner's role.  false: not now, or consumer->ended.
 */
extern bool RecsysOpenSession(RecsysConsumer *consumer);

/* Tells the database that the process lives, how far the logs go and what went wrong, if that is due. */
extern void RecsysHeartbeat(RecsysConsumer *consumer, bool now);

/* The stream cannot go on until somebody changes something: state failed. */
extern void RecsysFailStream(RecsysConsumer *consumer, const char *message);

/* Nobody reads these partitions any more, for those who look. */
extern void RecsysReleasePartitions(RecsysConsumer *consumer);

/* What the database has answered: does the stream run, is the declaration the same? */
extern void RecsysHeedAnswer(RecsysConsumer *consumer);

#endif							/* RECSYS_SESSION_H */
