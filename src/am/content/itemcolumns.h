/*
 * itemcolumns.h
 *	  What the columns of an items index mean: the key, and the attributes.
 *
 * The first column is the item's key, of the types that a recsys index takes.  The operator
 * class of each other column says how its values compare; its parameters are in the
 * RecsysAttribute.  Types that are not the server's (vector and halfvec of pgvector, and any
 * other) are read by their cast to real[], found in the catalog.
 */
#ifndef RECSYS_ITEMCOLUMNS_H
#define RECSYS_ITEMCOLUMNS_H

#include "postgres.h"

#include "core/content/content.h"
#include "core/rows/key.h"
#include "fmgr.h"
#include "utils/rel.h"

typedef struct RecsysItemColumns RecsysItemColumns;

/*
 * Reads operator classes and their parameters; errors out, with a hint, when the columns do not
 * make an items index.  In the current memory context.
 */
extern RecsysItemColumns *RecsysGetItemColumns(Relation index);

/* The attributes as they are declared; documents, mean_length and dimensions are 0. */
extern void RecsysDeclaredModel(const RecsysItemColumns *columns, RecsysContentModel *model);

extern RecsysKeyKind RecsysItemColumnsKey(const RecsysItemColumns *columns, Oid *type);

/* Name of the column of an attribute (0 is the first behind the key), for reasons and evidence. */
extern const char *RecsysAttributeName(Relation index, int attribute);

/*
 * A row's key and content, detoasted into the current memory context.  False if the key is
 * NULL: such rows are not indexed.  Errors out on oversized keys, and vectors that are not finite.
 */
extern bool RecsysFormContent(Relation index, const RecsysItemColumns *columns, Datum *values,
							  bool *isnull, RecsysKey *key, RecsysRawContent *raw);

/* One value alone, for a probe: of the type of the attribute's column. */
extern void RecsysFormValue(Relation index, const RecsysItemColumns *columns, int attribute,
							Datum value, bool isnull, RecsysRawValue *raw);

/*
 * Errors out if a row's content cannot be stored: it is too large, or a vector has other
 * dimensions than the model's, where those are known.
 */
extern void RecsysCheckContent(Relation index, const RecsysContentModel *model,
							   const RecsysRawContent *raw);

/* Sets dimensions that the model does not know yet. */
extern void RecsysLearnDimensions(RecsysContentModel *model, const RecsysRawContent *raw);

#endif							/* RECSYS_ITEMCOLUMNS_H */
