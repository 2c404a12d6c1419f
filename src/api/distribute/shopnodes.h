/*
 * shopnodes.h
 *	  Declared recommenders over tables that Citus has distributed.
 */
#ifndef RECSYS_SHOPNODES_H
#define RECSYS_SHOPNODES_H

#include "postgres.h"

#include "api/distribute/trainnodes.h"

/*
 * What recsys.distribute(), retrain() and undistribute() do for a declared recommender; false if
 * none has that name.  *trained: of the index of its first signal.
 */
extern bool RecsysDistributeShop(const char *name, RecsysTrainedGraph *trained);
extern bool RecsysRetrainShop(const char *name, RecsysTrainedGraph *trained);
extern bool RecsysUndistributeShop(const char *name);

#endif							/* RECSYS_SHOPNODES_H */
