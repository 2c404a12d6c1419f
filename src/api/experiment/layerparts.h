/*
 * layerparts.h
 *	  Layers: experiments that share one have no unit in common.
 */
#ifndef RECSYS_LAYERPARTS_H
#define RECSYS_LAYERPARTS_H

#include "postgres.h"

typedef struct RecsysLayerPart
{
	const char *experiment;		/* its name */
	const char *layer;			/* NULL: of its own */
	bool		by_session;
	double		share;			/* of those that are not held out */
	double		holdout;		/* of all units; NaN: as the layer has it */
	bool		has_part;		/* low and high are what it has now, */
	bool		is_kept;		/* and units that are in it must stay */
	double		low;
	double		high;
} RecsysLayerPart;

/*
 * Sets low, high and holdout: a free part of the layer, that which it has if that will do.  Errors out,
 * with who has the rest, if there is none.  Nobody else may be changing experiments meanwhile.
 */
extern void RecsysTakeLayerPart(RecsysLayerPart *part);

#endif							/* RECSYS_LAYERPARTS_H */
