/*
 * streamdefinition.h
 *	  A stream's definition: its parameters, checked and as they are kept.
 */
#ifndef RECSYS_STREAMDEFINITION_H
#define RECSYS_STREAMDEFINITION_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* The parameters of recsys.create_stream behind the first one, in their order */
#define RECSYS_STREAM_PARAMETERS 22
extern const char *const RecsysStreamParameters[RECSYS_STREAM_PARAMETERS];

/* What create_stream has of defaults in SQL, as who reads a definition without them sees it */
#define RECSYS_STREAM_MAX_ROWS 10000
#define RECSYS_STREAM_MAX_ERRORS 1000
#define RECSYS_STREAM_MAX_PENDING 1000000
#define RECSYS_STREAM_JOBS 2

/*
 * What is given for a stream, over the definition before, which is NULL for a new one; of that, parameters
 * to be reset (a list of C strings) have their defaults again.  Tables get their schemas.  All is checked,
 * with the rights of the owner where something could be run.
 */
extern Jsonb *RecsysMakeStream(const char *stream, Jsonb *given, Jsonb *before, List *reset, Oid owner);

/* The table of rejected messages; InvalidOid: recsys.stream_errors */
extern Oid	RecsysStreamErrorTable(Jsonb *definition);

/*
 * May rejected messages be kept as they are?  Not those of pseudonymous users, nor where users are asked
 * for consent: a message that is broken is rejected before it is known whether they have given it.
 */
extern bool RecsysStreamKeepsPayload(Jsonb *definition);

/* An interval of the definition in milliseconds; otherwise: if it has none */
extern int64 RecsysStreamMilliseconds(Jsonb *definition, const char *parameter, int64 otherwise);

/* Where to begin: earliest, latest, or milliseconds since 1970 */
extern char *RecsysStreamStart(Jsonb *definition);

#endif							/* RECSYS_STREAMDEFINITION_H */
