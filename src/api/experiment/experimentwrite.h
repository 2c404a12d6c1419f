/*
 * experimentwrite.h
 *	  Writing the rows of recsys.experiment.
 */
#ifndef RECSYS_EXPERIMENTWRITE_H
#define RECSYS_EXPERIMENTWRITE_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/timestamp.h"

typedef struct RecsysExperimentRow
{
	char	   *name;
	char	   *owner;
	Jsonb	   *definition;
	TimestampTz started_at;		/* DT_NOEND: not yet */
	TimestampTz stopped_at;
} RecsysExperimentRow;

/* Until the end of the transaction nobody else changes experiments: layers are divided among them. */
extern void RecsysLockExperiments(void);

/* As it is now, in the current memory context; false if there is none. */
extern bool RecsysReadExperimentRow(const char *name, RecsysExperimentRow *row);

/* False if there is one of that name already */
extern bool RecsysInsertExperiment(const RecsysExperimentRow *row);
extern void RecsysUpdateExperiment(const RecsysExperimentRow *row);
extern void RecsysDeleteExperiment(const char *name);

#endif							/* RECSYS_EXPERIMENTWRITE_H */
