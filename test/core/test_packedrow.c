/*
 * test_packedrow.c
 *	  Tests of core/scoring/packedrow: what is packed comes back as it was, to the last bit.
 */
#include "core/scoring/packedrow.h"
#include "generate.h"
#include "tap.h"

#define MOST 600

static const uint32 peer_limits[] = {2, 256, 65536, 65537, 1u << 24, (1u << 24) + 1, 0xFFFFFFFF};
static const uint32 support_limits[] = {1, 256, 257, 65536, 65537, 1u << 24, (1u << 24) + 1, 0xFFFFFFFF};

/* Any bits at all: infinities, subnormal numbers and others that are none, too */
static float
any_float(Random *random)
{
	static const uint32 extremes[] = {0, 1, 0x007FFFFF, 0x00800000, 0x3F800000, 0x7F7FFFFF, 0x7F800000,
	0x80000000, 0xFF7FFFFF, 0x7FC00001};
	uint32		bits = random_bits(random) % 4 == 0 ?
		extremes[random_bits(random) % lengthof(extremes)] : (uint32) random_bits(random);
	float		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static int
bytes_of(uint32 largest)
{
	return largest < 256 ? 1 : largest < 65536 ? 2 : largest < 1 << 24 ? 3 : 4;
}

/* One row, at any alignment, with bytes around it that must stay */
static bool
row_returns(Random *random, uint32 peer_limit, uint32 support_limit, int shown, int stored)
{
	uint32		peers[MOST];
	float		scores[MOST];
	uint32		supports[MOST];
	uint32		peers_back[MOST];
	uint32		shown_back[MOST];
	float		scores_back[MOST];
	uint32		supports_back[MOST];
	uint32		largest_peer = 0;
	uint32		largest_support = 0;
	char	   *memory = palloc0(MOST * 12 + 16);
	char	   *serving = memory + 1 + random_bits(random) % 4;
	char	   *rest;
	RecsysPackForm form;
	bool		right;

	for (int x = 0; x < stored; x++)
	{
		peers[x] = (uint32) random_bits(random) % peer_limit;
		supports[x] = (uint32) random_bits(random) % support_limit;
		scores[x] = any_float(random);
		largest_peer = peers[x] > largest_peer ? peers[x] : largest_peer;
		largest_support = supports[x] > largest_support ? supports[x] : largest_support;
	}
	form = RecsysPackFormOf(peers, supports, stored);
	rest = serving + RecsysPackServingSize(form, shown) + 1;
	serving[-1] = 77;
	rest[-1] = 78;
	rest[RecsysPackRestSize(form, shown, stored)] = 79;
	RecsysPackRow(form, peers, scores, supports, shown, stored, serving, rest);
	RecsysUnpackRow(form, serving, rest, shown, stored, peers_back, scores_back, supports_back);
	RecsysUnpackPeers(form, serving, shown, shown_back);
	right = RECSYS_PACK_FORM_IS_SANE(form) && (form & ~RECSYS_PACK_FORM_BITS) == 0 &&
		RECSYS_PACK_PEER_WIDTH(form) == (bytes_of(largest_peer) < 2 ? 2 : bytes_of(largest_peer)) &&
		RECSYS_PACK_SUPPORT_WIDTH(form) == bytes_of(largest_support) &&
		serving[-1] == 77 && rest[-1] == 78 &&
		rest[RecsysPackRestSize(form, shown, stored)] == 79 &&
		memcmp(peers, peers_back, sizeof(uint32) * stored) == 0 &&
		memcmp(peers, shown_back, sizeof(uint32) * shown) == 0 &&
		memcmp(scores, scores_back, sizeof(float) * stored) == 0 &&
		memcmp(supports, supports_back, sizeof(uint32) * stored) == 0;
	pfree(memory);
	return right;
}

void
test_packedrow(void)
{
	Random		random = {20};
	bool		right = true;

	for (int peers = 0; peers < (int) lengthof(peer_limits); peers++)
		for (int supports = 0; supports < (int) lengthof(support_limits); supports++)
			for (int round = 0; round < 40; round++)
			{
				int			stored = (int) (random_bits(&random) % (round % 2 == 0 ? 8 : MOST));
				int			shown = (int) (random_bits(&random) % (stored + 1));

				right = right && row_returns(&random, peer_limits[peers], support_limits[supports],
											 shown, stored);
			}
	ok(right, "rows of all widths, any floats: unpacked, they are what was packed");
	ok(RecsysPackFormOf(NULL, NULL, 0) == 1 && RecsysPackServingSize(1, 0) == 0 &&
	   RecsysPackRestSize(1, 0, 0) == 0, "a row without neighbors takes no bytes");
}
