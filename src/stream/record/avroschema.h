/*
 * avroschema.h
 *	  Schemas of Avro, from JSON to something that can be gone along with a message.
 *
 * Apache Avro 1.11's specification, sections "Schema Declaration", "Names" and "Logical Types".  Defaults,
 * aliases and the order of fields are not looked at: a message is read by the schema that it was written
 * with, and what it does not have is absent for the paths of a stream.
 */
#ifndef RECSYS_AVROSCHEMA_H
#define RECSYS_AVROSCHEMA_H

#include "postgres_fe.h"

#include "pqexpbuffer.h"

typedef enum RecsysAvroType
{
	RECSYS_AVRO_NULL,
	RECSYS_AVRO_BOOLEAN,
	RECSYS_AVRO_INT,
	RECSYS_AVRO_LONG,
	RECSYS_AVRO_FLOAT,
	RECSYS_AVRO_DOUBLE,
	RECSYS_AVRO_BYTES,
	RECSYS_AVRO_STRING,
	RECSYS_AVRO_FIXED,
	RECSYS_AVRO_ENUM,
	RECSYS_AVRO_ARRAY,
	RECSYS_AVRO_MAP,
	RECSYS_AVRO_RECORD,
	RECSYS_AVRO_UNION
} RecsysAvroType;

typedef enum RecsysAvroLogical
{
	RECSYS_AVRO_PLAIN,			/* none, or one that is not known, or not for that type */
	RECSYS_AVRO_DECIMAL,
	RECSYS_AVRO_UUID,			/* a fixed of 16 bytes; strings are what they are */
	RECSYS_AVRO_DATE,
	RECSYS_AVRO_TIME_MILLIS,
	RECSYS_AVRO_TIME_MICROS,
	RECSYS_AVRO_TIMESTAMP_MILLIS,	/* local ones, too: as if they were of UTC */
	RECSYS_AVRO_TIMESTAMP_MICROS,
	RECSYS_AVRO_TIMESTAMP_NANOS
} RecsysAvroLogical;

typedef struct RecsysAvroNode
{
	RecsysAvroType type;
	RecsysAvroLogical logical;
	int			scale;			/* of a decimal */
	int64		size;			/* of a fixed, bytes */
	char	   *name;			/* of a record, an enum or a fixed, with its namespace */
	int			count;			/* of what is below */
	char	  **names;			/* of fields or symbols */
	struct RecsysAvroNode **children;	/* of fields and branches; of elements, the only one */
} RecsysAvroNode;

typedef struct RecsysAvroSchema RecsysAvroSchema;

/* NULL, and the end of a sentence on the schema in fault, if it is none. */
extern RecsysAvroSchema *RecsysAvroSchemaParse(const char *json, size_t length, PQExpBuffer fault);
extern const RecsysAvroNode *RecsysAvroSchemaRoot(const RecsysAvroSchema *schema);
extern void RecsysAvroSchemaFree(RecsysAvroSchema *schema);

#endif							/* RECSYS_AVROSCHEMA_H */
