/*
 * extensionschema.h
 *	  The schema that recommend() is in.
 */
#ifndef RECSYS_EXTENSIONSCHEMA_H
#define RECSYS_EXTENSIONSCHEMA_H

#include "postgres.h"

/* For queries that call such functions whatever the search path is; its name is not quoted. */
extern char *RecsysExtensionSchema(void);

#endif							/* RECSYS_EXTENSIONSCHEMA_H */
