/*
 * typeoperator.h
 *	  Operators that compare values of a type, as they are written in a query.
 */
#ifndef RECSYS_TYPEOPERATOR_H
#define RECSYS_TYPEOPERATOR_H

#include "postgres.h"

#include "access/stratnum.h"

/*
 * That of a type's default B-tree order (or, of equality, hash), as in
 * OPERATOR(pg_catalog.<=); NULL if the type has none.
 */
extern char *RecsysTypeOperator(Oid type, StrategyNumber strategy);

#endif							/* RECSYS_TYPEOPERATOR_H */
