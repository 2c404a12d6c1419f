/*
 * colorhistogram.h
 *	  Which colors an object has, and how much of each.
 */
#ifndef RECSYS_COLORHISTOGRAM_H
#define RECSYS_COLORHISTOGRAM_H

#include "core/image/canvas.h"
#include "core/image/foreground.h"

#define RECSYS_COLOR_STEPS 4
#define RECSYS_COLOR_NUMBERS (RECSYS_COLOR_STEPS * RECSYS_COLOR_STEPS * RECSYS_COLOR_STEPS)

/* A unit vector, or zeros where there is no object */
extern void RecsysColorHistogram(const RecsysCanvas *canvas, const RecsysForeground *foreground,
								 float *numbers);

/* L* of the object on the whole, 0 to 100; that of all of the picture where there is no object */
extern float RecsysMeanLightness(const RecsysCanvas *canvas, const RecsysForeground *foreground);

#endif							/* RECSYS_COLORHISTOGRAM_H */
