/*
 * corrupted.h
 *	  The error that tells of a damaged index, and how to build it anew.
 */
#ifndef RECSYS_CORRUPTED_H
#define RECSYS_CORRUPTED_H

#include "postgres.h"

#include "compat.h"
#include "utils/rel.h"

/*
 * Both raise ERRCODE_INDEX_CORRUPTED with the command that mends the index as a hint.
 * They may be called with pages locked; the locks go with the error.
 */
pg_noreturn extern void RecsysCorrupted(Relation index, const char *format,...)
			pg_attribute_printf(2, 3);

/* The message as it is, and a detail. */
pg_noreturn extern void RecsysCorruptedDetail(Relation index, const char *message,
											  const char *format,...)
			pg_attribute_printf(3, 4);

#endif							/* RECSYS_CORRUPTED_H */
