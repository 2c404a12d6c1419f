/*
 * termpage.h
 *	  Term pages: in how many values each term occurs, as of the build.
 *
 * RecsysReadTermCount, which reads them, is declared in contentpage.h.
 */
#ifndef RECSYS_TERMPAGE_H
#define RECSYS_TERMPAGE_H

#include "am/content/contentpage.h"

#define RECSYS_PAGE_TERM_COUNTS ((uint32) (RECSYS_PAGE_ROOM / sizeof(RecsysTermCount)))
#define RECSYS_TERM_PAGES(nterms) \
	((BlockNumber) (((nterms) + (uint64) RECSYS_PAGE_TERM_COUNTS - 1) / RECSYS_PAGE_TERM_COUNTS))

/* Build: writes the terms, which are in order of their hash, and sets what meta has of them. */
extern void RecsysWriteTerms(Relation index, ForkNumber fork, const RecsysTermCount *terms,
							 uint32 nterms, RecsysContentMeta *meta);

/* The count of a term among n in order of their hash: 0 if it is not there. */
extern uint32 RecsysFindTermCount(const RecsysTermCount *terms, uint32 n, uint64 hash);

#endif							/* RECSYS_TERMPAGE_H */
