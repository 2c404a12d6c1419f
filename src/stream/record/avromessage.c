/*
 * avromessage.c
 *	  Which schema a message of Avro was written with, and its values by that.
 *
 * Apache's library for C (avro-c 1.11.1) is not used, after it was tried.  It keeps nothing of a schema's
 * logicalType: what it parses is written back as {"type": "long"} for a timestamp and {"type": "bytes"} for
 * a decimal.  So the JSON of schemas would still have to be read here, and be laid beside what the library
 * has made of it, node by node.  And messages come from others: avro_value_read() takes 20 bytes that
 * announce an array of 2^27 nulls for one and fills 500 MB with it, goes on for 2^40 until it gets no more
 * memory, and overflows a stack of 8 MB in 30 kB of a record within itself.  With the callbacks of
 * avro_consume_binary() all of that can be refused, but by limits that are the caller's, as they are here;
 * the count that they are told has 32 bits (2^40 items are announced as 0).  Bytes that are longer than
 * their message it refuses.
 */
#include "stream/record/avromessage.h"

#include "stream/record/avroschema.h"
#include "stream/record/avrowalk.h"
#include "stream/record/schemaregistry.h"

/* Confluent's wire format: a null byte and the number of the schema */
#define FRAME 5

struct RecsysAvro
{
	RecsysAvroSchema *schema;
	RecsysRegistry *registry;
	RecsysTextArena *arena;
};

static bool
take_schema(RecsysAvro *avro, const char *json, PQExpBuffer fault)
{
	PQExpBuffer why = createPQExpBuffer();

	avro->schema = RecsysAvroSchemaParse(json, strlen(json), why);
	if (avro->schema == NULL)
		appendPQExpBuffer(fault, "The option schema %s.", why->data);
	destroyPQExpBuffer(why);
	return avro->schema != NULL;
}

RecsysAvro *
RecsysAvroCreate(const RecsysStreamSettings *settings, const RecsysStreamOption *secrets, int nsecrets,
				 PQExpBuffer fault)
{
	RecsysAvro *avro = pg_malloc0(sizeof(RecsysAvro));
	bool		valid = true;
	bool		any = false;

	avro->arena = RecsysTextArenaCreate();
	for (int i = 0; i < settings->noptions && valid; i++)
	{
		const RecsysStreamOption *option = &settings->options[i];

		any = true;
		if (strcmp(option->name, "schema") == 0)
			valid = take_schema(avro, option->value, fault);
		else if (strcmp(option->name, "registry") == 0)
		{
			avro->registry = RecsysRegistryCreate(option->value, secrets, nsecrets, fault);
			valid = avro->registry != NULL;
		}
	}
	if (valid && any)
		return avro;
	if (valid)
		appendPQExpBufferStr(fault, "A stream of Avro needs the option registry or the option schema.");
	RecsysAvroFree(avro);
	return NULL;
}

void
RecsysAvroFree(RecsysAvro *avro)
{
	if (avro == NULL)
		return;
	RecsysAvroSchemaFree(avro->schema);
	RecsysRegistryFree(avro->registry);
	RecsysTextArenaFree(avro->arena);
	pg_free(avro);
}

void
RecsysAvroBegin(RecsysAvro *avro)
{
	RecsysTextArenaReset(avro->arena);
}

bool
RecsysAvroIsFramed(const RecsysAvro *avro, const char *bytes, size_t length)
{
	return avro->registry != NULL && length >= FRAME && bytes[0] == '\0';
}

RecsysVerdict
RecsysAvroRead(RecsysAvro *avro, RecsysPathTree *tree, const char *bytes, size_t length, const char *what,
			   PQExpBuffer reason)
{
	const RecsysAvroSchema *schema = avro->schema;
	RecsysVerdict verdict = RECSYS_VERDICT_ROWS;

	if (RecsysAvroIsFramed(avro, bytes, length))
	{
		uint32		number = 0;

		for (int i = 1; i < FRAME; i++)
			number = (number << 8) | (unsigned char) bytes[i];
		verdict = RecsysRegistrySchema(avro->registry, number, &schema, reason);
		bytes += FRAME;
		length -= FRAME;
	}
	else if (schema == NULL)
	{
		appendPQExpBuffer(reason, "The %s does not begin with the number of a schema.", what);
		verdict = RECSYS_VERDICT_REJECTED;
	}
	if (verdict == RECSYS_VERDICT_ROWS &&
		!RecsysAvroWalk(tree, schema, bytes, length, what, avro->arena, reason))
		verdict = RECSYS_VERDICT_REJECTED;
	return verdict;
}
