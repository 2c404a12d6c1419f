/*
 * chance.c
 *	  recsys.chance_of_so_few(): whether few clicks are chance.
 */
#include "postgres.h"

#include "core/measure/fewclicks.h"
#include "fmgr.h"

PG_FUNCTION_INFO_V1(recsys_chance_of_so_few);

/* Arguments: clicks, expected */
Datum
recsys_chance_of_so_few(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(RecsysPoissonLower(PG_GETARG_INT64(0), PG_GETARG_FLOAT8(1)));
}
