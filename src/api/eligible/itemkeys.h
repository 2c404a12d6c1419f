/*
 * itemkeys.h
 *	  Keys of the items' table: an array of them to ask it for, and those it answers with.
 */
#ifndef RECSYS_ITEMKEYS_H
#define RECSYS_ITEMKEYS_H

#include "postgres.h"

#include "api/profile/catalogue.h"

/* The type of elements that a key column of a base type is compared with. */
extern Oid	RecsysItemKeyType(Oid column_type);

/*
 * An array of the keys of n slots, in the current memory context.  Keys that no value of the
 * type can have are left out: the table does not have them.
 */
extern Datum RecsysItemKeyArray(const RecsysCatalogue *catalogue, Oid key_type,
								const uint32 *slots, int n);

#endif							/* RECSYS_ITEMKEYS_H */
