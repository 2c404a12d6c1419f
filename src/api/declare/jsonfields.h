/*
 * jsonfields.h
 *	  Fields of JSON objects, read and written.
 *
 * A field that is null is not there.  What is of another type than asked for is an error that
 * names the field.
 */
#ifndef RECSYS_JSONFIELDS_H
#define RECSYS_JSONFIELDS_H

#include "postgres.h"

#include "utils/jsonb.h"

/* A value as a container; errors out unless it is an object, or an array.  what: for the message */
extern JsonbContainer *RecsysJsonObject(JsonbValue *value, const char *what);
extern JsonbContainer *RecsysJsonArray(JsonbValue *value, const char *what);

extern bool RecsysJsonGet(JsonbContainer *object, const char *key, JsonbValue *value);
extern char *RecsysJsonText(JsonbContainer *object, const char *key);	/* or NULL */
extern double RecsysJsonNumber(JsonbContainer *object, const char *key, double otherwise);
extern int64 RecsysJsonInteger(JsonbContainer *object, const char *key, int64 otherwise);
extern bool RecsysJsonFlag(JsonbContainer *object, const char *key, bool otherwise);

/* Errors out on fields that are not among the known ones, see RecsysCheckWord. */
extern void RecsysJsonCheckKeys(JsonbContainer *object, const char *const *known, int n);

/* A single value; what: for the message */
extern char *RecsysJsonValueText(const JsonbValue *value, const char *what);
extern double RecsysJsonValueNumber(const JsonbValue *value, const char *what);
extern int64 RecsysJsonValueInteger(const JsonbValue *value, const char *what);

/* Fields of an object in the making, and elements of an array; a text that is NULL is left out */
extern void RecsysJsonPutKey(JsonbParseState **state, const char *key);
extern void RecsysJsonPutText(JsonbParseState **state, const char *key, const char *value);
extern void RecsysJsonPutNumber(JsonbParseState **state, const char *key, double value);
extern void RecsysJsonPutInteger(JsonbParseState **state, const char *key, int64 value);
extern void RecsysJsonPutFlag(JsonbParseState **state, const char *key, bool value);
extern void RecsysJsonPutElement(JsonbParseState **state, const char *value);

#endif							/* RECSYS_JSONFIELDS_H */
