/*
 * audiencefactors.h
 *	  Users scored for some items by factors, as lists are where an index has them.
 */
#ifndef RECSYS_AUDIENCEFACTORS_H
#define RECSYS_AUDIENCEFACTORS_H

#include "postgres.h"

#include "am/graph/graph.h"
#include "api/call/recommender.h"
#include "api/operate/audienceitems.h"

typedef struct RecsysAudienceFactors RecsysAudienceFactors;

/* Of the graph's index, for nitems of the events'; NULL when it has no factors. */
extern RecsysAudienceFactors *RecsysReadAudienceFactors(RecsysRecommender *events,
														RecsysRecommender *graph,
														const RecsysTargets *targets, uint32 nitems);

/*
 * The score of the targets that has does not mark, all added up, for a history by the events'
 * numbers; *because gets the item with the largest part, or RECSYS_NONE.
 */
extern double RecsysScoreAudienceByFactors(RecsysAudienceFactors *factors,
										   const RecsysTargets *targets,
										   const bool *has, const uint32 *items, const double *weights,
										   int n, uint32 *because);

/* The number in one index of an item of another, which reader reads; RECSYS_NONE: it has none. */
extern uint32 RecsysNumberIn(RecsysRecommender *index, RecsysRecommender *other,
							 RecsysGraphReader *reader, uint32 item);

#endif							/* RECSYS_AUDIENCEFACTORS_H */
