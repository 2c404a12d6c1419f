/*
 * enlarge.h
 *	  Arrays that grow, beyond the size of an ordinary allocation too.
 */
#ifndef RECSYS_ENLARGE_H
#define RECSYS_ENLARGE_H

#include "postgres.h"

#include "utils/memutils.h"

/* The array with room for size bytes; NULL stands for one that is yet to be allocated. */
static inline void *
RecsysEnlarge(MemoryContext context, void *array, Size size)
{
	return array == NULL ? MemoryContextAllocHuge(context, size) : repalloc_huge(array, size);
}

#endif							/* RECSYS_ENLARGE_H */
