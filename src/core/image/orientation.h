/*
 * orientation.h
 *	  Which way up a picture is: phones store photos as the sensor has them, and note how they were held.
 */
#ifndef RECSYS_ORIENTATION_H
#define RECSYS_ORIENTATION_H

#include "core/image/image.h"
#include "core/image/imageformat.h"

/* 1 to 8 as Exif counts them; 1, upright, where nothing is noted or it makes no sense */
extern int	RecsysOrientationOf(RecsysFilePart exif);

/* Turns and mirrors it upright. */
extern void RecsysOrient(RecsysImage *image, int orientation);

#endif							/* RECSYS_ORIENTATION_H */
