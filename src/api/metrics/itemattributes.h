/*
 * itemattributes.h
 *	  What recommenders know of their items, as a relation for the queries of a refresh.
 */
#ifndef RECSYS_ITEMATTRIBUTES_H
#define RECSYS_ITEMATTRIBUTES_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/snapshot.h"
#include "utils/tuplestore.h"

/*
 * Makes a relation "attributes" for the current SPI connection, of the recommenders with these names
 * (char *), declared ones and indexes: recommender, item_id, category, seller, is_new, is_new_seller,
 * offered, user_share, popularity.  Each is read with the rights of its owner.  What cannot be read
 * has no rows, and there is a WARNING that says why: metrics must not end with one recommender.
 * Returns the rows, to be forgotten when the relation is needed no more.
 */
extern Tuplestorestate *RecsysRegisterAttributes(List *recommenders, Snapshot snapshot);

#endif							/* RECSYS_ITEMATTRIBUTES_H */
