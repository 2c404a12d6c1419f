/*
 * experimentrefresh.h
 *	  Bringing the daily sums of experiments up to date.
 */
#ifndef RECSYS_EXPERIMENTREFRESH_H
#define RECSYS_EXPERIMENTREFRESH_H

#include "postgres.h"

#include "api/keep/experimentrow.h"

/*
 * All experiments, as maintenance does: one that fails is a WARNING, remembered for
 * recsys.experiment_alerts, and keeps nobody up.  Returns of how many
 * there are new sums.
 */
extern int	RecsysRefreshExperiments(void);

#endif							/* RECSYS_EXPERIMENTREFRESH_H */
