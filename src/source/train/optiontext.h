/*
 * optiontext.h
 *	  Options of a model as text: 'similarity = ease, lambda = 200'.
 */
#ifndef RECSYS_OPTIONTEXT_H
#define RECSYS_OPTIONTEXT_H

#include "postgres.h"

#include "core/pairs/modeloptions.h"

/*
 * Sets an option by name; name and value as somebody has written them.  Errors out
 * with a hint when there is no such option or it cannot have that value.
 */
extern void RecsysSetOption(RecsysModelOptions *options, const char *name, const char *value);

/* Sets all options of a comma-separated list of name = value. */
extern void RecsysParseOptionText(RecsysModelOptions *options, const char *text);

/* The options that have another value in other, as such a list; '' when there are none. */
extern char *RecsysOptionsUnlike(const RecsysModelOptions *options,
								 const RecsysModelOptions *other);

/* A model as such a list: its similarity, and what differs from that one's defaults. */
extern char *RecsysModelAsText(const RecsysModelOptions *options);

/* The same with the half-life of serving, which is none of the model's own; 0: none. */
extern char *RecsysServedModelText(const RecsysModelOptions *options, int64 half_life);

/* An interval as it is written in such a list, quotes included */
extern char *RecsysIntervalText(int64 microseconds);

/*
 * Microseconds of an interval as text, 0 for '', none and off: of options that are
 * half-lives, or ages.
 */
extern int64 RecsysParseHalfLife(const char *option, const char *value);

/* Complains about options that need times, over a query without them. */
extern void RecsysCheckQueryHalfLives(bool timed, int64 half_life,
									  const RecsysModelOptions *options);

/* "Valid values are …": the names of similarities. */
extern const char *RecsysSimilarityHint(void);

#endif							/* RECSYS_OPTIONTEXT_H */
