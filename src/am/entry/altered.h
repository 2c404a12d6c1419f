/*
 * altered.h
 *	  ALTER INDEX … SET: refusing options, and telling of those that wait for a REINDEX.
 */
#ifndef RECSYS_ALTERED_H
#define RECSYS_ALTERED_H

/* Called once, from _PG_init. */
extern void RecsysInitAltered(void);

#endif							/* RECSYS_ALTERED_H */
