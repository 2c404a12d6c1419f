/*
 * itemclasses.h
 *	  Operator classes of the access method recsys_items: how the values of a column compare,
 *	  and the parameters of that.
 *
 * How is what the operator class's family is there for, so the families are known by name.
 */
#ifndef RECSYS_ITEMCLASSES_H
#define RECSYS_ITEMCLASSES_H

#include "postgres.h"

#include "core/content/content.h"

typedef enum RecsysItemFamily
{
	RECSYS_FAMILY_LABEL,
	RECSYS_FAMILY_LABELS,
	RECSYS_FAMILY_TEXT,
	RECSYS_FAMILY_NUMBER,
	RECSYS_FAMILY_TIME,
	RECSYS_FAMILY_VECTOR,
	RECSYS_FAMILY_ANY			/* as the type says, see itemtypes.h */
} RecsysItemFamily;

/* False when the operator family is none of them. */
extern bool RecsysItemFamilyOf(Oid opfamily, RecsysItemFamily *family);

/* Parameters of an operator class, as the server keeps them; each class has some of these. */
typedef struct RecsysItemParameters
{
	int32		vl_len_;		/* varlena header (do not touch directly!) */
	bool		linear;
	double		weight;
	double		scale;
	double		k1;
	double		b;
} RecsysItemParameters;

/*
 * Sets the attribute's parameters, of a kind that has been set; parameters may be NULL for
 * the defaults.  family says what the scale is of.
 */
extern void RecsysSetParameters(RecsysItemFamily family, const RecsysItemParameters *parameters,
								RecsysAttribute *attribute);

#endif							/* RECSYS_ITEMCLASSES_H */
