/*
 * joining.h
 *	  A consumer of librdkafka, made for a stream and joined to its group.
 */
#ifndef RECSYS_JOINING_H
#define RECSYS_JOINING_H

#include "stream/run/consumer.h"

/* Makes the decoder and the consumer.  false, and consumer->ended, if the configuration does not allow it. */
extern bool RecsysMakeConsumer(RecsysConsumer *consumer);

/* Tells the database which partitions there are, and joins the group.  false: not now. */
extern bool RecsysJoinGroup(RecsysConsumer *consumer);

#endif							/* RECSYS_JOINING_H */
