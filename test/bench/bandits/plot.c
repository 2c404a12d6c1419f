/*
 * plot.c
 *	  Curves of regret over trials, the trials on a logarithmic axis, as an SVG file.
 *
 * On such an axis logarithmic growth is a straight line, and linear growth bends upwards.  A curve
 * has a band of two standard errors.
 */
#include "plot.h"

#include <math.h>
#include <stdio.h>

#define WIDTH 760
#define HEIGHT 440
#define LEFT 80
#define RIGHT 190
#define TOP 40
#define BOTTOM 50

/* Okabe, Ito: colours that all eyes tell apart */
static const char *const colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"};

static double
x_of(int point, int points)
{
	return LEFT + (double) (WIDTH - LEFT - RIGHT) * point / (points - 1);
}

static double
y_of(double value, double top)
{
	return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top;
}

static double
error_of(const Curve *curve, int point)
{
	double		mean = curve_mean(curve, point);
	double		variance = curve->squares[point] / curve->runs - mean * mean;

	return curve->runs > 1 && variance > 0 ? sqrt(variance / (curve->runs - 1)) : 0;
}

/* 1, 2 or 5 times a power of ten, of which some five make up the axis */
static double
tick_of(double top)
{
	double		power = pow(10, floor(log10(top / 5)));
	double		times = top / 5 / power;

	return power * (times > 5 ? 10 : times > 2 ? 5 : times > 1 ? 2 : 1);
}

static void
draw_axes(FILE *out, int points, double top)
{
	double		tick = tick_of(top);

	for (int point = 0; point < points; point += POINTS_OF_TEN)
		fprintf(out, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#ddd\"/>\n"
				"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">10<tspan dy=\"-5\" font-size=\"9\">%d</tspan></text>\n",
				x_of(point, points), TOP, x_of(point, points), HEIGHT - BOTTOM,
				x_of(point, points), HEIGHT - BOTTOM + 18, point / POINTS_OF_TEN);
	for (double value = 0; value <= top; value += tick)
		fprintf(out, "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#ddd\"/>\n"
				"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
				LEFT, y_of(value, top), WIDTH - RIGHT, y_of(value, top),
				LEFT - 8, y_of(value, top) + 4, value);
	fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">trials</text>\n",
			(LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12);
	fprintf(out, "<text transform=\"translate(20 %d) rotate(-90)\" text-anchor=\"middle\">cumulative regret</text>\n",
			(TOP + HEIGHT - BOTTOM) / 2);
}

static void
draw_curve(FILE *out, const Curve *curve, int number, int points, double top)
{
	const char *colour = colours[number % (int) (sizeof(colours) / sizeof(colours[0]))];

	fprintf(out, "<polygon fill=\"%s\" fill-opacity=\"0.15\" points=\"", colour);
	for (int point = 0; point < points; point++)
		fprintf(out, "%.1f,%.1f ", x_of(point, points),
				y_of(fmin(curve_mean(curve, point) + 2 * error_of(curve, point), top), top));
	for (int point = points - 1; point >= 0; point--)
		fprintf(out, "%.1f,%.1f ", x_of(point, points),
				y_of(fmax(curve_mean(curve, point) - 2 * error_of(curve, point), 0), top));
	fprintf(out, "\"/>\n<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"", colour);
	for (int point = 0; point < points; point++)
		fprintf(out, "%.1f,%.1f ", x_of(point, points), y_of(curve_mean(curve, point), top));
	fprintf(out, "\"/>\n<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"%s\" stroke-width=\"2\"/>\n"
			"<text x=\"%d\" y=\"%d\">%s</text>\n",
			WIDTH - RIGHT + 12, TOP + 10 + 20 * number, WIDTH - RIGHT + 32, TOP + 10 + 20 * number, colour,
			WIDTH - RIGHT + 38, TOP + 14 + 20 * number, curve->name);
}

int
plot(const char *file, const char *title, const Curve *curves, int ncurves, int points)
{
	FILE	   *out = fopen(file, "w");
	double		top = 1;

	if (out == NULL)
		return 0;
	for (int x = 0; x < ncurves; x++)
		top = fmax(top, 1.05 * curve_mean(&curves[x], points - 1));
	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
			"font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
			"<text x=\"%d\" y=\"24\" font-size=\"14\">%s</text>\n", WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT, title);
	draw_axes(out, points, top);
	for (int x = 0; x < ncurves; x++)
		draw_curve(out, &curves[x], x, points, top);
	fprintf(out, "</svg>\n");
	return fclose(out) == 0;
}
