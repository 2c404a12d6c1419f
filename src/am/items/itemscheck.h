/*
 * itemscheck.h
 *	  Verifying the on-disk invariants of an items index.
 */
#ifndef RECSYS_ITEMSCHECK_H
#define RECSYS_ITEMSCHECK_H

#include "postgres.h"

#include "utils/rel.h"

/*
 * As RecsysCheckIndex (am/check/check.h) for an index of the access method recsys_items:
 * errors out with ERRCODE_INDEX_CORRUPTED at the first violation.  The caller keeps
 * writers out.
 */
extern void RecsysCheckItems(Relation heap, Relation index);

#endif							/* RECSYS_ITEMSCHECK_H */
