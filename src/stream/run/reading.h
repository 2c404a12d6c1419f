/*
 * reading.h
 *	  Messages from librdkafka into the batch.
 */
#ifndef RECSYS_READING_H
#define RECSYS_READING_H

#include "stream/run/consumer.h"

/* Is there a batch that is full, or whose first message has waited long enough? */
extern bool RecsysBatchIsDue(const RecsysConsumer *consumer, int64 now);

/* Takes what has arrived, waiting for it at most so many milliseconds; returns early when there is other work. */
extern void RecsysRead(RecsysConsumer *consumer, int wait);

/*
 * While the process waits for something else: nothing is fetched, and librdkafka sees that the process
 * lives.  What it hands out all the same is thrown away: RecsysResumeFetching() has it read anew.
 */
extern void RecsysKeepPlace(void *consumer);

#endif							/* RECSYS_READING_H */
