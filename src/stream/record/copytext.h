/*
 * copytext.h
 *	  Values in COPY's text format.
 */
#ifndef RECSYS_COPYTEXT_H
#define RECSYS_COPYTEXT_H

#include "postgres_fe.h"

#include "pqexpbuffer.h"

/* A value's text, with what has a meaning in COPY escaped. */
extern void RecsysCopyText(PQExpBuffer rows, const char *text, size_t length);
extern void RecsysCopyNull(PQExpBuffer rows);
extern void RecsysCopyInteger(PQExpBuffer rows, int64 value);

/* Bytes as bytea has them. */
extern void RecsysCopyBytes(PQExpBuffer rows, const char *bytes, size_t length);

/* Ends the program, as pg_malloc() does, if a buffer has lost what was in it for want of memory. */
extern void RecsysCheckMemory(PQExpBuffer buffer);

/* Valid UTF-8 without null bytes? */
extern bool RecsysIsText(const char *text, size_t length);

#endif							/* RECSYS_COPYTEXT_H */
