/*
 * largepages.c
 *	  Large pieces of memory that are about to be written.
 */
#include "core/base/largepages.h"

#include <sys/mman.h>

/* What is smaller is left alone, and so are the ends of a piece. */
#define MIN_SIZE ((Size) 256 * 1024)
#define PAGE ((uintptr_t) 4096)

void
RecsysMapPages(void *memory, Size size)
{
#ifdef MADV_POPULATE_WRITE
	uintptr_t	begin = ((uintptr_t) memory + PAGE - 1) & ~(PAGE - 1);
	uintptr_t	end = ((uintptr_t) memory + size) & ~(PAGE - 1);

	if (size < MIN_SIZE)
		return;
#ifdef MADV_HUGEPAGE
	(void) madvise((void *) begin, end - begin, MADV_HUGEPAGE);
#endif
	(void) madvise((void *) begin, end - begin, MADV_POPULATE_WRITE);
#endif
}
