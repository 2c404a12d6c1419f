/*
 * key.c
 *	  Hashing, order and stored form of user and item keys.
 *
 * The hash is part of the on-disk format, and an index must be found whatever
 * machine reads it next: words are put together from bytes explicitly in
 * little-endian order, and nothing depends on the width of a C type.
 *
 * Integers go through a bijective finalizer (two rounds of multiply and shift
 * with the seed entering twice), so different integers never share a hash.
 * Byte strings are consumed sixteen bytes at a time, each pair of words folded
 * into the state by one 64 x 64 -> 128 bit multiplication; the length enters
 * at the end, so that a string and the same string with zero bytes appended
 * differ.
 */
#include "core/rows/key.h"

#define HASH_MULTIPLIER_1 UINT64CONST(0x9E3779B97F4A7C15)
#define HASH_MULTIPLIER_2 UINT64CONST(0xD6E8FEB86659FD93)
#define HASH_MULTIPLIER_3 UINT64CONST(0xA0761D6478BD642F)
#define HASH_MULTIPLIER_4 UINT64CONST(0xE7037ED1A0B428DB)

/* High and low half of the 128-bit product, combined. */
static inline uint64
multiply_fold(uint64 a, uint64 b)
{
#ifdef __SIZEOF_INT128__
	unsigned __int128 product = (unsigned __int128) a * b;

	return (uint64) product ^ (uint64) (product >> 64);
#else
	uint64		a_low = a & 0xFFFFFFFF;
	uint64		a_high = a >> 32;
	uint64		b_low = b & 0xFFFFFFFF;
	uint64		b_high = b >> 32;
	uint64		low = a_low * b_low;
	uint64		middle_1 = a_high * b_low + (low >> 32);
	uint64		middle_2 = a_low * b_high + (middle_1 & 0xFFFFFFFF);
	uint64		high = a_high * b_high + (middle_1 >> 32) + (middle_2 >> 32);

	return ((middle_2 << 32) | (low & 0xFFFFFFFF)) ^ high;
#endif
}

/* Compilers turn this into one load where the byte order allows it. */
static inline uint64
load_word(const unsigned char *p)
{
	return (uint64) p[0] | (uint64) p[1] << 8 |
		(uint64) p[2] << 16 | (uint64) p[3] << 24 |
		(uint64) p[4] << 32 | (uint64) p[5] << 40 |
		(uint64) p[6] << 48 | (uint64) p[7] << 56;
}

static inline uint64
hash_number(int64 number, uint64 seed)
{
	uint64		x = (uint64) number ^ (seed * HASH_MULTIPLIER_1);

	x ^= x >> 32;
	x *= HASH_MULTIPLIER_2;
	x += seed;
	x ^= x >> 29;
	x *= HASH_MULTIPLIER_1;
	x ^= x >> 32;
	return x;
}

static uint64
hash_bytes(const unsigned char *data, uint32 len, uint64 seed)
{
	uint64		state = multiply_fold(seed ^ HASH_MULTIPLIER_3, HASH_MULTIPLIER_1);
	uint32		rest = len;
	unsigned char tail[16] = {0};

	while (rest > 16)
	{
		state = multiply_fold(load_word(data) ^ HASH_MULTIPLIER_2 ^ seed,
							  load_word(data + 8) ^ state);
		data += 16;
		rest -= 16;
	}
	if (rest > 0)
		memcpy(tail, data, rest);
	state = multiply_fold(load_word(tail) ^ HASH_MULTIPLIER_3 ^ seed,
						  load_word(tail + 8) ^ state);
	return multiply_fold(state ^ HASH_MULTIPLIER_4, (uint64) len ^ HASH_MULTIPLIER_2);
}

uint64
RecsysKeyHash(RecsysKeyKind kind, const RecsysKey *key, uint64 seed)
{
	if (kind == RECSYS_KEY_INT)
		return hash_number(key->number, seed);
	return hash_bytes((const unsigned char *) key->data, key->len, seed);
}

int
RecsysKeyCompare(RecsysKeyKind kind, const RecsysKey *a, const RecsysKey *b)
{
	uint32		shorter;
	int			order = 0;

	if (kind == RECSYS_KEY_INT)
		return (a->number > b->number) - (a->number < b->number);

	shorter = Min(a->len, b->len);
	if (shorter > 0)
		order = memcmp(a->data, b->data, shorter);
	if (order != 0)
		return order;
	return (a->len > b->len) - (a->len < b->len);
}

void
RecsysKeyStore(RecsysKeyKind kind, const RecsysKey *key, char *dest)
{
	if (kind == RECSYS_KEY_INT)
		memcpy(dest, &key->number, sizeof(int64));
	else if (key->len > 0)
		memcpy(dest, key->data, key->len);
}

void
RecsysKeyLoad(RecsysKeyKind kind, const char *src, uint32 len, RecsysKey *key)
{
	if (kind == RECSYS_KEY_INT)
	{
		Assert(len == sizeof(int64));
		memcpy(&key->number, src, sizeof(int64));
		key->data = NULL;
	}
	else
	{
		key->number = 0;
		key->data = src;
	}
	key->len = len;
}

bool
RecsysKeyEqualsStored(RecsysKeyKind kind, const RecsysKey *key,
					  const char *src, uint32 len)
{
	if (kind == RECSYS_KEY_INT)
	{
		int64		stored;

		Assert(len == sizeof(int64));
		memcpy(&stored, src, sizeof(int64));
		return stored == key->number;
	}
	return len == key->len && (len == 0 || memcmp(src, key->data, len) == 0);
}
