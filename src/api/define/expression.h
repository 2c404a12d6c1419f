/*
 * expression.h
 *	  Expressions of a definition: as they are declared, and as they are kept.
 */
#ifndef RECSYS_EXPRESSION_H
#define RECSYS_EXPRESSION_H

#include "postgres.h"

#include "api/declare/parameters.h"
#include "compat.h"
#include "nodes/parsenodes.h"

/*
 * The expression over a row of the relation as it is kept: it means the same under every
 * search path, and calls the row as RecsysAliases says of the place.  Errors out on what is
 * no expression or not of the wanted type; *type gets its type.
 *
 * Text is parsed by itself, so that it cannot be anything but one expression.  Nothing of it
 * is run.  What has been declared may call the row by its table's name, too.
 */
extern char *RecsysKeptExpression(const char *text, Oid relation, RecsysPlace place,
								  RecsysResult result, Oid *type);

/* The statement SELECT expression; errors out if text is more than one expression, or none. */
extern RawStmt *RecsysParseExpression(const char *text);
pg_noreturn extern void RecsysRefuseNoExpression(const char *text);

/*
 * Errors of the parser point into the text, not into the statement that declares it, until
 * error_context_stack is what it was before: callback->previous.
 */
extern void RecsysPointIntoExpression(ErrorContextCallback *callback, const char *text);

#endif							/* RECSYS_EXPRESSION_H */
