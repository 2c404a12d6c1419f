/*
 * declaration.c
 *	  A stream as the database declares it: see declaration.h.
 *
 * Sections and names that are not known are passed over: a newer database may have more of them.
 */
#include "postgres_fe.h"

#include "stream/run/declaration.h"

static const char *const formats[] = {
	[RECSYS_STREAM_JSON] = "json", [RECSYS_STREAM_AVRO] = "avro",
	[RECSYS_STREAM_CSV] = "csv", [RECSYS_STREAM_TEXT] = "text"
};
static const char *const tombstones[] = {
	[RECSYS_TOMBSTONES_SKIP] = "skip", [RECSYS_TOMBSTONES_DELETE] = "delete", [RECSYS_TOMBSTONES_REJECT] = "error"
};
static const char *const kinds[] = {
	[RECSYS_FIELD_TEXT] = "text", [RECSYS_FIELD_TIME] = "time", [RECSYS_FIELD_DOCUMENT] = "document",
	[RECSYS_FIELD_ARRAY] = "array", [RECSYS_FIELD_BYTES] = "bytes"
};
static const char *const pseudonyms[] = {
	[RECSYS_PSEUDONYM_NONE] = "none", [RECSYS_PSEUDONYM_TEXT] = "text",
	[RECSYS_PSEUDONYM_UUID] = "uuid", [RECSYS_PSEUDONYM_BIGINT] = "bigint"
};
static const char *const units[] = {
	[RECSYS_TIME_AUTO] = "auto", [RECSYS_TIME_SECONDS] = "s",
	[RECSYS_TIME_MILLISECONDS] = "ms", [RECSYS_TIME_MICROSECONDS] = "us"
};

/* The number of a word, -1 and a sentence in fault if it is none of them. */
static int
word_number(const char *what, const char *word, const char *const *words, int nwords, PQExpBuffer fault)
{
	for (int number = 0; number < nwords; number++)
		if (word != NULL && strcmp(words[number], word) == 0)
			return number;
	printfPQExpBuffer(fault, "this recsys-stream does not know the %s \"%s\"; a newer one may", what, word ? word : "");
	return -1;
}

#define WORD_NUMBER(what, word, words, fault) word_number(what, word, words, lengthof(words), fault)

static bool
is_true(const char *value)
{
	return value != NULL && (strcmp(value, "t") == 0 || strcmp(value, "true") == 0);
}

static bool
take_stream(RecsysDeclaration *declaration, const char *name, const char *value, PQExpBuffer fault)
{
	RecsysStreamSettings *settings = &declaration->settings;
	char	   *copy = value != NULL ? pg_strdup(value) : NULL;
	int64		number = value != NULL ? strtoll(value, NULL, 10) : 0;
	int			word = 0;

	if (strcmp(name, "version") == 0)
		settings->version = number;
	else if (strcmp(name, "state") == 0)
		declaration->state = copy;
	else if (strcmp(name, "owner") == 0)
		settings->owner = copy;
	else if (strcmp(name, "brokers") == 0)
		settings->brokers = copy;
	else if (strcmp(name, "topic") == 0)
		settings->topic = copy;
	else if (strcmp(name, "group") == 0)
		settings->group = copy;
	else if (strcmp(name, "consent") == 0)
		settings->consent = copy;
	else if (strcmp(name, "search_path") == 0)
		declaration->search_path = copy;
	else if (strcmp(name, "keep_payload") == 0)
		settings->keep_payload = is_true(value);
	else if (strcmp(name, "max_rows") == 0)
		settings->max_rows = (int) number;
	else if (strcmp(name, "max_delay") == 0)
		settings->max_delay = (int) number;
	else if (strcmp(name, "jobs") == 0)
		settings->jobs = (int) number;
	else if (strcmp(name, "merge_interval") == 0)
		settings->merge_interval = (int) number;
	else if (strcmp(name, "format") == 0)
		settings->format = word = WORD_NUMBER("format", value, formats, fault);
	else if (strcmp(name, "tombstones") == 0)
		settings->tombstones = word = WORD_NUMBER("way with tombstones", value, tombstones, fault);
	return word >= 0;
}

static bool
take_field(RecsysStreamSettings *settings, int number, const char *name, const char *value, PQExpBuffer fault)
{
	RecsysStreamField *field;
	int			word = 0;

	if (number < 1 || number > 10000)
	{
		printfPQExpBuffer(fault, "the declaration has a field of number %d", number);
		return false;
	}
	if (number > settings->nfields)
	{
		settings->fields = pg_realloc(settings->fields, number * sizeof(RecsysStreamField));
		memset(settings->fields + settings->nfields, 0, (number - settings->nfields) * sizeof(RecsysStreamField));
		settings->nfields = number;
	}
	field = &settings->fields[number - 1];
	if (strcmp(name, "name") == 0)
		field->name = pg_strdup(value ? value : "");
	else if (strcmp(name, "source") == 0)
		field->source = pg_strdup(value ? value : "");
	else if (strcmp(name, "default") == 0)
		field->fallback = value != NULL ? pg_strdup(value) : NULL;
	else if (strcmp(name, "kind") == 0)
		field->kind = word = WORD_NUMBER("kind of values", value, kinds, fault);
	else if (strcmp(name, "unit") == 0)
		field->unit = word = WORD_NUMBER("unit of time", value, units, fault);
	else if (strcmp(name, "pseudonym") == 0)
		field->pseudonym = word = WORD_NUMBER("kind of pseudonyms", value, pseudonyms, fault);
	return word >= 0;
}

