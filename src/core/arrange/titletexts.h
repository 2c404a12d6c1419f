/*
 * titletexts.h
 *	  Titles as numbers of the words that count in them.
 */
#ifndef RECSYS_TITLETEXTS_H
#define RECSYS_TITLETEXTS_H

#include "core/rows/dictionary.h"

typedef struct RecsysTitleTexts
{
	RecsysDictionary *dictionary;
	uint8	   *kinds;			/* by word: see titletexts.c */
	uint32		kind_room;

	uint32		count;			/* of titles */
	Size	   *starts;			/* by title and one behind: of its words */
	uint32		title_room;
	uint32	   *words;
	Size		word_room;
} RecsysTitleTexts;

extern void RecsysTitleTextsInit(RecsysTitleTexts *texts);
extern void RecsysTitleTextsFree(RecsysTitleTexts *texts);

extern void RecsysTitleTextsAdd(RecsysTitleTexts *texts, const char *title, Size len, bool is_utf8);

/*
 * Leaves only the words that count: no numbers, none that only connect, none of quantities.
 * A title that has fewer than two others keeps its numbers, and if that has none, all.
 */
extern void RecsysTitleTextsKeep(RecsysTitleTexts *texts);

static inline uint32
RecsysTitleLength(const RecsysTitleTexts *texts, uint32 title)
{
	return (uint32) (texts->starts[title + 1] - texts->starts[title]);
}

static inline const uint32 *
RecsysTitleWords(const RecsysTitleTexts *texts, uint32 title)
{
	return texts->words + texts->starts[title];
}

#endif							/* RECSYS_TITLETEXTS_H */
