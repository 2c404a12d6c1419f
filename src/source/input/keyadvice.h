/*
 * keyadvice.h
 *	  What to write in the place of a column whose type cannot be a key.
 */
#ifndef RECSYS_KEYADVICE_H
#define RECSYS_KEYADVICE_H

#include "postgres.h"

/* For errdetail(): what can be a key. */
#define RECSYS_KEY_TYPES \
	"User and item must be smallint, integer, bigint, text, varchar, char(n), name, uuid or an enum."

/*
 * An expression over column, which is SQL already, that is a key and that an index
 * takes.  NULL when there is none for the type.
 */
extern char *RecsysKeyExpression(Oid type, const char *column);

#endif							/* RECSYS_KEYADVICE_H */
