/*
 * labels.h
 *	  Labels of users or items from a query: segments, categories, sellers.
 */
#ifndef RECSYS_LABELS_H
#define RECSYS_LABELS_H

#include "postgres.h"

#include "core/rows/dictionary.h"

typedef struct RecsysLabels
{
	uint32		count;			/* distinct labels */
	char	  **names;			/* ascending, bytewise */
	uint32	   *labels;			/* by key number below nkeys: label, RECSYS_NONE for none */
} RecsysLabels;

/*
 * Runs a query that returns key, label and gives each of the first nkeys keys of
 * the dictionary its label; keys that the dictionary does not have count as labels
 * only.  what and role are for messages: the argument that the query is, and
 * "user" or "item".  Two labels for one key are an error.
 */
extern RecsysLabels *RecsysReadLabels(const char *query, const char *what, const char *role,
									  RecsysKeyKind kind, const RecsysDictionary *keys, uint32 nkeys);

/* Runs a query that returns keys and marks those that the dictionary has: 1 for each, else 0. */
extern uint8 *RecsysReadMarks(const char *query, const char *what, const char *role,
							  RecsysKeyKind kind, const RecsysDictionary *keys, uint32 nkeys);

#endif							/* RECSYS_LABELS_H */
