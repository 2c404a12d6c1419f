/*
 * termpage.c
 *	  Term pages: in how many values each term occurs, as of the build.
 *
 * A term is found by its hash.  Hashes are spread evenly, so its page is where its hash says,
 * or a page or two away.
 */
#include "postgres.h"

#include "am/content/termpage.h"
#include "am/store/corrupted.h"
#include "miscadmin.h"

/* Guesses that may go wrong before the range is halved instead: nobody has checked the pages */
#define MAX_GUESSES 4

StaticAssertDecl(sizeof(RecsysTermCount) == 16, "counts of terms have no hidden bytes but the last");

void
RecsysWriteTerms(Relation index, ForkNumber fork, const RecsysTermCount *terms, uint32 nterms,
				 RecsysContentMeta *meta)
{
	PGAlignedBlock image;
	Page		page = (Page) image.data;

	meta->terms = InvalidBlockNumber;
	meta->nterms = nterms;
	for (uint32 first = 0; first < nterms; first += RECSYS_PAGE_TERM_COUNTS)
	{
		uint32		n = Min(RECSYS_PAGE_TERM_COUNTS, nterms - first);
		RecsysTermCount *counts = (RecsysTermCount *) PageGetContents(page);
		BlockNumber block;

		RecsysPageInit(page, RECSYS_PAGE_TERMS, RECSYS_ITEMS);
		for (uint32 i = 0; i < n; i++)
		{
			counts[i].hash = terms[first + i].hash;
			counts[i].count = terms[first + i].count;
		}
		((PageHeader) page)->pd_lower += n * sizeof(RecsysTermCount);
		block = RecsysAppendPage(index, fork, page);
		if (first == 0)
			meta->terms = block;
		else if (block != meta->terms + first / RECSYS_PAGE_TERM_COUNTS)
			elog(ERROR, "term pages of index \"%s\" do not follow each other",
				 RelationGetRelationName(index));
	}
}

uint32
RecsysFindTermCount(const RecsysTermCount *terms, uint32 n, uint64 hash)
{
	uint32		low = 0;

	while (n > 0)
	{
		uint32		half = n / 2;

		if (terms[low + half].hash == hash)
			return terms[low + half].count;
		if (terms[low + half].hash < hash)
		{
			low += half + 1;
			n -= half + 1;
		}
		else
			n = half;
	}
	return 0;
}

/* Where between the two hashes is this one, as a page of so many? */
static BlockNumber
guess_page(uint64 hash, uint64 low, uint64 high, BlockNumber npages)
{
	double		share;

	if (hash <= low || high <= low)
		return 0;
	share = (double) (hash - low) / (double) (high - low);
	return Min((BlockNumber) (share * npages), npages - 1);
}

uint32
RecsysReadTermCount(void *arg, uint64 hash)
{
	RecsysTermReader *reader = arg;
	BlockNumber npages = RECSYS_TERM_PAGES(reader->nterms);
	BlockNumber first = 0;
	uint64		low = 0;
	uint64		high = PG_UINT64_MAX;

	for (int guesses = 0; npages > 0; guesses++)
	{
		BlockNumber number = guesses < MAX_GUESSES ? guess_page(hash, low, high, npages) : npages / 2;
		uint32		n = Min((uint64) RECSYS_PAGE_TERM_COUNTS,
							reader->nterms - (uint64) (first + number) * RECSYS_PAGE_TERM_COUNTS);
		Buffer		buffer;
		const RecsysTermCount *counts;
		uint64		least;
		uint64		most;
		uint32		count = 0;

		CHECK_FOR_INTERRUPTS();
		buffer = RecsysReadPage(reader->index, reader->terms + first + number, BUFFER_LOCK_SHARE,
								RECSYS_PAGE_TERMS);
		counts = (const RecsysTermCount *) PageGetContents(BufferGetPage(buffer));
		least = counts[0].hash;
		most = counts[n - 1].hash;
		if (hash >= least && hash <= most)
			count = RecsysFindTermCount(counts, n, hash);
		UnlockReleaseBuffer(buffer);

		if (hash >= least && hash <= most)
			return count;
		if (hash < least)
		{
			npages = number;
			high = least;
		}
		else
		{
			first += number + 1;
			npages -= number + 1;
			low = most;
		}
	}
	return 0;
}
