/*
 * policytable.h
 *	  Rows of what a policy has shown, gathered one by one with the names that they have in SQL.
 */
#ifndef RECSYS_POLICYTABLE_H
#define RECSYS_POLICYTABLE_H

#include "postgres.h"

#include "core/offpolicy/policyrows.h"
#include "core/rows/dictionary.h"

/* What rows of a table have beside reward, propensity and the target's probability */
typedef struct RecsysPolicyParts
{
	bool		request;
	bool		unit;
	bool		position;
	bool		context;
	bool		item;
	bool		target_item;
	bool		predicted;		/* and target_predicted */
} RecsysPolicyParts;

/* A row; of the names, those are looked at that the table has */
typedef struct RecsysPolicyRow
{
	double		reward;
	double		propensity;
	double		target;
	const char *request;
	const char *unit;
	int32		position;
	const char *context;
	const char *item;
	const char *target_item;	/* NULL: the target shows nothing here */
	double		predicted;
	double		target_predicted;
} RecsysPolicyRow;

typedef struct RecsysPolicyTable
{
	RecsysPolicyParts parts;
	bool		whole_lists;	/* probabilities are those of the request's list, the same in all of its rows */
	MemoryContext context;		/* of all of it */
	uint32		n;
	uint32		room;
	double	   *numbers[5];		/* reward, propensity, target, predicted, target_predicted */
	uint32	   *names[6];		/* request, unit, context, item, target_item, position */
	int32	   *positions;		/* as given; after RecsysPolicyTableRows: of the dense ones, ascending */
	uint32		npositions;
	RecsysDictionary *requests;
	RecsysDictionary *units;
	RecsysDictionary *contexts;
	RecsysDictionary *items;
} RecsysPolicyTable;

/* In the current memory context */
extern RecsysPolicyTable *RecsysPolicyTableCreate(const RecsysPolicyParts *parts);

/* Errors out on a propensity, a probability or a reward that cannot be one. */
extern void RecsysPolicyTableAdd(RecsysPolicyTable *table, const RecsysPolicyRow *row);

/*
 * All of them, by unit, request and position.  Errors out if a request has two rows at a position,
 * or is of two units.
 */
extern void RecsysPolicyTableRows(RecsysPolicyTable *table, RecsysPolicyRows *rows);

#endif							/* RECSYS_POLICYTABLE_H */
