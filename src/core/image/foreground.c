/*
 * foreground.c
 *	  Product photos show one object in the middle, on something else.
 *
 * Colors that are as frequent along the border as they are in the whole picture, or more so, are those of
 * the backdrop; the rarer a color is at the border compared with all of the picture, the more it is the
 * object's.  Both frequencies are counted in coarse boxes of CIELAB, between which counts are
 * divided, so that noise does not decide.
 *
 * The frame follows from the moments of the object's pixels, not from the outermost ones: a speck of
 * dust in a corner has little weight.
 */
#include "core/image/foreground.h"

#include <math.h>

#define BOX_L 10.0f
#define BOX_AB 8.0f
#define BOXES_L 12				/* of 100 / BOX_L, and room for the neighbor */
#define BOXES_AB 34
#define BORDER 4				/* pixels of the canvas */
#define PRIOR 4.0f				/* pixels that every color is taken to have at the border and inside */
#define REACH 2.2f				/* half a frame, in standard deviations of the object; a rectangle has 1.73 */
#define LEAST 0.05f				/* part of the canvas that an object covers, or else it is none */

#define N RECSYS_CANVAS

/* How many pixels have a color */
typedef struct Count
{
	float		border;
	float		all;
} Count;

struct RecsysBackdrop
{
	Count		boxes[BOXES_L][BOXES_AB][BOXES_AB];
	float		border_pixels;
	float		pixels;
};

/* A color among the boxes: the first of the eight around it, and what each counts */
typedef struct Place
{
	int			box;
	float		weights[8];
} Place;

/* The boxes of a place, beginning with the first, in the order of the weights */
static const int neighbors[8] = {
	0, 1, BOXES_AB, BOXES_AB + 1,
	BOXES_AB * BOXES_AB, BOXES_AB * BOXES_AB + 1, BOXES_AB * BOXES_AB + BOXES_AB, BOXES_AB * BOXES_AB + BOXES_AB + 1
};

static inline int
split(float at, int boxes, float *next)
{
	int			box;

	at = Min(Max(at, 0.0f), (float) boxes - 1.01f);
	box = (int) at;
	*next = at - (float) box;
	return box;
}

static inline void
find_place(const RecsysCanvas *canvas, int pixel, Place *place)
{
	float		l,
				a,
				b;
	int			box = split(canvas->lab[0][pixel] * (1 / BOX_L), BOXES_L, &l);

	box = box * BOXES_AB + split(canvas->lab[1][pixel] * (1 / BOX_AB) + BOXES_AB / 2, BOXES_AB, &a);
	box = box * BOXES_AB + split(canvas->lab[2][pixel] * (1 / BOX_AB) + BOXES_AB / 2, BOXES_AB, &b);
	place->box = box;
	for (int i = 0; i < 2; i++)
	{
		float		light = i ? l : 1 - l;

		place->weights[4 * i] = light * (1 - a) * (1 - b);
		place->weights[4 * i + 1] = light * (1 - a) * b;
		place->weights[4 * i + 2] = light * a * (1 - b);
		place->weights[4 * i + 3] = light * a * b;
	}
}

RecsysBackdrop *
RecsysBackdropLearn(const RecsysCanvas *canvas)
{
	RecsysBackdrop *backdrop = palloc0(sizeof(RecsysBackdrop));
	Count	   *boxes = &backdrop->boxes[0][0][0];
	int			left = N,
				right = -1,
				top = N,
				bottom = -1;

	for (int y = 0; y < N; y++)
		for (int x = 0; x < N; x++)
			if (canvas->inside[y * N + x])
			{
				left = Min(left, x);
				right = Max(right, x);
				top = Min(top, y);
				bottom = Max(bottom, y);
			}
	for (int y = top; y <= bottom; y++)
		for (int x = left; x <= right; x++)
		{
			float		at_border = x < left + BORDER || x > right - BORDER || y < top + BORDER || y > bottom - BORDER;
			Place		place;

			find_place(canvas, y * N + x, &place);
			backdrop->pixels++;
			backdrop->border_pixels += at_border;
			for (int i = 0; i < 8; i++)
			{
				Count	   *count = boxes + place.box + neighbors[i];

				count->all += place.weights[i];
				count->border += place.weights[i] * at_border;
			}
		}
	return backdrop;
}

void
RecsysBackdropFree(RecsysBackdrop *backdrop)
{
	pfree(backdrop);
}

void
RecsysFindForeground(const RecsysBackdrop *backdrop, const RecsysCanvas *canvas,
					 RecsysForeground *foreground)
{
	const Count *boxes = &backdrop->boxes[0][0][0];

	for (int pixel = 0; pixel < RECSYS_CANVAS_PIXELS; pixel++)
	{
		Place		place;
		float		border = 0;
		float		all = PRIOR;

		foreground->share[pixel] = 0;
		if (!canvas->inside[pixel])
			continue;
		find_place(canvas, pixel, &place);
		for (int i = 0; i < 8; i++)
		{
			const Count *count = boxes + place.box + neighbors[i];

			border += place.weights[i] * count->border;
			all += place.weights[i] * count->all;
		}
		foreground->share[pixel] = Max(0.0f, 1 - border * backdrop->pixels / (all * backdrop->border_pixels));
	}
}

bool
RecsysFrameObject(const RecsysForeground *foreground, RecsysFrame *frame)
{
	double		mass = 0,
				x_mean = 0,
				y_mean = 0,
				x_square = 0,
				y_square = 0;
	float		side;

	for (int y = 0; y < N; y++)
		for (int x = 0; x < N; x++)
		{
			/* what is doubtful counts less than its share */
			double		weight = foreground->share[y * N + x] * foreground->share[y * N + x];

			mass += weight;
			x_mean += weight * x;
			y_mean += weight * y;
			x_square += weight * x * x;
			y_square += weight * y * y;
		}
	if (mass < LEAST * RECSYS_CANVAS_PIXELS)
		return false;
	x_mean /= mass;
	y_mean /= mass;
	x_square = x_square / mass - x_mean * x_mean;
	y_square = y_square / mass - y_mean * y_mean;
	side = 2 * REACH * (float) sqrt(Max(Max(x_square, y_square), 4.0)) * frame->width / N;
	frame->left += ((float) x_mean + 0.5f) * frame->width / N - side / 2;
	frame->top += ((float) y_mean + 0.5f) * frame->height / N - side / 2;
	frame->width = side;
	frame->height = side;
	return true;
}
