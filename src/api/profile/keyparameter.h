/*
 * keyparameter.h
 *	  Keys as parameters of queries over a shop's tables, of types that indexes on their
 *	  columns are searched by.
 */
#ifndef RECSYS_KEYPARAMETER_H
#define RECSYS_KEYPARAMETER_H

#include "postgres.h"

#include "core/rows/key.h"

typedef struct RecsysKeyParameter
{
	Oid			type;			/* of a key as a parameter */
	Oid			array;			/* of several of them */
	bool		as_text;		/* the column is to be compared as text */
} RecsysKeyParameter;

/*
 * For a column of that type, which must hold keys of the kind.  False if it does not: what
 * it is compared with would be of another type.
 */
extern bool RecsysGetKeyParameter(Oid column_type, RecsysKeyKind kind,
								  RecsysKeyParameter *parameter);

/* The column, as it stands beside the parameter: "product_id", "(code)::text". */
extern char *RecsysKeyColumn(const RecsysKeyParameter *parameter, const char *column);

/* The values, palloc'd. */
extern Datum RecsysKeyValue(const RecsysKeyParameter *parameter, const RecsysKey *key);
extern Datum RecsysKeyArray(const RecsysKeyParameter *parameter, const RecsysKey *keys, int n);

/*
 * The type of a column; relation and column as they are written in a query.  InvalidOid if
 * there is no such relation or column.
 */
extern Oid	RecsysTypeOfColumn(const char *relation, const char *column);

#endif							/* RECSYS_KEYPARAMETER_H */
