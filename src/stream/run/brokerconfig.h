/*
 * brokerconfig.h
 *	  librdkafka's configuration of a stream: what is declared, what the file adds, what must be.
 */
#ifndef RECSYS_BROKERCONFIG_H
#define RECSYS_BROKERCONFIG_H

#include <librdkafka/rdkafka.h>

#include "pqexpbuffer.h"
#include "stream/record/streamsettings.h"
#include "stream/run/programfile.h"

/* For the process of number job; NULL, and a sentence in fault, if it cannot be. */
extern rd_kafka_conf_t *RecsysBrokerConfig(const RecsysStreamSettings *settings, const RecsysProgramFile *file,
										   int job, PQExpBuffer fault);

#endif							/* RECSYS_BROKERCONFIG_H */
