/*
 * avroscalar.h
 *	  Values of Avro's binary encoding that have no others in them.
 *
 * Apache Avro 1.11's specification, section "Binary Encoding".
 */
#ifndef RECSYS_AVROSCALAR_H
#define RECSYS_AVROSCALAR_H

#include "postgres_fe.h"

#include "stream/record/avroschema.h"
#include "stream/record/streamvalue.h"
#include "stream/record/textarena.h"

typedef struct RecsysAvroReader
{
	const char *start;
	const char *at;
	const char *end;
	const char *fault;			/* the end of a sentence on the message */
	RecsysTextArena *arena;
} RecsysAvroReader;

/* A zigzag number of at most ten bytes; false with a fault, as all below. */
extern bool RecsysAvroLong(RecsysAvroReader *reader, int64 *number);

/* As many bytes as the number before them says. */
extern bool RecsysAvroCounted(RecsysAvroReader *reader, const char **bytes, size_t *length);

/* A value of a type that is none of array, map, record and union. */
extern bool RecsysAvroScalar(RecsysAvroReader *reader, const RecsysAvroNode *node, RecsysStreamValue *value);

#endif							/* RECSYS_AVROSCALAR_H */
