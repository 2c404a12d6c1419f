/*
 * avrowalk.h
 *	  A message in Avro's binary encoding and the tree of paths, gone along together.
 *
 * The message is read by the schema that it was written with.  Members are fields of records and keys of
 * maps; unions are what they hold.  Decimals become numbers, dates and timestamps times, enums, UUIDs and
 * times of a day texts; records, arrays and maps as a whole JSON, in which bytes are hexadecimal.
 */
#ifndef RECSYS_AVROWALK_H
#define RECSYS_AVROWALK_H

#include "postgres_fe.h"

#include "pqexpbuffer.h"
#include "stream/record/avroschema.h"
#include "stream/record/pathtree.h"
#include "stream/record/textarena.h"

/*
 * Fills the tree's slots.  False: reason tells what is wrong; what is "payload" or "key".  Texts that the
 * message does not have as such are put into the arena.
 */
extern bool RecsysAvroWalk(RecsysPathTree *tree, const RecsysAvroSchema *schema, const char *bytes, size_t length,
						   const char *what, RecsysTextArena *arena, PQExpBuffer reason);

#endif							/* RECSYS_AVROWALK_H */
