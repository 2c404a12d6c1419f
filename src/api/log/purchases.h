/*
 * purchases.h
 *	  What users have bought, as the shop's own table says.
 *
 * It is declared as the name of a table, view or recsys index, or as JSON:
 *	  {"table": "sales", "user": "customer_id", "item": "product_id", "time": "sold_at",
 *	   "amount": "price * quantity", "condition": "NOT cancelled"}
 * user, item and time are columns, amount and condition are expressions over a row.  What is left
 * out is taken from a recsys index over the table: its user, item and time, and its condition if none
 * of them is named.  Without one that has a time, it is the table's only column of times.  amount is
 * taken from columns of usual names: amount, revenue, total, or price (times quantity).  Kept under
 * the same fields, names with their schemas, expressions that mean the same under every search path.
 */
#ifndef RECSYS_PURCHASES_H
#define RECSYS_PURCHASES_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

/*
 * From text as declared to JSON as kept.  Errors out on what is not there or may not be read by
 * the current user, or has no time.  needs_amount: an amount must be known.
 */
extern Jsonb *RecsysNormalPurchases(const char *declared, bool needs_amount);

/*
 * Reads those with from <= time < until as a role, and makes them a relation of that name for the
 * queries of the current SPI connection: columns user_id text, item_id text, time timestamptz,
 * amount numeric (NULL: not declared, or no finite number), purchase bigint, which numbers them.
 * kept may be NULL: then nothing has been bought.  Rows without user, item or time are left out.  To be called
 * between RecsysBeginAsKeeper and RecsysEndAsKeeper.  pseudonyms: users as the log has them, see
 * api/log/pseudonym.h.  Returns how many rows there are.
 */
extern uint64 RecsysRegisterPurchases(const Jsonb *kept, Oid role, TimestampTz from,
									  TimestampTz until, bool pseudonyms, const char *name);

/*
 * Takes the relation away again, and its temporary files, which the server would complain about.  To
 * be called before RecsysEndAsKeeper unless there has been an error; one relation at a time.
 */
extern void RecsysReleasePurchases(const char *name);

#endif							/* RECSYS_PURCHASES_H */
