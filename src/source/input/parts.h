/*
 * parts.h
 *	  Records on disk, divided by their place in an order: what has to be sorted in memory
 *	  is one part at a time.  Private to the collector.
 *
 * Protocol:
 *
 *	Create, Put…,
 *	Next until false, and of each part Get…, or Rewind and once more; or, if the part
 *	does not fit in memory, Split, Put again what has been read of it, PutRest.
 *
 * The parts come in ascending order of the records' words, which are compared one after the
 * other; within a part the records come as they were put.
 */
#ifndef RECSYS_PARTS_H
#define RECSYS_PARTS_H

#include "postgres.h"

/* Most words that an order has */
#define RECSYS_PART_WORDS 3

typedef struct RecsysParts RecsysParts;

/*
 * The first word's highest bit that is ever set is that of top, and memory bounds the
 * buffers of the files.
 */
extern RecsysParts *RecsysPartsCreate(int nwords, uint64 top, Size memory);

/* One record: its words, and the bytes that are kept. */
extern void RecsysPartsPut(RecsysParts *parts, const uint64 *words, const void *record, Size size);

/* Turns to the next part that has records. */
extern bool RecsysPartsNext(RecsysParts *parts);

/* Of the part at hand: its records, and whether the words of all of them are the same */
extern uint64 RecsysPartsRecords(const RecsysParts *parts);
extern bool RecsysPartsAlike(const RecsysParts *parts);

/* The least that the first word of its records may be, and the most */
extern void RecsysPartsRange(const RecsysParts *parts, uint64 *least, uint64 *most);

/*
 * The next bytes of the part at hand, valid until the next call, or NULL at its end.  No
 * more than RECSYS_PART_READ at once.
 */
#define RECSYS_PART_READ 4096
extern const char *RecsysPartsGet(RecsysParts *parts, Size size);
extern void RecsysPartsRewind(RecsysParts *parts);

/*
 * Divides the part at hand further: what is put from now on goes to parts of it, which
 * come next.  Not for a part whose records are alike.
 */
extern void RecsysPartsSplit(RecsysParts *parts);

/* Bytes that the files take at most while one part is read. */
extern Size RecsysPartsMemory(const RecsysParts *parts);

extern void RecsysPartsFree(RecsysParts *parts);

#endif							/* RECSYS_PARTS_H */
