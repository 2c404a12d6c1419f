/*
 * streampath.h
 *	  Where in a message a value is: what recsys.create_stream() takes as paths.
 *
 *		user.id				a member of a member
 *		items[0].id			an element of an array, counted from 0
 *		items[*].id			each element: a message becomes as many rows; once in a path
 *		"a.b"."say ""x"""	names that hold what has a meaning in paths
 *		$value				the whole payload; $value.user.id and $value[*].id are parts of it
 *		$key, $key.id		the message's key, as text or as JSON
 *		$headers.name		the last header of that name
 *		$timestamp $offset $partition $topic
 *
 * A name without quotes is made of anything but . [ ] " * and white space, and does not begin a path with
 * a dollar sign.  Letters count as they are written.  A path is parsed once, when a stream is declared or
 * when the program begins with it; nothing is allocated.
 */
#ifndef RECSYS_STREAMPATH_H
#define RECSYS_STREAMPATH_H

#include "core/base/platform.h"

#define RECSYS_PATH_STEPS 16	/* at most so many steps */
#define RECSYS_PATH_LENGTH 512	/* and so many bytes, with all quotes */

typedef enum RecsysPathSource
{
	RECSYS_PATH_PAYLOAD,
	RECSYS_PATH_KEY,
	RECSYS_PATH_HEADER,			/* one step: its name */
	RECSYS_PATH_TIMESTAMP,		/* no steps, as all below */
	RECSYS_PATH_OFFSET,
	RECSYS_PATH_PARTITION,
	RECSYS_PATH_TOPIC
} RecsysPathSource;

typedef enum RecsysPathStepKind
{
	RECSYS_STEP_NAME,			/* the member of that name */
	RECSYS_STEP_INDEX,			/* the element of that number */
	RECSYS_STEP_EACH			/* all elements */
} RecsysPathStepKind;

typedef struct RecsysPathStep
{
	RecsysPathStepKind kind;
	const char *name;			/* in the path's names, ends in a null byte */
	int			length;			/* of the name, bytes */
	int			index;
} RecsysPathStep;

typedef struct RecsysStreamPath
{
	RecsysPathSource source;
	int			nsteps;
	int			each;			/* number of the step for each element, -1 if there is none */
	RecsysPathStep steps[RECSYS_PATH_STEPS];
	char		names[RECSYS_PATH_LENGTH + RECSYS_PATH_STEPS];
} RecsysStreamPath;

/* What the payloads of a format are made of, which says what paths can lead to. */
typedef enum RecsysPathForm
{
	RECSYS_PATH_TREE,			/* json, avro */
	RECSYS_PATH_LINE,			/* csv: one step, a name or a column's number from 1 */
	RECSYS_PATH_WHOLE			/* text: nothing but the whole */
} RecsysPathForm;

/* The form of the format of that name; false if there is no such format. */
extern bool RecsysStreamFormatForm(const char *format, RecsysPathForm *form);

/*
 * Parse; false if text is no path of that form: *fault is why, the second half of a sentence ("has two
 * dots without a name between them").  A path points into itself: do not copy it.
 */
extern bool RecsysParseStreamPath(const char *text, RecsysPathForm form, RecsysStreamPath *path,
								  const char **fault);

/* The last name in it: what a filter may call it; NULL if there is none. */
extern const char *RecsysStreamPathWord(const RecsysStreamPath *path);

/* Both have a step for each element: is it the same array? */
extern bool RecsysStreamPathSameArray(const RecsysStreamPath *one, const RecsysStreamPath *other);

#endif							/* RECSYS_STREAMPATH_H */
