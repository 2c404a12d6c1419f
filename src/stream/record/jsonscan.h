/*
 * jsonscan.h
 *	  Reading JSON from left to right, without copying it.
 *
 * Tokens, and what strings with escapes mean, are the business of PostgreSQL's lexer, json_lex() of
 * libpgcommon, which looks at one token a call and allocates nothing.  Its parser, pg_parse_json(), is not
 * used: before version 17 it recurses as deep as a message is nested, it copies each name and each string,
 * and what it copied of a message that turns out to be broken is never freed.  So what is here is the loop
 * over tokens: arrays and objects that nobody asks for are passed over without recursion.
 */
#ifndef RECSYS_JSONSCAN_H
#define RECSYS_JSONSCAN_H

#include "postgres_fe.h"

#include "compat.h"
#include "pqexpbuffer.h"
#include "stream/record/streamvalue.h"

/* Arrays and objects in each other, at most. */
#define RECSYS_JSON_DEPTH 512

/*
 * Input is valid UTF-8 without null bytes, of less than 2 GB, as messages are.  A function that returns
 * false has set fault, and fault_at, the place: the rest of the input cannot be read then.  (Take has not:
 * the token is still to come.)
 */
typedef struct RecsysJsonScan
{
	JsonLexContext lex;
	JsonTokenType token;		/* the next one; JSON_TOKEN_INVALID if it is none */
	JsonParseErrorType error;	/* of that token */
	const char *behind;			/* where the token before ends */
	const char *fault;
	const char *fault_at;
} RecsysJsonScan;

extern void RecsysJsonBegin(RecsysJsonScan *scan, const char *text, size_t length);

/* Takes the next token if it is of that type; if it is not, that is a fault for the second of them. */
extern bool RecsysJsonTake(RecsysJsonScan *scan, JsonTokenType token);
extern bool RecsysJsonExpect(RecsysJsonScan *scan, JsonTokenType token, const char *fault);

/* The name of a member, and the colon behind it. */
extern bool RecsysJsonName(RecsysJsonScan *scan, RecsysStreamValue *name);

/* The value that comes next, whatever it is, and what kind it is of.  Not those of the kind ABSENT. */
extern bool RecsysJsonValue(RecsysJsonScan *scan, RecsysStreamValue *value);

/* The same, for whom it is none of interest. */
extern bool RecsysJsonSkip(RecsysJsonScan *scan);

/* Nothing but white space follows. */
extern bool RecsysJsonEnd(RecsysJsonScan *scan);

/*
 * The text of a STRING, without its escapes; it is in scratch if there are any.  False: fault is the end of
 * a sentence on why the server can have no such text.
 */
extern bool RecsysJsonText(const RecsysStreamValue *string, PQExpBuffer scratch, const char **text,
						   size_t *length, const char **fault);

/* Can all strings of a document, or of a STRING with its quotes, be texts of the server? */
extern bool RecsysJsonFits(const char *json, size_t length, const char **fault);

/* A text as a string of JSON, with quotes. */
extern void RecsysJsonQuote(const char *text, size_t length, PQExpBuffer result);

#endif							/* RECSYS_JSONSCAN_H */
