/*
 * itemsoptions.h
 *	  Storage parameters of an items index.
 */
#ifndef RECSYS_ITEMSOPTIONS_H
#define RECSYS_ITEMSOPTIONS_H

#include "postgres.h"

/* Setting: an index over more items compares only those that are near each other. */
extern int	RecsysExactItems;

/* Called once, from _PG_init. */
extern void RecsysInitItemsOptions(void);

/* A RecsysOptions, so that RecsysGetFillfactor and the like read it. */
extern bytea *RecsysParseItemsOptions(Datum reloptions, bool validate);

#endif							/* RECSYS_ITEMSOPTIONS_H */
