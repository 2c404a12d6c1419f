/*
 * itemarray.h
 *	  Arrays of item keys, made fast.
 */
#ifndef RECSYS_ITEMARRAY_H
#define RECSYS_ITEMARRAY_H

#include "postgres.h"

#include "core/rows/key.h"

typedef struct RecsysItemArrays RecsysItemArrays;

/*
 * For items 0 .. nitems - 1 with these keys, as values of a type, or a domain
 * over one, that fits their kind.  Lives in the current memory context.
 */
extern RecsysItemArrays *RecsysItemArraysCreate(Oid element_type, RecsysKeyKind kind,
												const RecsysKey *keys, uint32 nitems);

/* An item by itself */
extern Datum RecsysItemArraysItem(const RecsysItemArrays *arrays, uint32 item);

/*
 * The array of n items in the order given.  There are two buffers: the array in
 * one of them is good until the next call for the same one.
 */
extern Datum RecsysItemArraysForm(RecsysItemArrays *arrays, int buffer, const uint32 *items,
								  uint32 n);

/* The most bytes that an array of n items takes. */
extern Size RecsysItemArraysMost(const RecsysItemArrays *arrays, uint32 n);

/* Such an array, written to a place that is aligned to 8 bytes; returns its size. */
extern Size RecsysItemArraysWrite(const RecsysItemArrays *arrays, char *place,
								  const uint32 *items, uint32 n);

/* Bytes held */
extern Size RecsysItemArraysMemory(const RecsysItemArrays *arrays);

#endif							/* RECSYS_ITEMARRAY_H */
