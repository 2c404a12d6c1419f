/*
 * test_keys.c
 *	  Tests of core/rows/key and core/rows/dictionary.
 */
#include "core/rows/dictionary.h"
#include "generate.h"
#include "tap.h"

static RecsysKey
int_key(int64 number)
{
	RecsysKey	key = {number, NULL, sizeof(int64)};

	return key;
}

static RecsysKey
text_key(const char *data, uint32 len)
{
	RecsysKey	key = {0, data, len};

	return key;
}

/* A hash that is stored on disk must never change. */
static void
test_hash_is_stable(void)
{
	RecsysKey	number = int_key(123456789);
	RecsysKey	negative = int_key(-1);
	RecsysKey	empty = text_key("", 0);
	RecsysKey	word = text_key("milk", 4);
	RecsysKey	uuid = text_key("0123456789abcdef", 16);
	RecsysKey	sentence = text_key("the quick brown fox jumps over the lazy dog", 43);

	ok(RecsysKeyHash(RECSYS_KEY_INT, &number, 42) == UINT64CONST(0x8FDBBF7870CC1E7B), "hash of a number");
	ok(RecsysKeyHash(RECSYS_KEY_INT, &negative, 0) == UINT64CONST(0x8F6BC9BFDD0C3E37), "hash of a negative number");
	ok(RecsysKeyHash(RECSYS_KEY_TEXT, &empty, 42) == UINT64CONST(0xD5B545FA6485E0E9), "hash of the empty string");
	ok(RecsysKeyHash(RECSYS_KEY_TEXT, &word, 42) == UINT64CONST(0xBA1143C7E2C8A0B4), "hash of a short string");
	ok(RecsysKeyHash(RECSYS_KEY_UUID, &uuid, 42) == UINT64CONST(0x807CC7EC3C028143), "hash of 16 bytes");
	ok(RecsysKeyHash(RECSYS_KEY_TEXT, &sentence, 7) == UINT64CONST(0xDDA5EBF235C7E663), "hash of a long string");
}

/* Each input bit should change each output bit half of the time. */
static void
test_hash_mixes(void)
{
	Random		random;
	int			least = 1000000;
	int			most = 0;

	random_seed(&random, 3);
	for (int text = 0; text < 2; text++)
	{
		for (int bit = 0; bit < 64; bit++)
		{
			int			flips[64] = {0};

			for (int round = 0; round < 2000; round++)
			{
				char		bytes[24];
				uint64		word = random_bits(&random);
				RecsysKey	key;
				uint64		a;
				uint64		b;

				memset(bytes, 'x', sizeof(bytes));
				memcpy(bytes + 13, &word, 8);
				key = text ? text_key(bytes, 24) : int_key((int64) word);
				a = RecsysKeyHash(text ? RECSYS_KEY_TEXT : RECSYS_KEY_INT, &key, 42);
				word ^= UINT64CONST(1) << bit;
				memcpy(bytes + 13, &word, 8);
				key = text ? text_key(bytes, 24) : int_key((int64) word);
				b = RecsysKeyHash(text ? RECSYS_KEY_TEXT : RECSYS_KEY_INT, &key, 42);
				for (int x = 0; x < 64; x++)
					flips[x] += (int) ((a ^ b) >> x & 1);
			}
			for (int x = 0; x < 64; x++)
			{
				least = Min(least, flips[x]);
				most = Max(most, flips[x]);
			}
		}
	}
	ok(least > 800 && most < 1200, "every bit of a key changes every bit of its hash "
	   "in %d to %d of 2000 cases", least, most);
}

static void
test_key_order(void)
{
	static const struct
	{
		const char *a;
		uint32		a_len;
		const char *b;
		uint32		b_len;
		int			order;
	}			cases[] =
	{
		{"", 0, "", 0, 0},
		{"", 0, "a", 1, -1},
		{"a", 1, "a\0", 2, -1},
		{"a\0b", 3, "a\0c", 3, -1},
		{"b", 1, "a\xff", 2, 1},
		{"\x80", 1, "\x7f", 1, 1},
		{"abc", 3, "abc", 3, 0}
	};
	RecsysKey	least = int_key(PG_INT64_MIN);
	RecsysKey	most = int_key(PG_INT64_MAX);
	bool		right = true;

	for (int x = 0; x < (int) lengthof(cases); x++)
	{
		RecsysKey	a = text_key(cases[x].a, cases[x].a_len);
		RecsysKey	b = text_key(cases[x].b, cases[x].b_len);
		int			order = RecsysKeyCompare(RECSYS_KEY_TEXT, &a, &b);
		int			reverse = RecsysKeyCompare(RECSYS_KEY_TEXT, &b, &a);

		if ((order > 0) - (order < 0) != cases[x].order ||
			(reverse > 0) - (reverse < 0) != -cases[x].order)
			right = false;
		if (RecsysKeyEqualsStored(RECSYS_KEY_TEXT, &a, cases[x].b, cases[x].b_len) !=
			(cases[x].order == 0))
			right = false;
	}
	ok(right, "byte strings are ordered by memcmp and then length");
	ok(RecsysKeyCompare(RECSYS_KEY_INT, &least, &most) < 0 &&
	   RecsysKeyCompare(RECSYS_KEY_INT, &most, &least) > 0 &&
	   RecsysKeyCompare(RECSYS_KEY_INT, &most, &most) == 0, "numbers are ordered by value");
}

