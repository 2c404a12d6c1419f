/*
 * cielab.h
 *	  Colors as people see them: equal distances are about equal differences (CIE 1976 L*a*b*).
 */
#ifndef RECSYS_CIELAB_H
#define RECSYS_CIELAB_H

#include "core/base/platform.h"

/* From sRGB within 0 to 255: L within 0 to 100, a and b about -100 to 100 */
extern void RecsysRGBToLab(const float *rgb, float *lab);

#endif							/* RECSYS_CIELAB_H */
