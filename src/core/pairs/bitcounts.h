/*
 * bitcounts.h
 *	  How many users have each of 512 items, counted in columns of bits.
 */
#ifndef RECSYS_BITCOUNTS_H
#define RECSYS_BITCOUNTS_H

#include "core/base/platform.h"

/* Items in a block, and the words of 64 bits that each user has there. */
#define RECSYS_BLOCK_ITEMS 512
#define RECSYS_BLOCK_WORDS (RECSYS_BLOCK_ITEMS / 64)

/* Where blocks have to begin. */
#define RECSYS_BLOCK_ALIGNMENT 64

/*
 * block has RECSYS_BLOCK_WORDS words for each user, one bit for each item.  Sets counts,
 * of which there are RECSYS_BLOCK_ITEMS, to how many of n users have each of the items.
 */
extern void RecsysCountBits(const uint64 *block, const uint32 *users, uint64 n, uint32 *counts);

/*
 * For few users: add them to counts, and note each item that is met first, its number plus
 * first, in touched, behind the ntouched ones there.  Returns how many there are now; there
 * has to be room for one more.  The counters are counts[first] and those that follow.
 */
extern uint32 RecsysTouchBits(const uint64 *block, const uint32 *users, uint64 n, uint32 first,
							  uint32 *counts, uint32 *touched, uint32 ntouched);

#endif							/* RECSYS_BITCOUNTS_H */
