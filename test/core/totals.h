/*
 * totals.h
 *	  Item totals of a matrix.
 */
#ifndef RECSYS_TEST_TOTALS_H
#define RECSYS_TEST_TOTALS_H

#include "core/pairs/cooccurrence.h"

/* From a user-major matrix; N counts rows that are not empty. */
extern RecsysItemTotals *totals_compute(const RecsysMatrix *users);
extern void totals_free(RecsysItemTotals *totals);

#endif							/* RECSYS_TEST_TOTALS_H */
