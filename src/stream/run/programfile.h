/*
 * programfile.h
 *	  The program's own file (--config): what does not belong into a database.
 *
 * Lines of name = value; # begins a comment line.  dbname is the connection string, if there is no
 * --dbname; kafka.NAME is an option of librdkafka; brokers names those that streams may be read from; the
 * decoder has pseudonym_key, pseudonym_key.DATE, registry, registry_user, registry_password
 * and registry_ca.
 */
#ifndef RECSYS_PROGRAMFILE_H
#define RECSYS_PROGRAMFILE_H

#include "postgres_fe.h"

#include "pqexpbuffer.h"
#include "stream/record/streamsettings.h"

typedef struct RecsysProgramFile
{
	RecsysStreamOption *kafka;	/* without the prefix */
	int			nkafka;
	RecsysStreamOption *others;
	int			nothers;
	char	   *dbname;			/* or NULL */
	char	   *brokers;		/* a list separated by commas, or NULL */
	bool		has_secrets;	/* for brokers: they must not be sent to others than those above */
	PQExpBufferData seen;		/* all that it says, and when the files that it names were changed */
} RecsysProgramFile;

/* NULL, and a sentence in fault, if it cannot be used.  A path that is NULL is an empty file. */
extern RecsysProgramFile *RecsysReadProgramFile(const char *path, PQExpBuffer fault);
extern bool RecsysSameProgramFile(const RecsysProgramFile *file, const RecsysProgramFile *other);
extern const char *RecsysFileOption(const RecsysProgramFile *file, const char *name);

#endif							/* RECSYS_PROGRAMFILE_H */
