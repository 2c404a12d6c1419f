/*
 * contentmodel.h
 *	  The attributes of items, and the values that a row has of them.
 */
#ifndef RECSYS_CONTENTMODEL_H
#define RECSYS_CONTENTMODEL_H

#include "core/base/platform.h"

/* stored on disk: never renumber */
typedef enum RecsysAttributeKind
{
	RECSYS_ATTRIBUTE_LABEL = 1,
	RECSYS_ATTRIBUTE_LABELS = 2,
	RECSYS_ATTRIBUTE_TEXT = 3,
	RECSYS_ATTRIBUTE_NUMBER = 4,
	RECSYS_ATTRIBUTE_VECTOR = 5
} RecsysAttributeKind;

#define RECSYS_MAX_ATTRIBUTES 31

/* stored on disk, as part of the meta page */
typedef struct RecsysAttribute
{
	uint8		kind;			/* RecsysAttributeKind */
	bool		linear;			/* number: not by its logarithm */
	uint16		dimensions;		/* vector: of all values; 0: none has come up yet */
	float		weight;			/* >= 0; 0: is not looked at */
	float		scale;			/* number */
	float		k1;				/* text: how soon a repeated term counts no more */
	float		b;				/* text: how much the length of a text counts, 0 to 1 */
	float		mean_length;	/* text: terms, as of the build */
	uint32		documents;		/* text, labels: known values, as of the build */
} RecsysAttribute;

typedef struct RecsysContentModel
{
	int			count;
	RecsysAttribute attributes[RECSYS_MAX_ATTRIBUTES];
} RecsysContentModel;

/* Terms and labels are hashes of their bytes and the attribute's number, see RecsysTermHash. */
typedef struct RecsysTerm
{
	uint64		hash;
	uint32		count;			/* how often it occurs; labels: 1 */
} RecsysTerm;

/* The value of one attribute, as it is in a row */
typedef struct RecsysRawValue
{
	bool		known;
	int			nterms;			/* label (1), labels, text: distinct, in any order */
	const RecsysTerm *terms;
	double		number;
	int			dimensions;
	const float *vector;		/* finite, any length; all 0 counts as unknown */
} RecsysRawValue;

typedef struct RecsysRawContent
{
	int			count;			/* as the model's */
	RecsysRawValue values[RECSYS_MAX_ATTRIBUTES];
} RecsysRawContent;

#endif							/* RECSYS_CONTENTMODEL_H */
