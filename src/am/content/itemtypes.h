/*
 * itemtypes.h
 *	  Types of attributes: which kind they are, and how a value is read.
 */
#ifndef RECSYS_ITEMTYPES_H
#define RECSYS_ITEMTYPES_H

#include "postgres.h"

#include "am/content/itemclasses.h"
#include "core/content/content.h"
#include "fmgr.h"

/* How a value of a column becomes that of its attribute */
typedef enum RecsysValueForm
{
	RECSYS_VALUE_KEY,			/* label: of a type that a key can have */
	RECSYS_VALUE_BOOLEAN,		/* label */
	RECSYS_VALUE_NUMERIC,		/* label: 1 and 1.0 are the same */
	RECSYS_VALUE_ARRAY,			/* labels: an array of a type that a key can have */
	RECSYS_VALUE_TEXT,
	RECSYS_VALUE_TSVECTOR,
	RECSYS_VALUE_NUMBER,
	RECSYS_VALUE_TIME,
	RECSYS_VALUE_FLOAT4_ARRAY,
	RECSYS_VALUE_FLOAT8_ARRAY,
	RECSYS_VALUE_CAST			/* vector: any type with a cast to real[] */
} RecsysValueForm;

typedef struct RecsysItemType
{
	RecsysAttributeKind kind;
	RecsysItemFamily family;	/* not RECSYS_FAMILY_ANY: what the type has led to */
	RecsysValueForm form;
	Oid			type;			/* base type */
	bool		is_enum;		/* labels are values of an enum */

	/* RECSYS_VALUE_ARRAY */
	Oid			element;		/* base type of the elements */
	int16		element_length;
	bool		element_by_value;
	char		element_align;

	/* RECSYS_VALUE_CAST */
	FmgrInfo	cast;			/* no function: the bytes are the same */
	int			cast_arguments;
} RecsysItemType;

/*
 * Of a column of the type whose operator class is of the family; false when its values cannot be
 * compared that way, or, with RECSYS_FAMILY_ANY, in none.  In the current memory context.
 */
extern bool RecsysItemTypeOf(Oid type, RecsysItemFamily family, RecsysItemType *result);

#endif							/* RECSYS_ITEMTYPES_H */
