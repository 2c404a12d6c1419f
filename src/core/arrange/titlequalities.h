/*
 * titlequalities.h
 *	  Words of titles that tell variants of a product apart: colours, sizes, and the like.
 */
#ifndef RECSYS_TITLEQUALITIES_H
#define RECSYS_TITLEQUALITIES_H

#include "core/arrange/titlewords.h"

typedef enum RecsysQualityKind
{
	RECSYS_QUALITY_COLOUR,
	RECSYS_QUALITY_SIZE,
	RECSYS_QUALITY_WHOM,		/* women, men, children */
	RECSYS_QUALITY_SIDE,
	RECSYS_QUALITY_MODEL		/* pro, mini, refurbished: to have none is a quality, too */
} RecsysQualityKind;

#define RECSYS_QUALITY_KINDS (RECSYS_QUALITY_MODEL + 1)

/* A quality that the word names, whatever the language: its kind, and a bit for its value; 0: none */
extern uint32 RecsysWordQuality(const RecsysWord *word, RecsysQualityKind *kind);

/* Does it come with a number of pieces, as set and pack do? */
extern bool RecsysWordCounts(const char *text, Size len);

#endif							/* RECSYS_TITLEQUALITIES_H */
