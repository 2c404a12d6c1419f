/*
 * inverse.h
 *	  Inverse of a large symmetric positive definite matrix, in place.
 */
#ifndef RECSYS_INVERSE_H
#define RECSYS_INVERSE_H

#include "core/base/team.h"

/*
 * a is n x n, column-major; of what is given only the lower triangle
 * (a[row + column * n] with row >= column) is looked at, the result has both.  false: not
 * positive definite as far as single precision can tell; a is destroyed then.
 * All members of the team call it, with their addresses of a and of a block of
 * RecsysInvertShared bytes.
 */
extern bool RecsysInvert(RecsysTeam *team, float *a, Size n, void *shared);

extern Size RecsysInvertShared(Size n);

#endif							/* RECSYS_INVERSE_H */
