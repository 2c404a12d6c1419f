/*
 * signals.h
 *	  Signals as flags, which the loops look at, and pauses that a signal ends.
 */
#ifndef RECSYS_SIGNALS_H
#define RECSYS_SIGNALS_H

#include <signal.h>

#include "postgres_fe.h"

extern volatile sig_atomic_t RecsysStopAsked;	/* TERM or INT */
extern volatile sig_atomic_t RecsysReloadAsked; /* HUP */
extern volatile sig_atomic_t RecsysChildEnded;	/* CHLD */

extern void RecsysCatchSignals(void);

/* Waits until a socket (or none: -1) can be read, a signal has come or the time is over. */
extern bool RecsysWaitForSocket(int socket, bool to_write, int milliseconds);

/* Milliseconds of a clock that is never set. */
extern int64 RecsysNow(void);

/* How long to wait after so many failures in a row: from 250 ms to 30 s, a random part of it off. */
extern int	RecsysBackoff(int failures);

#endif							/* RECSYS_SIGNALS_H */