static void
take_option(RecsysStreamOption **options, int *noptions, const char *name, const char *value)
{
	*options = pg_realloc(*options, (*noptions + 1) * sizeof(RecsysStreamOption));
	(*options)[*noptions].name = pg_strdup(name);
	(*options)[*noptions].value = pg_strdup(value ? value : "");
	(*noptions)++;
}

static void
take_statement(RecsysStreamSettings *settings, int number, const char *value)
{
	if (number == 1)
		settings->stage = pg_strdup(value);
	else if (number == 2)
		settings->copy = pg_strdup(value);
	else
	{
		settings->apply = pg_realloc(settings->apply, (settings->napply + 1) * sizeof(char *));
		settings->apply[settings->napply++] = pg_strdup(value);
	}
}

/* What the program cannot do without */
static bool
is_whole(const RecsysDeclaration *declaration, PQExpBuffer fault)
{
	const RecsysStreamSettings *settings = &declaration->settings;
	bool		whole = declaration->state && settings->owner && settings->brokers && settings->topic &&
		settings->group && settings->stage && settings->copy && settings->napply > 0 && settings->max_rows > 0;

	for (int number = 0; number < settings->nfields; number++)
		whole &= settings->fields[number].name && settings->fields[number].source;
	if (!whole)
		printfPQExpBuffer(fault, "the stream's settings are not whole: the extension and this recsys-stream (%s) do not fit together",
						  RECSYS_STREAM_VERSION);
	return whole;
}

RecsysDeclaration *
RecsysReadDeclaration(RecsysDatabase *database, const char *stream)
{
	RecsysDeclaration *declaration = pg_malloc0(sizeof(RecsysDeclaration));
	RecsysStreamSettings *settings = &declaration->settings;
	PGresult   *result = RecsysQuery(database,
									 "SELECT section, number, name, value FROM recsys.stream_settings($1)"
									 " ORDER BY section USING OPERATOR(pg_catalog.<), number USING OPERATOR(pg_catalog.<)",
									 1, &stream);
	bool		good = true;

	if (result == NULL)
	{
		pg_free(declaration);
		return NULL;
	}
	settings->name = pg_strdup(stream);
	for (int row = 0; row < PQntuples(result) && good; row++)
	{
		const char *section = PQgetvalue(result, row, 0);
		int			number = atoi(PQgetvalue(result, row, 1));
		const char *name = PQgetvalue(result, row, 2);
		const char *value = PQgetisnull(result, row, 3) ? NULL : PQgetvalue(result, row, 3);

		if (strcmp(section, "stream") == 0)
			good = take_stream(declaration, name, value, &database->message);
		else if (strcmp(section, "field") == 0)
			good = take_field(settings, number, name, value, &database->message);
		else if (strcmp(section, "config") == 0)
			take_option(&settings->config, &settings->nconfig, name, value);
		else if (strcmp(section, "option") == 0)
			take_option(&settings->options, &settings->noptions, name, value);
		else if (strcmp(section, "statement") == 0 && value != NULL)
			take_statement(settings, number, value);
	}
	PQclear(result);
	if (!good || !is_whole(declaration, &database->message))
	{
		database->outcome = RECSYS_OUTCOME_DECLARATION;
		return NULL;			/* the process ends, or asks again much later */
	}
	return declaration;
}

/*
 * SET ROLE is no wall: code that runs as the owner, a trigger of the target, can undo it by RESET ROLE and
 * then has the rights of the role that the program has connected as.  A superuser must not lend those.
 */
static bool
may_become(RecsysDatabase *database, const char *owner)
{
	PGresult   *result = RecsysQuery(database,
									 "SELECT login.rolsuper AND NOT owner.rolsuper FROM pg_catalog.pg_roles login, pg_catalog.pg_roles owner"
									 " WHERE login.rolname OPERATOR(pg_catalog.=) session_user AND owner.rolname OPERATOR(pg_catalog.=) $1::pg_catalog.name",
									 1, &owner);
	bool		lends;

	if (result == NULL)
		return false;
	lends = PQntuples(result) == 1 && PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	if (lends)
	{
		database->outcome = RECSYS_OUTCOME_DECLARATION;
		printfPQExpBuffer(&database->message, "recsys-stream has connected as a superuser, and will not work for \"%s\", who is none:"
						  " let it connect as a role of its own that is a member of that one", owner);
	}
	return !lends;
}

bool
RecsysBecomeOwner(RecsysDatabase *database, const RecsysDeclaration *declaration)
{
	const RecsysStreamSettings *settings = &declaration->settings;
	char	   *role;
	PQExpBufferData statements;
	PGresult   *result;
	bool		good;

	if (!may_become(database, settings->owner))
		return false;
	if ((role = PQescapeIdentifier(database->connection, settings->owner, strlen(settings->owner))) == NULL)
		return false;
	initPQExpBuffer(&statements);
	appendPQExpBuffer(&statements, "SET ROLE %s", role);
	PQfreemem(role);
	good = RecsysExecute(database, statements.data, NULL, 0, NULL);
	termPQExpBuffer(&statements);
	if (!good)
		return false;

	if (declaration->search_path != NULL)
	{
		const char *const path[] = {declaration->search_path};

		result = RecsysQuery(database, "SELECT pg_catalog.set_config('search_path', $1, false)", 1, path);
		if (result == NULL)
			return false;
		PQclear(result);
	}
	return RecsysExecute(database, settings->stage, NULL, 0, NULL);
}
