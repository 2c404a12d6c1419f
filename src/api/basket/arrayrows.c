/*
 * arrayrows.c
 *	  Rows that begin with an array of items, made fast.
 *
 * Half a million item sets are mined in a few hundredths of a second, so that the
 * rows are most of the work.  Here the array is written straight to where it stands
 * in the tuple, and the columns that follow it to theirs, always in the same piece
 * of memory; the tuplestore copies it once.  heap_form_tuple would look at each
 * column twice and copy once more.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "api/basket/arrayrows.h"

typedef struct RowColumn
{
	int16		length;
	bool		byvalue;
	char		alignment;
} RowColumn;

struct RecsysArrayRows
{
	RecsysAnswer *answer;
	const RecsysItemArrays *arrays;
	int			ncolumns;		/* behind the array */
	RowColumn  *columns;
	Size		rest;			/* the most that they take */
	uint32		header;			/* bytes before the array */
	HeapTupleData tuple;
	Size		room;			/* for the tuple's data */
};

RecsysArrayRows *
RecsysArrayRowsCreate(RecsysAnswer *answer, const RecsysItemArrays *arrays)
{
	TupleDesc	desc = answer->result->setDesc;
	RecsysArrayRows *rows = palloc0(sizeof(RecsysArrayRows));

	rows->answer = answer;
	rows->arrays = arrays;
	rows->ncolumns = desc->natts - 1;
	rows->columns = palloc(sizeof(RowColumn) * Max(rows->ncolumns, 1));
	for (int i = 0; i < rows->ncolumns; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i + 1);

		if (attribute->attlen <= 0)
			elog(ERROR, "column %d is not of fixed length", i + 2);
		rows->columns[i].length = attribute->attlen;
		rows->columns[i].byvalue = attribute->attbyval;
		rows->columns[i].alignment = attribute->attalign;
		rows->rest += MAXALIGN(attribute->attlen);
	}
	rows->header = MAXALIGN(SizeofHeapTupleHeader + BITMAPLEN(desc->natts));
	ItemPointerSetInvalid(&rows->tuple.t_self);
	return rows;
}

/* More room, with a header in it. */
static void
enlarge(RecsysArrayRows *rows, Size size)
{
	HeapTupleHeader header;

	if (rows->tuple.t_data != NULL)
		pfree(rows->tuple.t_data);
	rows->room = size * 2;
	header = MemoryContextAllocZero(GetMemoryChunkContext(rows), rows->room);
	header->t_hoff = rows->header;
	HeapTupleHeaderSetNatts(header, rows->ncolumns + 1);
	rows->tuple.t_data = header;
}

void
RecsysArrayRowsPut(RecsysArrayRows *rows, const uint32 *items, uint32 n, const Datum *values,
				   const bool *isnull)
{
	Size		most = rows->header + RecsysItemArraysMost(rows->arrays, n) + rows->rest + MAXIMUM_ALIGNOF;
	uint16		infomask = HEAP_HASVARWIDTH;
	HeapTupleHeader header;
	char	   *data;
	Size		end;

	if (most > rows->room)
		enlarge(rows, most);
	header = rows->tuple.t_data;
	data = (char *) header;
	end = rows->header + RecsysItemArraysWrite(rows->arrays, data + rows->header, items, n);
	header->t_bits[0] = 1;
	for (int i = 0; i < rows->ncolumns; i++)
	{
		const RowColumn *column = &rows->columns[i];
		Size		start;

		if ((i + 1) % 8 == 0)
			header->t_bits[(i + 1) / 8] = 0;
		if (isnull[i])
		{
			infomask |= HEAP_HASNULL;
			continue;
		}
		header->t_bits[(i + 1) / 8] |= 1 << ((i + 1) % 8);
		start = att_align_nominal(end, column->alignment);
		while (end < start)
			data[end++] = 0;
		if (column->byvalue)
			store_att_byval(data + end, values[i], column->length);
		else
			memcpy(data + end, DatumGetPointer(values[i]), column->length);
		end += column->length;
	}
	header->t_infomask = infomask;
	rows->tuple.t_len = (uint32) end;
	tuplestore_puttuple(rows->answer->result->setResult, &rows->tuple);
}
