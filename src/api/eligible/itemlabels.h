/*
 * itemlabels.h
 *	  Values that items share, as small numbers: labels of one call.
 *
 * Two values have the same label if they are of one type and read the same as text.  The
 * text itself is made only for those that somebody asks for.
 */
#ifndef RECSYS_ITEMLABELS_H
#define RECSYS_ITEMLABELS_H

#include "postgres.h"

#include "api/eligible/itemrows.h"

typedef struct RecsysItemLabels RecsysItemLabels;

/* In the current memory context */
extern RecsysItemLabels *RecsysItemLabelsCreate(void);

/*
 * The label of a value that is not null; type is a base type.  What is detoasted on the way
 * is left in the current memory context.
 */
extern RecsysLabel RecsysItemLabelOf(RecsysItemLabels *labels, Oid type, Datum value);

/* What a label stands for: a value of the type that it was made of, and its text. */
extern Datum RecsysItemLabelValue(const RecsysItemLabels *labels, RecsysLabel label);
extern Oid	RecsysItemLabelType(const RecsysItemLabels *labels, RecsysLabel label);	/* text for strings */
extern const char *RecsysItemLabelText(const RecsysItemLabels *labels, RecsysLabel label);

/* Labels are 1 .. this */
extern uint32 RecsysItemLabelCount(const RecsysItemLabels *labels);

#endif							/* RECSYS_ITEMLABELS_H */
