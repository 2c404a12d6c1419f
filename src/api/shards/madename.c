/*
 * madename.c
 *	  Names of the functions that recsys.distribute() makes.
 *
 * Each is the name of what it is made for, and a last word.  Names that leave no room for the word
 * are cut, and have a hash of the whole name before the word: those that begin alike stay apart.
 * An index and a declared recommender may be of one name, so they have no word in common.  No word
 * has an underscore: it is what stands behind the last one that tells them apart.
 */
#include "postgres.h"

#include "api/shards/madename.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

/* Bytes of an underscore and a hash */
#define HASH_ROOM 9

char *
RecsysMadeFunction(const char *schema, const char *name, const char *word)
{
	int			length = (int) strlen(name);
	int			room = NAMEDATALEN - 2 - (int) strlen(word);
	uint32		hash;

	if (length <= room)
		return quote_qualified_identifier(schema, psprintf("%s_%s", name, word));
	hash = hash_bytes((const unsigned char *) name, length);
	return quote_qualified_identifier(schema,
									  psprintf("%.*s_%08x_%s", pg_mbcliplen(name, length, room - HASH_ROOM),
											   name, hash, word));
}
