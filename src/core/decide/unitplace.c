/*
 * unitplace.c
 *	  Where a user or a session stands.
 *
 * Hashed are the purpose, the length of the name, the name and the unit, so no two triples are the
 * same string of bytes.  The hash is that of keys, which is part of the format of indexes and
 * reads bytes in one order everywhere; the server's own gives other numbers on a machine of the
 * other byte order, and may be changed with a version.
 */
#include "core/decide/unitplace.h"

#include "core/rows/key.h"

#define UNIT_SEED UINT64CONST(0x5EED0FA11A551678)

uint64
RecsysUnitHash(RecsysPlacePurpose purpose, const char *name, const char *unit)
{
	Size		name_length = strlen(name);
	Size		unit_length = strlen(unit);
	char	   *bytes = palloc(5 + name_length + unit_length);
	RecsysKey	key;
	uint64		hash;

	bytes[0] = (char) purpose;
	for (int i = 0; i < 4; i++)
		bytes[1 + i] = (char) (name_length >> (8 * i));
	memcpy(bytes + 5, name, name_length);
	memcpy(bytes + 5 + name_length, unit, unit_length);
	key.number = 0;
	key.data = bytes;
	key.len = (uint32) (5 + name_length + unit_length);
	hash = RecsysKeyHash(RECSYS_KEY_TEXT, &key, UNIT_SEED);
	pfree(bytes);
	return hash;
}

double
RecsysUnitPlace(RecsysPlacePurpose purpose, const char *name, const char *unit)
{
	return (double) (RecsysUnitHash(purpose, name, unit) >> 11) / 9007199254740992.0;
}
