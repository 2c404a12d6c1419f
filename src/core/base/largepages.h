/*
 * pages.h
 *	  Large pieces of memory that are about to be written.
 */
#ifndef RECSYS_PAGES_H
#define RECSYS_PAGES_H

#include "core/platform.h"

/*
 * Have the pages of a piece of memory mapped at once, as large ones where there are
 * such: one fault after the other takes longer than writing does.  Only a hint.
 */
extern void RecsysMapPages(void *memory, Size size);

#endif							/* RECSYS_PAGES_H */
