/*
 * avromessage.h
 *	  Which schema a message of Avro was written with, and its values by that.
 */
#ifndef RECSYS_AVROMESSAGE_H
#define RECSYS_AVROMESSAGE_H

#include "postgres_fe.h"

#include "pqexpbuffer.h"
#include "stream/record/decoder.h"
#include "stream/record/pathtree.h"

typedef struct RecsysAvro RecsysAvro;

/*
 * From the options of a stream: registry, which has the schemas of messages in Confluent's wire format,
 * and schema, that of messages that are nothing but their values.  With both, a message that begins with a
 * null byte is taken for one of the registry.  NULL, and one sentence in fault, if there is neither.
 */
extern RecsysAvro *RecsysAvroCreate(const RecsysStreamSettings *settings, const RecsysStreamOption *secrets,
									int nsecrets, PQExpBuffer fault);
extern void RecsysAvroFree(RecsysAvro *avro);

/* Texts of the message before are forgotten. */
extern void RecsysAvroBegin(RecsysAvro *avro);

/* Fills the tree's slots, or gives a reason; what is "payload" or "key". */
extern RecsysVerdict RecsysAvroRead(RecsysAvro *avro, RecsysPathTree *tree, const char *bytes, size_t length,
									const char *what, PQExpBuffer reason);

/* Is it in Confluent's wire format, and is there a registry for that? */
extern bool RecsysAvroIsFramed(const RecsysAvro *avro, const char *bytes, size_t length);

#endif							/* RECSYS_AVROMESSAGE_H */
