/*
 * schemaregistry.h
 *	  The schema that a message was written with, by the number that stands before it.
 *
 * Confluent's wire format: a null byte, the number of the schema in four bytes, high ones first, then the
 * message.  Schemas are fetched over HTTP (GET /schemas/ids/NUMBER) and kept: a number never changes its
 * meaning.
 *
 * The address is declared in the database; whom it may lead to, and with which credentials, is said by the
 * program's file: registry (may be there more than once: then it must be one of these), registry_user and
 * registry_password, which are sent to those registries only, and registry_ca, a file of certificates.
 */
#ifndef RECSYS_SCHEMAREGISTRY_H
#define RECSYS_SCHEMAREGISTRY_H

#include "postgres_fe.h"

#include "pqexpbuffer.h"
#include "stream/record/avroschema.h"
#include "stream/record/decoder.h"

typedef struct RecsysRegistry RecsysRegistry;

/* NULL, and one sentence in fault, if there can be none of that address. */
extern RecsysRegistry *RecsysRegistryCreate(const char *address, const RecsysStreamOption *secrets, int nsecrets,
											PQExpBuffer fault);
extern void RecsysRegistryFree(RecsysRegistry *registry);

/* RECSYS_VERDICT_ROWS: there it is.  Otherwise one sentence in reason. */
extern RecsysVerdict RecsysRegistrySchema(RecsysRegistry *registry, uint32 number,
										  const RecsysAvroSchema **schema, PQExpBuffer reason);

#endif							/* RECSYS_SCHEMAREGISTRY_H */
