/*
 * fixedpages.h
 *	  Pages with fixed places, and what the meta page of a new index says before anything is
 *	  known.
 */
#ifndef RECSYS_FIXEDPAGES_H
#define RECSYS_FIXEDPAGES_H

#include "am/store/page.h"

/* Meta page and the two roots get their places; they are filled in at the end. */
extern void RecsysReserveFixedPages(Relation index, ForkNumber fork);

/* All zero but for version, seed and time, and links that lead nowhere. */
extern void RecsysMetaInit(RecsysMetaData *meta);

#endif							/* RECSYS_FIXEDPAGES_H */
