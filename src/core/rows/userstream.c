/*
 * userstream.c
 *	  Users' folded histories that are read one after the other, in chunks.
 */
#include "core/rows/userstream.h"

void
RecsysStreamReadingBegin(RecsysStreamReading *reading, RecsysUserStream *stream)
{
	reading->stream = stream;
	reading->has_ahead = false;
	stream->rewind(stream->arg);
}

bool
RecsysStreamReadingFill(RecsysStreamReading *reading, RecsysHistoryChunk *chunk)
{
	RecsysUserStream *stream = reading->stream;

	if (stream->fill != NULL)
		return stream->fill(stream->arg, chunk);
	for (;;)
	{
		uint64		offsets[2] = {0, 0};
		RecsysMatrix row = {.nrows = 1, .offsets = offsets};

		if (!reading->has_ahead &&
			!stream->next(stream->arg, &reading->items, &reading->weights, &reading->count))
			return chunk->matrix.nrows > 0;
		offsets[1] = reading->count;
		row.columns = (uint32 *) reading->items;
		row.weights = (float *) reading->weights;
		if (chunk->matrix.places != NULL)
			row.places = (uint16 *) stream->places(stream->arg);
		reading->has_ahead = RecsysHistoryChunkAppend(chunk, &row, 0) == 0;
		if (reading->has_ahead)
			return true;
	}
}
