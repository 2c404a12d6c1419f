/*
 * rewardlaw.h
 *	  What is believed of an arm's mean reward: a Beta, a Student or a normal law.
 *
 * A Beta law is looked at on the axis of log odds, t = ln(x / (1 - x)), where its density has no
 * corners and falls off exponentially on both sides, whatever its parameters are; the others on the
 * axis of rewards.  The order of values, which is all that choices depend on, is the same.
 */
#ifndef RECSYS_REWARDLAW_H
#define RECSYS_REWARDLAW_H

#include "core/base/random.h"

typedef enum RecsysLawKind
{
	RECSYS_LAW_BETA,
	RECSYS_LAW_STUDENT,
	RECSYS_LAW_NORMAL
} RecsysLawKind;

typedef struct RecsysLaw
{
	RecsysLawKind kind;
	double		a;				/* Beta: parameters, a / (a + b), b / (a + b) */
	double		b;
	double		mean;
	double		rest;
	double		center;			/* others */
	double		scale;
	double		freedom;		/* Student */
	double		constant;		/* logarithm of the density at its center, or mean */
	double		low;			/* as RecsysLawFindEnds finds them */
	double		high;
} RecsysLaw;

extern void RecsysLawBeta(RecsysLaw *law, double a, double b);
extern void RecsysLawStudent(RecsysLaw *law, double center, double scale, double freedom);
extern void RecsysLawNormal(RecsysLaw *law, double center, double scale);

/* Outside of low to high of a law there is less than this of it. */
#define RECSYS_LAW_NOTHING 1e-18

extern void RecsysLawFindEnds(RecsysLaw *law);

/* A point of the axis, with what all Beta laws need of it */
typedef struct RecsysLawPoint
{
	double		t;
	double		odds_x;			/* x = 1 / (1 + exp(-t)), and 1 - x without loss */
	double		odds_rest;
} RecsysLawPoint;

extern RecsysLawPoint RecsysLawPointAt(const RecsysLaw *law, double t);

/* Of the law on its axis */
extern double RecsysLawLogDensity(const RecsysLaw *law, const RecsysLawPoint *point);
extern double RecsysLawBelow(const RecsysLaw *law, double t);
extern double RecsysLawDraw(const RecsysLaw *law, RecsysRandom *random);

/* How wide a piece around [from, to] may be that a polynomial follows the density in */
extern double RecsysLawSmoothness(const RecsysLaw *law, double from, double to);

#endif							/* RECSYS_REWARDLAW_H */
