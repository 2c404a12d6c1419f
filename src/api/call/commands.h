/*
 * commands.h
 *	  What SQL functions that change the database have in common.
 */
#ifndef RECSYS_COMMANDS_H
#define RECSYS_COMMANDS_H

#include "postgres.h"

/*
 * Errors out on a standby, before anything is locked.  The function's name, as "recsys.merge()", is
 * for the message.
 */
extern void RecsysRefuseInRecovery(const char *function);

/* The schema of that name, which is not quoted.  Errors out if there is none. */
extern Oid	RecsysSchemaNamed(const char *name);

/* Runs a statement with the caller's rights, between SPI_connect and SPI_finish. */
extern void RecsysRunCommand(const char *command);

#endif							/* RECSYS_COMMANDS_H */
