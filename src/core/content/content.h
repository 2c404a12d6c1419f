/*
 * content.h
 *	  What items say of themselves: attributes, how two values of one compare, and
 *	  how alike two items are.
 *
 * The likeness of two items is the mean of the likenesses of their attributes, by weight:
 *
 *		likeness(i, j) = sum over attributes a of weight_a * likeness_a(i, j) / sum of weight_a
 *
 * Each likeness_a is within 0 to 1, and 0 where one of the two values is unknown: what is
 * not known speaks for nothing.
 *
 * label	1 if equal, else 0
 * labels	weighted Jaccard: sum of the weights of the common labels by that of all, each
 *			label weighing its inverse document frequency
 * text		cosine of BM25-weighted terms (Robertson and Zaragoza 2009)
 * number	Gaussian: exp(-(x - y)^2 / (2 scale^2)), of logarithms unless told otherwise;
 *			what has no logarithm is unknown.  0 from about 5.8 scales on
 * vector	cosine; below 0 it counts as 0
 *
 * Many items are exactly as alike (all of one category).  Which of them are neighbors must not
 * be the same few for everybody, nor leave the newest ones out; so a pair's likeness is
 * lowered by a lot, drawn from the hashes of both keys, of at most RECSYS_LOT of itself:
 *
 *		score(i, j) = likeness(i, j) * (1 - RECSYS_LOT * lot(i, j)),  lot within 0 to 1, lot(i, j) = lot(j, i)
 *
 * All of it is computed from integers: components of vectors and weights of terms are
 * stored as 16-bit fixed-point numbers of a unit vector, so that every partial sum of a
 * product fits 32 bits (Cauchy and Schwarz) and no order of addition changes a sum.  What is
 * computed from those sums is done by operations that IEEE 754 defines to the last bit, in
 * one order.  Hence a pair has the same score, to the last bit, by whichever kernel and on
 * whichever machine it is computed: merges give what a build gives.  This room is compiled
 * without contraction of floating-point expressions (see the Makefile) for the same reason.
 *
 * This header is all of the room's.
 */
#ifndef RECSYS_CONTENT_H
#define RECSYS_CONTENT_H

#include "core/content/contentclusters.h"
#include "core/content/contentmodel.h"
#include "core/content/likeness.h"
#include "core/content/likenessbest.h"
#include "core/content/likenessblock.h"
#include "core/content/packed.h"
#include "core/content/rawcontent.h"
#include "core/content/termcounts.h"
#include "core/content/terms.h"

#endif							/* RECSYS_CONTENT_H */
