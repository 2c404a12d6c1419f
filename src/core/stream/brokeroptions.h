/*
 * brokeroptions.h
 *	  Which options of librdkafka may be set for a stream, and where.
 *
 * A declaration stands in the database: in its dumps, before the eyes of whoever may read it, and written
 * by roles that need not be trusted by the machine that the program runs on.  So a declaration may set only
 * what is known to be harmless, and the program looks again.  The program's own file belongs to those who
 * run it; it may set all but what would break what a stream promises.
 */
#ifndef RECSYS_BROKEROPTIONS_H
#define RECSYS_BROKEROPTIONS_H

#include "core/base/platform.h"

typedef enum RecsysBrokerOption
{
	RECSYS_BROKER_OPTION_OPEN,	/* may be declared, or stand in the file */
	RECSYS_BROKER_OPTION_SECRET,	/* only in the file: it would stand in dumps */
	RECSYS_BROKER_OPTION_LOCAL, /* only in the file: it is of the program's machine, or who it trusts */
	RECSYS_BROKER_OPTION_FIXED	/* nowhere: the program sets it, or it would break what a stream promises */
} RecsysBrokerOption;

/*
 * Which of them an option is; one that is not known here is RECSYS_BROKER_OPTION_LOCAL.  *why, unless
 * OPEN, is the reason: a whole sentence that does not end in a line feed.
 */
extern RecsysBrokerOption RecsysBrokerOptionKind(const char *name, const char **why);

/* The known options, for advice on what is misspelt; NULL behind the last one. */
extern const char *RecsysBrokerOptionName(int number);

#endif							/* RECSYS_BROKEROPTIONS_H */
