/*
 * cielab.c
 *	  sRGB (IEC 61966-2-1) to CIELAB under D65, by a table of the 256 linear intensities.
 *
 * Intensities between two entries are interpolated.  The cube root is a table as well: it is what
 * takes the time of a small picture.
 */
#include "core/image/cielab.h"

#include <math.h>

#define ROOTS 1024

static bool ready = false;
static float linear[257];
static float roots[ROOTS + 2];

/* f of the definition: cube root, and its tangent near 0 */
static double
root(double t)
{
	const double delta = 6.0 / 29;

	return t > delta * delta * delta ? cbrt(t) : t / (3 * delta * delta) + 4.0 / 29;
}

static void
make_tables(void)
{
	for (int i = 0; i <= 256; i++)
	{
		double		v = Min(i, 255) / 255.0;

		linear[i] = (float) (v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
	}
	for (int i = 0; i < ROOTS + 2; i++)
		roots[i] = (float) root((double) i / ROOTS);
	ready = true;
}

static inline float
look_up(const float *table, float at)
{
	int			i = (int) at;

	return table[i] + (at - (float) i) * (table[i + 1] - table[i]);
}

void
RecsysRGBToLab(const float *rgb, float *lab)
{
	float		c[3];
	float		x,
				y,
				z;

	if (!ready)
		make_tables();
	/* gray: all three of x, y and z are the same */
	if (rgb[0] == rgb[1] && rgb[1] == rgb[2])
	{
		y = look_up(linear, Min(Max(rgb[0], 0.0f), 255.0f));
		lab[0] = 116 * look_up(roots, Min(y, 1.0f) * ROOTS) - 16;
		lab[1] = lab[2] = 0;
		return;
	}
	for (int i = 0; i < 3; i++)
		c[i] = look_up(linear, Min(Max(rgb[i], 0.0f), 255.0f));
	/* relative to white, in which each row sums up to 1 */
	x = 0.433953f * c[0] + 0.376219f * c[1] + 0.189828f * c[2];
	y = 0.212671f * c[0] + 0.715160f * c[1] + 0.072169f * c[2];
	z = 0.017758f * c[0] + 0.109477f * c[1] + 0.872765f * c[2];
	x = look_up(roots, Min(x, 1.0f) * ROOTS);
	y = look_up(roots, Min(y, 1.0f) * ROOTS);
	z = look_up(roots, Min(z, 1.0f) * ROOTS);
	lab[0] = 116 * y - 16;
	lab[1] = 500 * (x - y);
	lab[2] = 200 * (y - z);
}
