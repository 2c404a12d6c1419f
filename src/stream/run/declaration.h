/*
 * declaration.h
 *	  A stream as the database declares it, read by recsys.stream_settings().
 */
#ifndef RECSYS_DECLARATION_H
#define RECSYS_DECLARATION_H

#include "stream/record/streamsettings.h"
#include "stream/run/database.h"

typedef struct RecsysDeclaration
{
	RecsysStreamSettings settings;
	char	   *state;			/* running, paused, failed … */
	char	   *search_path;	/* what the filter's names mean */
} RecsysDeclaration;

/* NULL, with database->message, if it cannot be read. */
extern RecsysDeclaration *RecsysReadDeclaration(RecsysDatabase *database, const char *stream);

/*
 * Makes the session that of the stream: its owner's role, its search path, its staging table.  false, with
 * database->message and outcome, if that cannot be.
 */
extern bool RecsysBecomeOwner(RecsysDatabase *database, const RecsysDeclaration *declaration);

#endif							/* RECSYS_DECLARATION_H */
