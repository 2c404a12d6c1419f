/*
 * slotplaces.h
 *	  Where slots stand in an array: a hash table from slot to place.
 */
#ifndef RECSYS_SLOTPLACES_H
#define RECSYS_SLOTPLACES_H

#include "postgres.h"

#include "common/hashfn.h"

typedef struct PlaceEntry
{
	uint32		slot;
	int			place;
	char		status;
} PlaceEntry;

#define SH_PREFIX places
#define SH_ELEMENT_TYPE PlaceEntry
#define SH_KEY_TYPE uint32
#define SH_KEY slot
#define SH_HASH_KEY(tb, key) murmurhash32(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#endif							/* RECSYS_SLOTPLACES_H */
