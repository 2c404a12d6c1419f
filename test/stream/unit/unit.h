/*
 * unit.h
 *	  Streams and messages in one line each, for tests of the decoder.
 */
#ifndef RECSYS_UNIT_H
#define RECSYS_UNIT_H

#include "stream/record/decoder.h"

/* Print one result line of TAP. */
extern void ok(bool passed, const char *format,...) pg_attribute_printf(2, 3);

/*
 * A stream of that format.  Fields are "name=source" with options behind commas: time, document, array,
 * bytes; s, ms, us; text!, uuid!, bigint! for pseudonyms; and, last, default=…; NULL ends them.
 */
extern RecsysStreamSettings *stream(RecsysStreamFormat format, ...);
extern void stream_option(RecsysStreamSettings *settings, const char *name, const char *value);

/* Lines of the program's file, for the decoders to come. */
extern void secret(const char *name, const char *value);
extern void no_secrets(void);

/* The message that will be decoded: offset 7 of partition 3 of topic shop. */
extern RecsysStreamRecord message;

/*
 * What becomes of a payload (NULL: a tombstone): rows, "skipped", "rejected: reason", "retry: reason", or
 * "no decoder: fault".  Number 1 and the kind of the row are left out where it is r.
 */
extern const char *decoded(const RecsysStreamSettings *settings, const char *payload);
extern const char *decoded_bytes(const RecsysStreamSettings *settings, const char *payload, size_t length);

/* ok() if decoding gives that; otherwise what it gives is printed, too. */
extern void expect(const char *what, const RecsysStreamSettings *settings, const char *payload,
				   const char *expected);

/* Groups of tests, a file each. */
extern void test_json(void);
extern void test_values(void);
extern void test_times(void);
extern void test_pseudonyms(void);
extern void test_csv(void);
extern void test_messages(void);
extern void test_avro(void);
extern void test_registry(void);
extern void test_hostile(void);

#endif							/* RECSYS_UNIT_H */
