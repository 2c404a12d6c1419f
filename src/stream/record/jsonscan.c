/*
 * jsonscan.c
 *	  Reading JSON from left to right, without copying it.
 */
#include "stream/record/jsonscan.h"

#include "stream/record/copytext.h"

/* Goes on to the next token.  Whether it is one, and which, is asked by whoever wants it. */
static void
next(RecsysJsonScan *scan)
{
	scan->behind = scan->lex.token_terminator;
	scan->error = json_lex(&scan->lex);
	scan->token = scan->error == JSON_SUCCESS ? scan->lex.token_type : JSON_TOKEN_INVALID;
}

void
RecsysJsonBegin(RecsysJsonScan *scan, const char *text, size_t length)
{
	RECSYS_BEGIN_JSON(&scan->lex, text, length);
	scan->fault = scan->fault_at = NULL;
	next(scan);
}

/* The next token is not what was expected, if it is one at all. */
static bool
fail(RecsysJsonScan *scan, const char *expected)
{
	const char *end = scan->lex.input + scan->lex.input_length;

	scan->fault = expected;
	scan->fault_at = scan->lex.token_start;
	switch (scan->error)
	{
		case JSON_ESCAPING_REQUIRED:
			scan->fault = "a control character must be escaped";
			scan->fault_at = scan->lex.token_terminator;
			break;
		case JSON_ESCAPING_INVALID:
			scan->fault = "no such escape";
			break;
		case JSON_UNICODE_ESCAPE_FORMAT:
			scan->fault = "four hexadecimal digits must follow \\u";
			break;
		default:
			if (scan->token == JSON_TOKEN_END ||
				(scan->error != JSON_SUCCESS && *scan->lex.token_start == '"' && scan->lex.token_terminator >= end))
			{
				scan->fault = "it ends before it is complete";
				scan->fault_at = end;
			}
			break;
	}
	return false;
}

bool
RecsysJsonTake(RecsysJsonScan *scan, JsonTokenType token)
{
	if (scan->token != token)
		return false;
	next(scan);
	return true;
}

bool
RecsysJsonExpect(RecsysJsonScan *scan, JsonTokenType token, const char *fault)
{
	return RecsysJsonTake(scan, token) || fail(scan, fault);
}

bool
RecsysJsonEnd(RecsysJsonScan *scan)
{
	return scan->token == JSON_TOKEN_END || fail(scan, "nothing can follow the value");
}

static bool
skip_name(RecsysJsonScan *scan)
{
	return RecsysJsonExpect(scan, JSON_TOKEN_STRING, "a name in quotes is expected") &&
		RecsysJsonExpect(scan, JSON_TOKEN_COLON, "a colon is expected");
}

bool
RecsysJsonName(RecsysJsonScan *scan, RecsysStreamValue *name)
{
	name->kind = RECSYS_VALUE_STRING;
	if (scan->token == JSON_TOKEN_STRING)
	{
		name->text = scan->lex.token_start + 1;
		name->length = scan->lex.token_terminator - name->text - 1;
	}
	return skip_name(scan);
}

/* Values in a loop, whatever their level. */
bool
RecsysJsonSkip(RecsysJsonScan *scan)
{
	JsonTokenType closes[RECSYS_JSON_DEPTH];
	int			depth = 0;

	do
	{
		bool		object = scan->token == JSON_TOKEN_OBJECT_START;

		switch (scan->token)
		{
			case JSON_TOKEN_OBJECT_START:
			case JSON_TOKEN_ARRAY_START:
				if (depth >= RECSYS_JSON_DEPTH)
					return fail(scan, "it is nested too deeply");
				closes[depth++] = object ? JSON_TOKEN_OBJECT_END : JSON_TOKEN_ARRAY_END;
				next(scan);
				if (scan->token != closes[depth - 1])
				{
					if (object && !skip_name(scan))
						return false;
					continue;
				}
				break;
			case JSON_TOKEN_STRING:
			case JSON_TOKEN_NUMBER:
			case JSON_TOKEN_TRUE:
			case JSON_TOKEN_FALSE:
			case JSON_TOKEN_NULL:
				next(scan);
				break;
			default:
				return fail(scan, "a value is expected");
		}
		while (depth > 0 && RecsysJsonTake(scan, closes[depth - 1]))
			depth--;
		if (depth == 0)
			break;
		object = closes[depth - 1] == JSON_TOKEN_OBJECT_END;
		if (!RecsysJsonExpect(scan, JSON_TOKEN_COMMA, object ? "a comma or } is expected" : "a comma or ] is expected") ||
			(object && !skip_name(scan)))
			return false;
	} while (depth > 0);
	return true;
}

