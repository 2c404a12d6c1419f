/*
 * product.h
 *	  Products of weights whose sums hardly depend on the order of the summands.
 *
 * Builds and merges meet an item's users in different orders, and so do two builds, for
 * users are ordered by a hash with a random seed.  Sums of the exact products of two
 * floats, 48 digits each, would differ in the last digit of a double, and once in a few
 * hundred million times in the float that is made of it.  A product of 32 digits
 * leaves 21 to the sum: it is exact, in any order, unless the largest and the smallest
 * summand are more than that apart.  Then only what is lost of the smallest may differ.
 * Products of integers of 16 digits are not rounded at all, so that they can be counted
 * as integers as well (counters.c).
 */
#ifndef RECSYS_PRODUCT_H
#define RECSYS_PRODUCT_H

#include "core/base/platform.h"

#define RECSYS_PRODUCT_LOST_BITS 21		/* of the 53 of a double */

/* a * b of two floats, which is exact as a double, rounded to 32 digits */
static inline double
RecsysProduct(double a, double b)
{
	double		product = a * b;
	uint64		bits;

	memcpy(&bits, &product, sizeof(bits));
	bits += UINT64CONST(1) << (RECSYS_PRODUCT_LOST_BITS - 1);
	bits &= ~((UINT64CONST(1) << RECSYS_PRODUCT_LOST_BITS) - 1);
	memcpy(&product, &bits, sizeof(product));
	return product;
}

#endif							/* RECSYS_PRODUCT_H */
