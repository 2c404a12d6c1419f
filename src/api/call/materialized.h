/*
 * materialized.h
 *	  Refreshing materialized views.
 */
#ifndef RECSYS_MATERIALIZED_H
#define RECSYS_MATERIALIZED_H

#include "postgres.h"

/*
 * Refreshes a materialized view, concurrently where the server can: others read it meanwhile.
 * With the caller's rights, between SPI_connect and SPI_finish.
 */
extern void RecsysRefreshMaterialized(Oid view);

#endif							/* RECSYS_MATERIALIZED_H */
