/*
 * silhouette.h
 *	  Where in its frame an object is.
 */
#ifndef RECSYS_SILHOUETTE_H
#define RECSYS_SILHOUETTE_H

#include "core/image/foreground.h"

#define RECSYS_SILHOUETTE_CELLS 6
#define RECSYS_SILHOUETTE_NUMBERS (RECSYS_SILHOUETTE_CELLS * RECSYS_SILHOUETTE_CELLS)

/* Of a mean of 0; a unit vector, or shorter where object and backdrop hardly differ */
extern void RecsysSilhouette(const RecsysForeground *foreground, float *numbers);

#endif							/* RECSYS_SILHOUETTE_H */
