/*
 * canvas.h
 *	  The square on which pictures of any size are compared.
 */
#ifndef RECSYS_CANVAS_H
#define RECSYS_CANVAS_H

#include "core/image/image.h"

#define RECSYS_CANVAS 64
#define RECSYS_CANVAS_PIXELS (RECSYS_CANVAS * RECSYS_CANVAS)

/* A part of a picture, in its pixels; may reach beyond it */
typedef struct RecsysFrame
{
	float		left;
	float		top;
	float		width;
	float		height;
} RecsysFrame;

typedef struct RecsysCanvas
{
	float		lab[3][RECSYS_CANVAS_PIXELS];
	bool		inside[RECSYS_CANVAS_PIXELS];	/* of the picture */
} RecsysCanvas;

/* What is in the frame, onto all of the canvas; beyond the picture its border goes on. */
extern void RecsysFillCanvas(const RecsysImage *image, const RecsysFrame *frame,
							 RecsysCanvas *canvas);

#endif							/* RECSYS_CANVAS_H */
