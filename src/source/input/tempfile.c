/*
 * tempfile.c
 *	  Reading temporary files from one end to the other.
 */
#include "postgres.h"

#include "source/input/tempfile.h"

static void
could_not_read(void)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not read from recsys temporary file")));
}

void
RecsysTempFileRewind(BufFile *file)
{
	if (BufFileSeek(file, 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not rewind recsys temporary file")));
}

void
RecsysTempFileRead(BufFile *file, void *dest, size_t size)
{
	if (BufFileRead(file, dest, size) != size)
		could_not_read();
}

bool
RecsysTempFileReadCount(BufFile *file, uint32 *count, uint32 most)
{
	size_t		got = BufFileRead(file, count, sizeof(*count));

	if (got == 0)
		return false;
	if (got != sizeof(*count) || *count > most)
		could_not_read();
	return true;
}
