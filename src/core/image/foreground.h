/*
 * foreground.h
 *	  What of a picture is the object, and what is the table that it lies on.
 */
#ifndef RECSYS_FOREGROUND_H
#define RECSYS_FOREGROUND_H

#include "core/image/canvas.h"

/* How much each pixel of the canvas belongs to the object, 0 to 1 */
typedef struct RecsysForeground
{
	float		share[RECSYS_CANVAS_PIXELS];
} RecsysForeground;

typedef struct RecsysBackdrop RecsysBackdrop;

/* Learns the colors of the backdrop from a canvas that shows the whole picture. */
extern RecsysBackdrop *RecsysBackdropLearn(const RecsysCanvas *canvas);
extern void RecsysBackdropFree(RecsysBackdrop *backdrop);

extern void RecsysFindForeground(const RecsysBackdrop *backdrop, const RecsysCanvas *canvas,
								 RecsysForeground *foreground);

/*
 * Changes frame, a square one that the canvas shows, to the square around the object.  False if there is none.
 */
extern bool RecsysFrameObject(const RecsysForeground *foreground, RecsysFrame *frame);

#endif							/* RECSYS_FOREGROUND_H */
