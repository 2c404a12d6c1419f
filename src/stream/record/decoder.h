/*
 * decoder.h
 *	  Messages to rows: what recsys.create_stream() says of columns, applied to one message after the other.
 *
 * A row is a line in COPY's text format:
 *
 *		number		of the message in its batch, which ties its rows together
 *		r or d		a row to write, or (a tombstone) one to delete
 *		values		of the fields, in their order, as text; \N where there is none
 *
 * What is decoded is what the stream asks for, and no more: other parts of the message never get to the
 * server.  All text is valid UTF-8 without null bytes.
 */
#ifndef RECSYS_DECODER_H
#define RECSYS_DECODER_H

#include "postgres_fe.h"

#include "pqexpbuffer.h"
#include "stream/record/streamrecord.h"
#include "stream/record/streamsettings.h"

typedef struct RecsysDecoder RecsysDecoder;

typedef enum RecsysVerdict
{
	RECSYS_VERDICT_ROWS,		/* rows were appended, one or more; none for an empty array of items */
	RECSYS_VERDICT_SKIPPED,		/* a tombstone that is passed over, or no consent */
	RECSYS_VERDICT_REJECTED,	/* nothing was appended, and the reason says why: one sentence */
	RECSYS_VERDICT_RETRY		/* what it needs (a schema registry) cannot be reached now */
} RecsysVerdict;

/*
 * secrets are the lines of the program's file, name and value: pseudonym_key…, registry_user….  NULL, and
 * one sentence in fault, if the stream cannot be decoded at all.
 */
extern RecsysDecoder *RecsysDecoderCreate(const RecsysStreamSettings *settings,
										  const RecsysStreamOption *secrets, int nsecrets, PQExpBuffer fault);
extern bool RecsysDecoderNeedsHeaders(const RecsysDecoder *decoder);
extern RecsysVerdict RecsysDecode(RecsysDecoder *decoder, const RecsysStreamRecord *record, int64 number,
								  PQExpBuffer rows, PQExpBuffer reason);
extern void RecsysDecoderFree(RecsysDecoder *decoder);

#endif							/* RECSYS_DECODER_H */
