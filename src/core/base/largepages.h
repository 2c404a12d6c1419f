/*
 * largepages.h
 *	  Large pieces of memory that are about to be written.
 */
#ifndef RECSYS_LARGEPAGES_H
#define RECSYS_LARGEPAGES_H

#include "core/base/platform.h"

/*
 * Have the pages of a piece of memory mapped at once, as large ones where there are
 * such: one fault after the other takes longer than writing does.  Only a hint.
 */
extern void RecsysMapPages(void *memory, Size size);

#endif							/* RECSYS_LARGEPAGES_H */
