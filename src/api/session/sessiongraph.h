/*
 * sessiongraph.h
 *	  What the item graph says comes after a session's items, beside the votes.
 */
#ifndef RECSYS_SESSIONGRAPH_H
#define RECSYS_SESSIONGRAPH_H

#include "postgres.h"

#include "api/session/sessionserving.h"

/*
 * Of an index whose rows say what comes after (similarity = session): adds to the votes, of which
 * the best new item then has as much from the graph as from them.  Any other: does nothing.
 */
extern void RecsysAddSessionGraph(const RecsysSession *session, RecsysScorer *scorer);

#endif							/* RECSYS_SESSIONGRAPH_H */
