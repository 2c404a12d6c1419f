/*
 * model_argument.h
 *	  Models given as text: what stands in CREATE INDEX … WITH (…).
 */
#ifndef RECSYS_MODEL_ARGUMENT_H
#define RECSYS_MODEL_ARGUMENT_H

#include "postgres.h"

#include "api/measure/baskettask.h"
#include "core/pairs/similarity.h"

typedef struct RecsysModelText
{
	RecsysModelOptions options; /* resolved, unless similarity = auto is to choose them */
	int			max_history;
	int64		half_life;		/* microseconds, 0 for none, < 0: to be chosen, too */
	RecsysBasketMethod method;	/* of next baskets */
	RecsysNextBasketOptions mix;
} RecsysModelText;

/*
 * Reads "similarity = cosine, neighbors = 200", with exactly the options and the
 * syntax of CREATE INDEX; NULL and '' are the defaults.
 */
extern void RecsysParseModelText(const char *text, RecsysModelText *model);

/* The same with what models of the task have beside that. */
extern void RecsysParseTaskModel(const char *text, RecsysTask task, RecsysModelText *model);

#endif							/* RECSYS_MODEL_ARGUMENT_H */
