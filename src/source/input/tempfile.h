/*
 * tempfile.h
 *	  Reading temporary files from one end to the other.
 *
 * An error tells when a file is not as it was written.
 */
#ifndef RECSYS_TEMPFILE_H
#define RECSYS_TEMPFILE_H

#include "postgres.h"

#include "storage/buffile.h"

extern void RecsysTempFileRewind(BufFile *file);
extern void RecsysTempFileRead(BufFile *file, void *dest, size_t size);

/* Reads a number that is at most so large; false at the end of the file. */
extern bool RecsysTempFileReadCount(BufFile *file, uint32 *count, uint32 most);

#endif							/* RECSYS_TEMPFILE_H */
