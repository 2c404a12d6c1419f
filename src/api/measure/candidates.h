/*
 * candidates.h
 *	  Models that are tried, as texts, and how far each has got.
 */
#ifndef RECSYS_CANDIDATES_H
#define RECSYS_CANDIDATES_H

#include "postgres.h"

#include "api/measure/modelsteps.h"
#include "nodes/pg_list.h"

/* From a sample of everything to everything */
typedef enum RecsysLevel
{
	RECSYS_LEVEL_SAMPLE,		/* learned from some users, asked of some of them */
	RECSYS_LEVEL_SOME_USERS,	/* learned from all users, asked of some */
	RECSYS_LEVEL_FULL
} RecsysLevel;

#define RECSYS_LEVELS ((int) RECSYS_LEVEL_FULL + 1)

typedef struct RecsysCandidate
{
	const char *text;
	const char *meaning;		/* equal for texts that say the same */
	RecsysSimilarity similarity;
	bool		counted;		/* merges keep it exact */
	bool		failed;			/* at any level: not to be tried again */
	bool		interrupted;	/* on a sample, when its share of the time was up */
	bool		tried[RECSYS_LEVELS];
	double		values[RECSYS_LEVELS];	/* NaN: undefined, or failed */
	bool		explored[RECSYS_LEVELS];	/* all its neighbors have been tried */
} RecsysCandidate;

typedef struct RecsysCandidates
{
	MemoryContext context;
	RecsysDataShape shape;
	RecsysCandidate **all;
	int			count;
	int			size;
} RecsysCandidates;

extern RecsysCandidates *RecsysCandidatesCreate(const RecsysDataShape *shape);

/*
 * The candidate of that text, or of one that says the same; a new one if there is none.  The
 * text leaves nothing to be chosen.
 */
extern RecsysCandidate *RecsysCandidateOf(RecsysCandidates *candidates, const char *text);

/*
 * The next step of a search at a level: a neighbor of the best candidate there whose
 * neighbors have not all been tried; among the counted or the learned ones alone.  NULL
 * when there is none.
 */
extern RecsysCandidate *RecsysNextStep(RecsysCandidates *candidates, RecsysLevel level,
									   bool counted);

/* Those that have been tried at a level and have a value there, the best first. */
extern List *RecsysBestCandidates(const RecsysCandidates *candidates, RecsysLevel level);

/* Texts in which "{a, b}" stands for each of a and b, written out and checked. */
extern List *RecsysExpandModels(List *texts);

#endif							/* RECSYS_CANDIDATES_H */