static RecsysValueKind
kind_of(JsonTokenType token)
{
	switch (token)
	{
		case JSON_TOKEN_STRING:
			return RECSYS_VALUE_STRING;
		case JSON_TOKEN_NUMBER:
			return RECSYS_VALUE_NUMBER;
		case JSON_TOKEN_TRUE:
		case JSON_TOKEN_FALSE:
			return RECSYS_VALUE_BOOLEAN;
		case JSON_TOKEN_NULL:
			return RECSYS_VALUE_NULL;
		default:
			return RECSYS_VALUE_DOCUMENT;
	}
}

bool
RecsysJsonValue(RecsysJsonScan *scan, RecsysStreamValue *value)
{
	value->kind = kind_of(scan->token);
	value->text = scan->lex.token_start;
	if (!RecsysJsonSkip(scan))
		return false;
	value->length = scan->behind - value->text;
	if (value->kind == RECSYS_VALUE_STRING)
	{
		value->text++;
		value->length -= 2;
	}
	return true;
}

/* Why a string that is one for JSON is none for the server. */
static const char *
unfit(JsonParseErrorType error)
{
	if (error == JSON_UNICODE_CODE_POINT_ZERO)
		return "has \\u0000 in it, which no text can hold";
	return "has one half of a surrogate pair without the other in it";
}

bool
RecsysJsonText(const RecsysStreamValue *string, PQExpBuffer scratch, const char **text, size_t *length,
			   const char **fault)
{
	JsonLexContext *lex;
	JsonParseErrorType error;

	*text = string->text;
	*length = string->length;
	if (memchr(string->text, '\\', string->length) == NULL)
		return true;
	lex = RECSYS_CREATE_JSON_UNESCAPER(string->text - 1, string->length + 2);
	error = json_lex(lex);
	if (error == JSON_SUCCESS)
	{
		resetPQExpBuffer(scratch);
		appendBinaryPQExpBuffer(scratch, lex->strval->data, lex->strval->len);
		RecsysCheckMemory(scratch);
		*text = scratch->data;
		*length = scratch->len;
	}
	else
		*fault = unfit(error);
	RECSYS_FREE_JSON_UNESCAPER(lex);
	return error == JSON_SUCCESS;
}

bool
RecsysJsonFits(const char *json, size_t length, const char **fault)
{
	JsonLexContext *lex;
	JsonParseErrorType error;

	if (memchr(json, '\\', length) == NULL)
		return true;
	lex = RECSYS_CREATE_JSON_UNESCAPER(json, length);
	do
		error = json_lex(lex);
	while (error == JSON_SUCCESS && lex->token_type != JSON_TOKEN_END);
	RECSYS_FREE_JSON_UNESCAPER(lex);
	if (error != JSON_SUCCESS)
		*fault = unfit(error);
	return error == JSON_SUCCESS;
}

void
RecsysJsonQuote(const char *text, size_t length, PQExpBuffer result)
{
	appendPQExpBufferChar(result, '"');
	for (size_t i = 0; i < length; i++)
	{
		unsigned char letter = text[i];

		if (letter == '"' || letter == '\\')
			appendPQExpBufferChar(result, '\\');
		if (letter < 0x20)
			appendPQExpBuffer(result, "\\u%04x", letter);
		else
			appendPQExpBufferChar(result, letter);
	}
	appendPQExpBufferChar(result, '"');
}
