/*
 * noticed.h
 *	  Partitions that this session attaches with the index that they have already.
 */
#ifndef RECSYS_NOTICED_H
#define RECSYS_NOTICED_H

/* Called once, from _PG_init. */
extern void RecsysInitNoticed(void);

#endif							/* RECSYS_NOTICED_H */
