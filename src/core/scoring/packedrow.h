/*
 * packedrow.h
 *	  The neighbors of a row as bytes: as few as hold them exactly (on-disk format!).
 *
 * A row has two parts.  The serving part is all that scoring needs, and nothing else: the scores
 * of the neighbors that are shown, as floats, then their item numbers.  The rest has scores and
 * item numbers of the spare neighbors, then all supports.  Item numbers take 2, 3 or 4 bytes,
 * supports 1 to 4: as many as the largest of the row needs.  Of the 12 bytes that a neighbor is
 * in memory, 8 are left in a catalogue of up to 65,536 items where supports are below that, and 6
 * of them are read to serve.  Nothing is rounded.
 *
 * Numbers of 3 bytes have the lowest byte first; all others are in native byte order.
 */
#ifndef RECSYS_PACKEDROW_H
#define RECSYS_PACKEDROW_H

#include "core/base/platform.h"

/* Bits 0 and 1: bytes of an item number - 1; bits 2 and 3: bytes of a support - 1 */
typedef uint8 RecsysPackForm;

#define RECSYS_PACK_PEER_WIDTH(form) (((form) & 3) + 1)
#define RECSYS_PACK_SUPPORT_WIDTH(form) (((form) >> 2 & 3) + 1)
#define RECSYS_PACK_FORM_BITS 0x0F

/* No row has item numbers of a single byte. */
#define RECSYS_PACK_FORM_IS_SANE(form) (RECSYS_PACK_PEER_WIDTH(form) > 1)

/* The form with fewest bytes */
extern RecsysPackForm RecsysPackFormOf(const uint32 *peers, const uint32 *supports, int n);

static inline Size
RecsysPackServingSize(RecsysPackForm form, int shown)
{
	return (Size) shown * (sizeof(float) + RECSYS_PACK_PEER_WIDTH(form));
}

/* Of a row that stores so many neighbors, spare ones included */
static inline Size
RecsysPackRestSize(RecsysPackForm form, int shown, int stored)
{
	return (Size) (stored - shown) * (sizeof(float) + RECSYS_PACK_PEER_WIDTH(form)) +
		(Size) stored * RECSYS_PACK_SUPPORT_WIDTH(form);
}

/* The bytes need not be aligned. */
extern void RecsysPackRow(RecsysPackForm form, const uint32 *peers, const float *scores,
						  const uint32 *supports, int shown, int stored, char *serving, char *rest);
extern void RecsysUnpackRow(RecsysPackForm form, const char *serving, const char *rest, int shown,
							int stored, uint32 *peers, float *scores, uint32 *supports);

/* Item numbers of a serving part whose numbers do not stand in 2 bytes, or are not aligned */
extern void RecsysUnpackPeers(RecsysPackForm form, const char *serving, int shown, uint32 *peers);

#endif							/* RECSYS_PACKEDROW_H */
