/*
 * namedrows.c
 *	  Rows that stand under a name in the queries of an SPI connection, as the rows of a trigger's
 *	  transition tables do.
 */
#include "postgres.h"

#include "api/keep/namedrows.h"
#include "executor/spi.h"

void
RecsysNameRows(const char *name, Tuplestorestate *rows, TupleDesc descriptor, double count)
{
	EphemeralNamedRelation relation = palloc0(sizeof(EphemeralNamedRelationData));

	relation->md.name = pstrdup(name);
	relation->md.reliddesc = InvalidOid;
	relation->md.tupdesc = descriptor;
	relation->md.enrtype = ENR_NAMED_TUPLESTORE;
	relation->md.enrtuples = count;
	relation->reldata = rows;
	if (SPI_register_relation(relation) != SPI_OK_REL_REGISTER)
		elog(ERROR, "SPI_register_relation failed");
}

void
RecsysForgetRows(const char *name, Tuplestorestate *rows)
{
	if (SPI_unregister_relation(name) != SPI_OK_REL_UNREGISTER)
		elog(ERROR, "SPI_unregister_relation failed");
	tuplestore_end(rows);
}
