/*
 * alter.h
 *	  Options that ALTER INDEX … SET must not give an index.
 */
#ifndef RECSYS_ALTER_H
#define RECSYS_ALTER_H

#include "postgres.h"

/* Called once, from _PG_init. */
extern void RecsysInitAlter(void);

#endif							/* RECSYS_ALTER_H */
