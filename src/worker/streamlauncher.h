/*
 * streamlauncher.h
 *	  The process that runs the stream program beside the server.
 */
#ifndef RECSYS_STREAMLAUNCHER_H
#define RECSYS_STREAMLAUNCHER_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* Setting recsys.stream_command; empty: none */
extern char *RecsysStreamCommand;

extern void RecsysStreamLauncherRequestMemory(void);
extern void RecsysStreamLauncherInitMemory(void);

/* Starts it if there is a command and it is not there.  Returns when to look again, or DT_NOEND. */
extern TimestampTz RecsysKeepStreamLauncher(void);

#endif							/* RECSYS_STREAMLAUNCHER_H */
