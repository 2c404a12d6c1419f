/*
 * parts.c
 *	  Records on disk, divided by their place in an order.
 *
 * The order is that of one to three 64-bit words.  Each part is a temporary file of its own,
 * and a record goes to one of them by a few bits of a word: the highest ones first, so that
 * the parts are ranges.  That takes no comparison, writes each record once and reads it
 * once, where an external sort merges.  A part that is too large for memory is divided once
 * more, by the highest bits in which its records differ: so every division makes parts
 * smaller, whatever the words are.
 *
 * Files that have been read are deleted at once.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "source/input/parts.h"
#include "source/input/tempfile.h"

/* What a temporary file takes: its buffer and some more */
#define FILE_BYTES ((Size) BLCKSZ + 512)

/* Bits by which records are divided, at first and again */
#define MIN_BITS 2
#define MAX_BITS 8
#define SPLIT_BITS 4

/* A part is read in pieces of this size. */
#define READ_BYTES (8 * RECSYS_PART_READ)

/* Records between two checks for interrupts */
#define RECORDS_PER_CHECK 1024

typedef struct Part
{
	struct Part *next;
	BufFile    *file;
	uint64		nrecords;
	uint64		first[RECSYS_PART_WORDS];	/* of its first record */
	uint64		differing[RECSYS_PART_WORDS];	/* bits that are not the same in all records */
} Part;

struct RecsysParts
{
	MemoryContext context;
	int			nwords;
	int			bits;			/* of the first division */

	/* where records go */
	int			word;
	int			shift;
	int			fanout;
	Part	  **targets;		/* NULL: none yet */
	uint64		nput;

	/* being read */
	Part	   *part;
	Part	   *pending;		/* in ascending order */
	char	   *buffer;
	Size		start;
	Size		end;
	bool		at_end;			/* of the file */
};

static void
aim(RecsysParts *parts, int word, int top, int bits)
{
	parts->word = word;
	parts->shift = Max(top + 1 - bits, 0);
	parts->fanout = 1 << bits;
	parts->targets = MemoryContextAllocZero(parts->context, sizeof(Part *) * parts->fanout);
}

RecsysParts *
RecsysPartsCreate(int nwords, uint64 top, Size memory)
{
	RecsysParts *parts = palloc0(sizeof(RecsysParts));

	parts->context = CurrentMemoryContext;
	parts->nwords = nwords;
	parts->bits = MIN_BITS;
	while (parts->bits < MAX_BITS && (FILE_BYTES << (parts->bits + 1)) <= memory)
		parts->bits++;
	aim(parts, 0, top == 0 ? 0 : pg_leftmost_one_pos64(top), parts->bits);
	return parts;
}

static Part *
add_part(RecsysParts *parts, const uint64 *words)
{
	MemoryContext old = MemoryContextSwitchTo(parts->context);
	Part	   *part = palloc0(sizeof(Part));

	part->file = BufFileCreateTemp(false);
	memcpy(part->first, words, sizeof(uint64) * parts->nwords);
	MemoryContextSwitchTo(old);
	return part;
}

void
RecsysPartsPut(RecsysParts *parts, const uint64 *words, const void *record, Size size)
{
	Size		target = (words[parts->word] >> parts->shift) & (parts->fanout - 1);
	Part	   *part = parts->targets[target];

	if (part == NULL)
		part = parts->targets[target] = add_part(parts, words);
	part->nrecords++;
	for (int word = 0; word < parts->nwords; word++)
		part->differing[word] |= words[word] ^ part->first[word];
	BufFileWrite(part->file, (void *) record, size);
	if (++parts->nput % RECORDS_PER_CHECK == 0)
		CHECK_FOR_INTERRUPTS();
}

static void
close_part(RecsysParts *parts)
{
	if (parts->part == NULL)
		return;
	BufFileClose(parts->part->file);
	pfree(parts->part);
	parts->part = NULL;
}

/* What has been written comes before the parts that are there already. */
static void
take_targets(RecsysParts *parts)
{
	if (parts->targets == NULL)
		return;
	for (int target = parts->fanout - 1; target >= 0; target--)
	{
		Part	   *part = parts->targets[target];

		if (part == NULL)
			continue;
		part->next = parts->pending;
		parts->pending = part;
	}
	pfree(parts->targets);
	parts->targets = NULL;
}

bool
RecsysPartsNext(RecsysParts *parts)
{
	close_part(parts);
	take_targets(parts);
	if (parts->pending == NULL)
		return false;
	parts->part = parts->pending;
	parts->pending = parts->part->next;
	RecsysPartsRewind(parts);
	return true;
}

uint64
RecsysPartsRecords(const RecsysParts *parts)
{
	return parts->part->nrecords;
}

/* The first word in which records differ, or -1 */
static int
differing_word(const RecsysParts *parts)
{
	for (int word = 0; word < parts->nwords; word++)
		if (parts->part->differing[word] != 0)
			return word;
	return -1;
}

bool
RecsysPartsAlike(const RecsysParts *parts)
{
	return differing_word(parts) < 0;
}

void
RecsysPartsRange(const RecsysParts *parts, uint64 *least, uint64 *most)
{
	*least = parts->part->first[0] & ~parts->part->differing[0];
	*most = parts->part->first[0] | parts->part->differing[0];
}

void
RecsysPartsRewind(RecsysParts *parts)
{
	if (parts->buffer == NULL)
		parts->buffer = MemoryContextAlloc(parts->context, READ_BYTES);
	RecsysTempFileRewind(parts->part->file);
	parts->start = parts->end = 0;
	parts->at_end = false;
}

/* Read on, behind what is left in the buffer. */
static void
fill_buffer(RecsysParts *parts)
{
	Size		room;
	Size		got;

	memmove(parts->buffer, parts->buffer + parts->start, parts->end - parts->start);
	parts->end -= parts->start;
	parts->start = 0;
	room = READ_BYTES - parts->end;
	got = BufFileRead(parts->part->file, parts->buffer + parts->end, room);
	parts->at_end = got < room;
	parts->end += got;
	CHECK_FOR_INTERRUPTS();
}

const char *
RecsysPartsGet(RecsysParts *parts, Size size)
{
	const char *place;

	Assert(size <= RECSYS_PART_READ);
	if (parts->end - parts->start < size && !parts->at_end)
		fill_buffer(parts);
	if (parts->start == parts->end)
		return NULL;
	if (parts->end - parts->start < size)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read from recsys temporary file")));
	place = parts->buffer + parts->start;
	parts->start += size;
	return place;
}

void
RecsysPartsSplit(RecsysParts *parts)
{
	int			word = differing_word(parts);

	Assert(word >= 0 && parts->targets == NULL);
	aim(parts, word, pg_leftmost_one_pos64(parts->part->differing[word]), SPLIT_BITS);
}

Size
RecsysPartsMemory(const RecsysParts *parts)
{
	return (FILE_BYTES << parts->bits) + READ_BYTES + 2 * (FILE_BYTES << SPLIT_BITS);
}

void
RecsysPartsFree(RecsysParts *parts)
{
	take_targets(parts);
	close_part(parts);
	while (parts->pending != NULL)
	{
		parts->part = parts->pending;
		parts->pending = parts->part->next;
		close_part(parts);
	}
	if (parts->buffer != NULL)
		pfree(parts->buffer);
	pfree(parts);
}
