/*
 * queryanswer.h
 *	  Functions whose answer is that of a query over a shop's tables.
 */
#ifndef RECSYS_QUERYANSWER_H
#define RECSYS_QUERYANSWER_H

#include "postgres.h"

#include "api/declare/shop.h"
#include "compat.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "source/input/query.h"

/* The declared recommender of that name; errors out if there is none. */
extern RecsysShop *RecsysNeedShop(const char *name);

/*
 * As RecsysRunQuery, for a query that is made of a definition: it must have no functions that are
 * volatile.  An error's context names the recommender, and the part that it is about, in the place
 * of the query, which nobody has written and which is long.
 */
extern void RecsysRunShopQuery(RecsysShop *shop, const char *query, RecsysQueryStart start,
							   RecsysQueryRow row, void *arg);

/* Prepares such a query, between SPI_connect and SPI_finish. */
extern SPIPlanPtr RecsysPrepareShopQuery(const char *query);

/* In a PG_CATCH: throws the error of the query again, with such a context. */
pg_noreturn extern void RecsysRethrowOfShop(RecsysShop *shop, const char *query,
											MemoryContext context);

/*
 * Answers with the rows of the query, which have the types of the function's columns.  It
 * runs with the caller's rights.
 */
extern void RecsysAnswerByQuery(FunctionCallInfo fcinfo, RecsysShop *shop, const char *query);

#endif							/* RECSYS_QUERYANSWER_H */
