/*
 * customersquery.h
 *	  A shop's customers as SQL: what the definition says of each row of the profiles.
 */
#ifndef RECSYS_CUSTOMERSQUERY_H
#define RECSYS_CUSTOMERSQUERY_H

#include "postgres.h"

#include "api/declare/definition.h"
#include "core/rows/key.h"
#include "lib/stringinfo.h"

/*
 * Appends a query with one row for each key of the profiles: u, the key; excluded and
 * consent, never NULL; s1, s2, … the segments as text (NULL for life cycles, which no
 * profile knows).  Without profiles it has no rows.
 */
extern void RecsysAppendCustomers(StringInfo out, const RecsysDefinition *definition,
								  RecsysKeyKind kind);

/*
 * The same of the items: i, the key; category and seller as text; price as a number; offered,
 * is_new and repeatable, never NULL.  Without a table of items it has no rows.
 */
extern void RecsysAppendItems(StringInfo out, const RecsysDefinition *definition,
							  RecsysKeyKind kind);

#endif							/* RECSYS_CUSTOMERSQUERY_H */
