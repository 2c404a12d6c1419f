/*
 * plot.h
 *	  Curves of regret over trials, the trials on a logarithmic axis, as an SVG file.
 */
#ifndef RECSYS_BENCH_PLOT_H
#define RECSYS_BENCH_PLOT_H

/* At trial 10^(i / POINTS_OF_TEN) */
#define POINTS_OF_TEN 10
#define MOST_POINTS (8 * POINTS_OF_TEN + 1)

typedef struct Curve
{
	const char *name;
	int			runs;
	double		sum[MOST_POINTS];	/* of regret, over runs */
	double		squares[MOST_POINTS];
} Curve;

static inline double
curve_mean(const Curve *curve, int point)
{
	return curve->sum[point] / curve->runs;
}

/* points: how many there are of each curve.  Returns whether the file could be written. */
extern int	plot(const char *file, const char *title, const Curve *curves, int ncurves, int points);

#endif							/* RECSYS_BENCH_PLOT_H */
