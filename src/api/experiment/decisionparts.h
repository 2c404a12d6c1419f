/*
 * decisionparts.h
 *	  By what an experiment is decided: metrics, purchases, and how they are compared.
 */
#ifndef RECSYS_DECISIONPARTS_H
#define RECSYS_DECISIONPARTS_H

#include "postgres.h"

#include "api/experiment/making.h"

/* Puts all parameters that have to do with it. */
extern void RecsysPutDecision(RecsysMaking *making);

#endif							/* RECSYS_DECISIONPARTS_H */
