/*
 * exactmath.h
 *	  Functions of numbers that are the same, to the last bit, on every machine.
 *
 * Only operations that IEEE 754 defines exactly are used, in a fixed order; what a C library makes
 * of log and exp differs from one to the next.
 */
#ifndef RECSYS_EXACTMATH_H
#define RECSYS_EXACTMATH_H

#include "core/base/platform.h"

#include <math.h>

/*
 * The natural logarithm of a positive finite number: of its mantissa m as
 * 2 artanh((m - 1) / (m + 1)), where the mantissa is within sqrt(1/2) to sqrt(2).
 */
static inline double
RecsysExactLog(double x)
{
	int			exponent;
	double		mantissa = frexp(x, &exponent);
	double		s,
				square,
				sum = 0;

	if (mantissa < 0.70710678118654752)
	{
		mantissa *= 2;
		exponent--;
	}
	s = (mantissa - 1) / (mantissa + 1);
	square = s * s;
	for (int k = 21; k >= 1; k -= 2)
		sum = sum * square + 1.0 / k;
	return exponent * 0.69314718055994531 + 2 * s * sum;
}

/*
 * exp(-d * d / 2), with an error below 1e-7; 0 from about 5.8 on.  d is not NaN.
 *
 * Compilers make vector instructions of this, which they do not if there is a branch; so a
 * minimum is taken of the bits of floats that are not negative, which have their order.
 */
static inline float
RecsysExactGauss(float d)
{
	const int32 most = 24;
	const int32 most_bits = 0x41C00000; /* those of 24.0f */
	float		power = d * d * 0.72134752044f; /* of one half */
	float		polynomial = -0.00094842489f;
	float		scale;
	int32		bits;
	int32		whole;

	memcpy(&bits, &power, sizeof(bits));
	bits = Min(bits, most_bits);
	memcpy(&power, &bits, sizeof(bits));
	whole = (int32) power;
	power -= (float) whole;

	/* one half to the power of a number within 0 to 1: a polynomial that is right at both ends */
	polynomial = polynomial * power + 0.00921599988f;
	polynomial = polynomial * power + -0.0553073986f;
	polynomial = polynomial * power + 0.240184007f;
	polynomial = polynomial * power + -0.693144184f;
	polynomial = polynomial * power + 1.0f;

	/* times one half to the power of whole; the mask is 0 for the largest that there is */
	bits = ((127 - whole) << 23) & ((whole - most) >> 31);
	memcpy(&scale, &bits, sizeof(scale));
	return scale * polynomial;
}

#endif							/* RECSYS_EXACTMATH_H */
