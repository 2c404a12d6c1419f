/*
 * blockarray.c
 *	  What a session remembers of blocks: making the array, and making it larger.
 */
#include "am/store/blockarray.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#define FIRST_ENTRIES (1 << 10)
#define GROWTH 4

/* Makes the array one of n entries, or leaves it as it is if there is no memory. */
static void
resize(RecsysBlockArray *array, Size size, uint32 n)
{
	char	   *new = MemoryContextAllocExtended(TopMemoryContext, size * n,
												 MCXT_ALLOC_ZERO | MCXT_ALLOC_NO_OOM);

	array->conflicts = 0;
	if (new == NULL)
		return;
	if (array->entries != NULL)
		pfree(array->entries);
	array->entries = new;
	array->n = n;
}

bool
RecsysBlockArrayReady(RecsysBlockArray *array, Size size)
{
	if (unlikely(array->entries == NULL))
		resize(array, size, FIRST_ENTRIES);
	return array->entries != NULL;
}

void
RecsysBlockArrayConflict(RecsysBlockArray *array, Size size, uint32 most)
{
	if (++array->conflicts > array->n / 2 && array->n < most && array->n < (uint32) NBuffers)
		resize(array, size, array->n * GROWTH);
}
