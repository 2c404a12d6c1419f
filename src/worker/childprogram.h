/*
 * childprogram.h
 *	  A program that a background process runs as its child.
 */
#ifndef RECSYS_CHILDPROGRAM_H
#define RECSYS_CHILDPROGRAM_H

#include "postgres.h"

#include <sys/types.h>

/*
 * Starts a single command of the shell as the leader of a process group of its own.  Returns its
 * process id, or -1 with errno.  Without a word to the contrary it connects to this server.
 */
extern pid_t RecsysStartChild(const char *command);

/* Has it ended?  Then *status is as wait(2) has it. */
extern bool RecsysChildEnded(pid_t child, int *status);

/* Sends a signal to the command and all that it has started, unless they have left its group. */
extern void RecsysSignalChildren(pid_t child, int signal);

#endif							/* RECSYS_CHILDPROGRAM_H */
