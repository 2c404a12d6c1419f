/*
 * packedrow.c
 *	  The neighbors of a row as bytes: as few as hold them exactly (on-disk format!).
 */
#include "core/scoring/packedrow.h"

static int
width_of(uint32 bits)
{
	return bits >> 24 != 0 ? 4 : bits >> 16 != 0 ? 3 : bits >> 8 != 0 ? 2 : 1;
}

RecsysPackForm
RecsysPackFormOf(const uint32 *peers, const uint32 *supports, int n)
{
	uint32		peer_bits = 0;
	uint32		support_bits = 0;
	int			peer_width;

	for (int x = 0; x < n; x++)
	{
		peer_bits |= peers[x];
		support_bits |= supports[x];
	}
	peer_width = width_of(peer_bits);
	if (peer_width < 2)
		peer_width = 2;
	return (RecsysPackForm) ((peer_width - 1) | (width_of(support_bits) - 1) << 2);
}

static char *
pack_numbers(int width, const uint32 *numbers, int n, char *bytes)
{
	switch (width)
	{
		case 1:
			for (int x = 0; x < n; x++)
				bytes[x] = (char) (uint8) numbers[x];
			break;
		case 2:
			for (int x = 0; x < n; x++)
			{
				uint16		number = (uint16) numbers[x];

				memcpy(bytes + 2 * x, &number, 2);
			}
			break;
		case 3:
			for (int x = 0; x < n; x++)
			{
				bytes[3 * x] = (char) (uint8) numbers[x];
				bytes[3 * x + 1] = (char) (uint8) (numbers[x] >> 8);
				bytes[3 * x + 2] = (char) (uint8) (numbers[x] >> 16);
			}
			break;
		default:
			if (n > 0)
				memcpy(bytes, numbers, sizeof(uint32) * n);
	}
	return bytes + width * n;
}

RECSYS_VECTORIZE static const char *
unpack_numbers(int width, const char *bytes, int n, uint32 *numbers)
{
	const uint8 *unsigned_bytes = (const uint8 *) bytes;

	switch (width)
	{
		case 1:
			for (int x = 0; x < n; x++)
				numbers[x] = unsigned_bytes[x];
			break;
		case 2:
			for (int x = 0; x < n; x++)
			{
				uint16		number;

				memcpy(&number, bytes + 2 * x, 2);
				numbers[x] = number;
			}
			break;
		case 3:
			for (int x = 0; x < n; x++)
				numbers[x] = unsigned_bytes[3 * x] | (uint32) unsigned_bytes[3 * x + 1] << 8 |
					(uint32) unsigned_bytes[3 * x + 2] << 16;
			break;
		default:
			if (n > 0)
				memcpy(numbers, bytes, sizeof(uint32) * n);
	}
	return bytes + width * n;
}

void
RecsysPackRow(RecsysPackForm form, const uint32 *peers, const float *scores,
			  const uint32 *supports, int shown, int stored, char *serving, char *rest)
{
	int			width = RECSYS_PACK_PEER_WIDTH(form);
	int			spare = stored - shown;

	if (shown > 0)
		memcpy(serving, scores, sizeof(float) * shown);
	(void) pack_numbers(width, peers, shown, serving + sizeof(float) * shown);
	if (spare > 0)
		memcpy(rest, scores + shown, sizeof(float) * spare);
	rest = pack_numbers(width, peers + shown, spare, rest + sizeof(float) * spare);
	(void) pack_numbers(RECSYS_PACK_SUPPORT_WIDTH(form), supports, stored, rest);
}

void
RecsysUnpackPeers(RecsysPackForm form, const char *serving, int shown, uint32 *peers)
{
	(void) unpack_numbers(RECSYS_PACK_PEER_WIDTH(form), serving + sizeof(float) * shown, shown,
						  peers);
}

void
RecsysUnpackRow(RecsysPackForm form, const char *serving, const char *rest, int shown, int stored,
				uint32 *peers, float *scores, uint32 *supports)
{
	int			spare = stored - shown;

	if (shown > 0)
		memcpy(scores, serving, sizeof(float) * shown);
	RecsysUnpackPeers(form, serving, shown, peers);
	if (spare > 0)
		memcpy(scores + shown, rest, sizeof(float) * spare);
	rest = unpack_numbers(RECSYS_PACK_PEER_WIDTH(form), rest + sizeof(float) * spare, spare,
						  peers + shown);
	(void) unpack_numbers(RECSYS_PACK_SUPPORT_WIDTH(form), rest, stored, supports);
}
