/*
 * descriptor.c
 *	  What a picture looks like, as a unit vector.
 *
 * It has parts, each of which has its own length, and so its share of the inner product of two:
 *
 *		edges		oriented gradients of the brightness of the whole picture: collar, seams, print
 *		outline		oriented gradients of the object's silhouette, in a frame around the object
 *		silhouette	how much of each part of that frame the object covers
 *		colors		a joint histogram of the object's colors; none of a picture that is gray
 *		lightness	of the object, as an angle
 *		aspect		width by height of the picture, as an angle
 *
 * Frames are square, so that narrow objects stay narrow.  The weights were found on clothes: the 70,000 gray pictures of
 * Fashion-MNIST, where the whole picture is the object and edges tell the most, and 1,000 photos from
 * sellers' phones, where the outline does, whatever is around the object.
 */
#include "core/image/image.h"

#include <math.h>

#include "core/image/canvas.h"
#include "core/image/colorhistogram.h"
#include "core/image/foreground.h"
#include "core/image/orientedgradients.h"
#include "core/image/silhouette.h"

static const float edges_length = 1.0f;
static const float outline_length = 1.0f;
static const float silhouette_length = 0.5f;
static const float colors_length = 0.3f;
static const float lightness_length = 0.15f;
static const float aspect_length = 0.1f;

#define NUMBERS (2 * RECSYS_GRADIENT_NUMBERS + RECSYS_SILHOUETTE_NUMBERS + RECSYS_COLOR_NUMBERS + 2 + 2)

typedef struct Sight
{
	RecsysCanvas canvas;
	RecsysForeground foreground;
	float		outline[RECSYS_CANVAS_PIXELS];
} Sight;

int
RecsysDescriptorLength(void)
{
	return NUMBERS;
}

/* A part that was put where the descriptor ends so far gets its length. */
static float *
finish_part(float *part, int numbers, float length)
{
	for (int i = 0; i < numbers; i++)
		part[i] *= length;
	return part + numbers;
}

/* A number from 0 to 1 as two of a unit vector, so that near ones have a large inner product. */
static float *
add_angle(float *part, double at, float length)
{
	part[0] = (float) cos(at * M_PI / 2);
	part[1] = (float) sin(at * M_PI / 2);
	return finish_part(part, 2, length);
}

static void
to_unit_length(float *descriptor)
{
	double		square = 0;

	for (int i = 0; i < NUMBERS; i++)
		square += (double) descriptor[i] * descriptor[i];
	for (int i = 0; i < NUMBERS; i++)
		descriptor[i] = (float) (descriptor[i] / sqrt(square));
}

/* Turns from the whole picture to the object in it. */
static void
look_at_object(const RecsysImage *image, RecsysFrame frame, Sight *sight)
{
	RecsysBackdrop *backdrop = RecsysBackdropLearn(&sight->canvas);

	RecsysFindForeground(backdrop, &sight->canvas, &sight->foreground);
	if (RecsysFrameObject(&sight->foreground, &frame))
	{
		RecsysFillCanvas(image, &frame, &sight->canvas);
		RecsysFindForeground(backdrop, &sight->canvas, &sight->foreground);
	}
	RecsysBackdropFree(backdrop);
	/* on the scale of L*, which gradients are measured on */
	for (int i = 0; i < RECSYS_CANVAS_PIXELS; i++)
		sight->outline[i] = 100 * sight->foreground.share[i];
}

void
RecsysDescribeImage(const RecsysImage *image, float *descriptor)
{
	Sight	   *sight = palloc(sizeof(Sight));
	float		side = (float) Max(image->width, image->height);
	RecsysFrame whole = {((float) image->width - side) / 2, ((float) image->height - side) / 2, side, side};
	float	   *part = descriptor;

	RecsysFillCanvas(image, &whole, &sight->canvas);
	RecsysOrientedGradients(sight->canvas.lab[0], sight->canvas.inside, part);
	part = finish_part(part, RECSYS_GRADIENT_NUMBERS, edges_length);
	look_at_object(image, whole, sight);
	RecsysOrientedGradients(sight->outline, sight->canvas.inside, part);
	part = finish_part(part, RECSYS_GRADIENT_NUMBERS, outline_length);
	RecsysSilhouette(&sight->foreground, part);
	part = finish_part(part, RECSYS_SILHOUETTE_NUMBERS, silhouette_length);
	if (image->gray)
		memset(part, 0, RECSYS_COLOR_NUMBERS * sizeof(float));
	else
		RecsysColorHistogram(&sight->canvas, &sight->foreground, part);
	part = finish_part(part, RECSYS_COLOR_NUMBERS, colors_length);
	part = add_angle(part, RecsysMeanLightness(&sight->canvas, &sight->foreground) / 100, lightness_length);
	part = add_angle(part, 0.5 + 0.5 * tanh(log(image->aspect)), aspect_length);
	Assert(part == descriptor + NUMBERS);
	to_unit_length(descriptor);
	pfree(sight);
}
