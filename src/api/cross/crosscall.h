/*
 * crosscall.h
 *	  What cross_similarity() and query_cross_similarity() share: options, and rows whose two
 *	  keys have types of their own.
 */
#ifndef RECSYS_CROSSCALL_H
#define RECSYS_CROSSCALL_H

#include "postgres.h"

#include "core/pairs/cooccurrence.h"
#include "core/rows/key.h"
#include "fmgr.h"
#include "funcapi.h"

/* Of the two sides, by the order of the arguments and of the columns */
enum
{
	RECSYS_CROSS_EVENTS,
	RECSYS_CROSS_PREDICTS,
	RECSYS_CROSS_SIDES
};

typedef struct RecsysCrossOptions
{
	RecsysModelOptions model;	/* resolved */
	double		min_likelihood;
} RecsysCrossOptions;

/* The arguments similarity, neighbors, min_support, min_likelihood and options, the first at that place */
extern void RecsysReadCrossOptions(FunctionCallInfo fcinfo, int first, RecsysCrossOptions *options);

/* The rows, as they are made */
typedef struct RecsysCrossAnswer
{
	ReturnSetInfo *result;
	FunctionCallInfo call;
	Oid			types[RECSYS_CROSS_SIDES];	/* base types of the columns with keys */
	RecsysKeyKind kinds[RECSYS_CROSS_SIDES];
	const Datum *keys[RECSYS_CROSS_SIDES];	/* by number, for RecsysPutCrossRow */
} RecsysCrossAnswer;

/* Prepares a materialised result. */
extern void RecsysCrossAnswerInit(RecsysCrossAnswer *answer, FunctionCallInfo fcinfo);

/* Errors out unless keys of these kinds can be returned; the hint prints the call to make. */
extern void RecsysCrossCheckKinds(RecsysCrossAnswer *answer, const RecsysKeyKind *kinds);

/* A RecsysRowReporter; arg is the answer. */
extern void RecsysPutCrossRow(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count);

#endif							/* RECSYS_CROSSCALL_H */
