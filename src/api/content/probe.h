/*
 * probe.h
 *	  What is looked for in an index over items: content that is no item's.
 */
#ifndef RECSYS_PROBE_H
#define RECSYS_PROBE_H

#include "postgres.h"

#include "am/items/itemsread.h"
#include "utils/jsonb.h"

/* Content packed as that of items, and a model in which only what is known of it has a weight */
typedef struct RecsysProbe
{
	RecsysContentModel model;
	const char *packed;
	bool		says_something; /* false: nothing is known, so nothing is like it */
} RecsysProbe;

/*
 * Of values of attributes by their names, as the types of the attributes write them; null is
 * for what is not known.  Errors out on names that are none.
 */
extern void RecsysProbeOfValues(Relation index, RecsysItemsReader *reader, Jsonb *values,
								RecsysProbe *probe);

/*
 * Of a picture: the index's attribute that is described by recsys.image_descriptor.  attribute (may be
 * NULL) is its name, where there are several.
 */
extern void RecsysProbeOfImage(Relation index, RecsysItemsReader *reader, bytea *image,
							   const char *attribute, RecsysProbe *probe);

#endif							/* RECSYS_PROBE_H */