static void
test_key_store(void)
{
	char		place[32];
	RecsysKey	number = int_key(-77);
	RecsysKey	text = text_key("a\0b", 3);
	RecsysKey	loaded;

	RecsysKeyStore(RECSYS_KEY_INT, &number, place + 1);
	RecsysKeyLoad(RECSYS_KEY_INT, place + 1, 8, &loaded);
	ok(loaded.number == -77 && loaded.len == 8 &&
	   RecsysKeyEqualsStored(RECSYS_KEY_INT, &number, place + 1, 8),
	   "a number is stored and loaded, unaligned");
	RecsysKeyStore(RECSYS_KEY_TEXT, &text, place);
	RecsysKeyLoad(RECSYS_KEY_TEXT, place, 3, &loaded);
	ok(loaded.data == place && loaded.len == 3 && memcmp(place, "a\0b", 3) == 0 &&
	   RecsysKeyEqualsStored(RECSYS_KEY_TEXT, &text, place, 3),
	   "a byte string is stored and loaded");
}

void
test_keys(void)
{
	test_hash_is_stable();
	test_hash_mixes();
	test_key_order();
	test_key_store();
}

/* The n-th of a series of distinct keys; data needs room for 40 bytes. */
static RecsysKey
nth_key(RecsysKeyKind kind, uint32 n, char *data)
{
	uint32		len = 16;

	if (kind == RECSYS_KEY_INT)
		return int_key((int64) ((uint64) n * UINT64CONST(0x9E3779B97F4A7C15)));
	if (kind == RECSYS_KEY_TEXT)
	{
		/* the empty string, then strings with zero bytes and long common prefixes */
		if (n == 0)
			return text_key(data, 0);
		len = 5 + n % 30;
		if (n % 3 == 0)
			len = 13;
	}
	memset(data, n % 2 ? 0 : 'p', 40);
	memcpy(data + len - 4, &n, 4);
	if (kind == RECSYS_KEY_TEXT && n % 3 != 0)
		data[0] = 'q';
	return text_key(data, len);
}

static bool
order_is_right(const RecsysDictionary *dict, RecsysKeyKind kind, const uint32 *numbers,
			   bool by_hash)
{
	for (uint32 x = 1; x < RecsysDictionaryCount(dict); x++)
	{
		RecsysKey	a;
		RecsysKey	b;

		RecsysDictionaryKey(dict, numbers[x - 1], &a);
		RecsysDictionaryKey(dict, numbers[x], &b);
		if (by_hash && RecsysDictionaryHash(dict, numbers[x - 1]) !=
			RecsysDictionaryHash(dict, numbers[x]))
		{
			if (RecsysDictionaryHash(dict, numbers[x - 1]) > RecsysDictionaryHash(dict, numbers[x]))
				return false;
		}
		else if (RecsysKeyCompare(kind, &a, &b) >= 0)
			return false;
	}
	return true;
}

static void
test_one_dictionary(RecsysKeyKind kind, const char *name, uint32 n)
{
	Size		before = standalone_memory_now;
	RecsysDictionary *dict = RecsysDictionaryCreate(kind, 42);
	char		data[40];
	bool		interned = true;
	bool		found = true;
	bool		keys = true;
	bool		truthful = true;
	bool		absent = true;
	uint32	   *numbers;

	for (uint32 x = 0; x < n; x++)
	{
		RecsysKey	key = nth_key(kind, x, data);
		Size		memory = RecsysDictionaryMemory(dict);
		Size		growth = RecsysDictionaryGrowth(dict);

		if (x % 1000 == 0 && RecsysDictionaryFind(dict, &key) != RECSYS_NONE)
			absent = false;
		standalone_memory_peak = standalone_memory_now;
		if (RecsysDictionaryIntern(dict, &key) != x)
			interned = false;
		if (RecsysDictionaryMemory(dict) != standalone_memory_now - before ||
			standalone_memory_peak - before > memory + growth)
			truthful = false;
	}
	ok(interned && RecsysDictionaryCount(dict) == n, "%s dictionary: numbers in order "
	   "of appearance", name);
	ok(absent, "%s dictionary: absent keys are not found", name);
	ok(truthful, "%s dictionary: memory and growth are what is allocated", name);

	for (uint32 x = 0; x < n; x++)
	{
		RecsysKey	key = nth_key(kind, x, data);
		RecsysKey	stored;

		if (RecsysDictionaryFind(dict, &key) != x || RecsysDictionaryIntern(dict, &key) != x)
			found = false;
		RecsysDictionaryKey(dict, x, &stored);
		if (RecsysKeyCompare(kind, &key, &stored) != 0 || stored.len != key.len ||
			RecsysDictionaryHash(dict, x) != RecsysKeyHash(kind, &key, 42))
			keys = false;
	}
	ok(found, "%s dictionary: every key is found again", name);
	ok(keys, "%s dictionary: every number has its key and hash", name);

	numbers = RecsysDictionarySorted(dict);
	ok(order_is_right(dict, kind, numbers, false), "%s dictionary: order of the keys", name);
	pfree(numbers);
	numbers = RecsysDictionaryHashOrder(dict);
	ok(order_is_right(dict, kind, numbers, true), "%s dictionary: order of the hashes", name);
	pfree(numbers);
	RecsysDictionaryFree(dict);
	ok(standalone_memory_now == before, "%s dictionary: everything is freed", name);
}

void
test_dictionary(void)
{
	test_one_dictionary(RECSYS_KEY_INT, "integer", 1000000);
	test_one_dictionary(RECSYS_KEY_TEXT, "text", 1000000);
	test_one_dictionary(RECSYS_KEY_UUID, "uuid", 200000);
	test_one_dictionary(RECSYS_KEY_TEXT, "empty", 0);
	test_one_dictionary(RECSYS_KEY_INT, "tiny", 1);
}
