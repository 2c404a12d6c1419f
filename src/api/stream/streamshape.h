/*
 * streamshape.h
 *	  What a stream makes of a message: columns of its target, and where their values come from.
 */
#ifndef RECSYS_STREAMSHAPE_H
#define RECSYS_STREAMSHAPE_H

#include "postgres.h"

#include "utils/jsonb.h"

/* A column of the target, or a field: a value that only the filter sees */
typedef struct RecsysStreamValue
{
	char	   *name;
	bool		is_field;
	bool		not_null;		/* the column is declared NOT NULL */
	char	   *path;
	char	   *word;			/* how the filter may call it besides its name; NULL: by that alone */
	const char *unit;			/* auto, s, ms or us */
	char	   *fallback;		/* what a message has that has none; NULL: NULL */
	Oid			type;			/* looked through domains, without what their modifiers say */
	const char *kind;			/* text, time, document, array or bytes: what the program is to write */
	const char *pseudonym;		/* none, text, uuid or bigint */
} RecsysStreamValue;

typedef enum RecsysStreamConflict
{
	RECSYS_STREAM_CONFLICT_ERROR,
	RECSYS_STREAM_CONFLICT_IGNORE,
	RECSYS_STREAM_CONFLICT_UPDATE
} RecsysStreamConflict;

typedef struct RecsysStreamShape
{
	Oid			target;			/* locked in AccessShareLock */
	RecsysStreamValue *values;	/* columns first, then fields */
	int			nvalues;
	int			ncolumns;
	int		   *key;			/* numbers of the values that are the target's key */
	int			nkey;
	RecsysStreamConflict conflict;
	bool		deletes;		/* tombstones delete rows */
	char	   *filter;			/* NULL: none */
	char	   *search_path;	/* what names in it, and those of types, mean */
} RecsysStreamShape;

/* Errors out on whatever is wrong with it, with the rights of the current user. */
extern void RecsysReadStreamShape(Jsonb *definition, RecsysStreamShape *shape);

/* Names mean what they did where the stream was declared, until the caller's GUC nest level ends. */
extern void RecsysUseStreamNames(const RecsysStreamShape *shape);

/* Values of a type, as a name that means the same under every search path */
extern char *RecsysStreamTypeName(Oid type);

/* A table to write to, which a crash does not empty; what: "target", for messages */
extern Oid	RecsysFindStreamTable(const char *name, const char *what);

/*
 * Is a target, by its name as it is kept, still one?  It may have been made unlogged meanwhile, or have got a
 * partition that is.  What has rows of this transaction cannot be, and is locked by them.
 */
extern void RecsysCheckStreamTarget(const char *name);

#endif							/* RECSYS_STREAMSHAPE_H */
