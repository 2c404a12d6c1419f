/*
 * setpack.h
 *	  Item sets packed one behind the other, in units of 16 bits.
 */
#ifndef RECSYS_SETPACK_H
#define RECSYS_SETPACK_H

#include "core/itemset/itemset.h"

/* Item numbers are below nitems; weighted: sets have a weight. */
typedef struct RecsysSetFormat
{
	uint32		nitems;
	bool		weighted;
} RecsysSetFormat;

/* Units that a set of this many items takes */
extern Size RecsysSetUnits(const RecsysSetFormat *format, uint32 length);

/* Items of a set, ascending */
extern void RecsysSortSet(uint32 nitems, const RecsysItemset *set, uint32 *items);

/* Packs a set; returns the place behind it. */
extern uint16 *RecsysPackSet(const RecsysSetFormat *format, const RecsysItemset *set,
							 uint16 *place);

/*
 * Fills in a set but for its items, and then those, ascending, into an array that has room
 * for set->length; both return the place behind what they have read.
 */
extern const uint16 *RecsysUnpackSet(const RecsysSetFormat *format, const uint16 *place,
									 RecsysItemset *set);
extern const uint16 *RecsysUnpackItems(const RecsysSetFormat *format, const uint16 *place,
									   RecsysItemset *set, uint32 *items);

#endif							/* RECSYS_SETPACK_H */
