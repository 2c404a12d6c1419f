/*
 * logcommit.h
 *	  A transaction that does nothing but log does not wait for the disk.
 */
#ifndef RECSYS_LOGCOMMIT_H
#define RECSYS_LOGCOMMIT_H

/* Defines recsys.synchronous_log; called when the library is loaded. */
extern void RecsysInitLogCommit(void);

/* Around everything that writes rows of the log and nothing else. */
extern void RecsysBeginLogWrite(void);
extern void RecsysEndLogWrite(void);

/* Between the two: something of others runs along, such as a trigger on the log. */
extern void RecsysLogWritesMore(void);

#endif							/* RECSYS_LOGCOMMIT_H */
