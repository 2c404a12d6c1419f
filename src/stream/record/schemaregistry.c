/*
 * schemaregistry.c
 *	  The schema that a message was written with, by the number that stands before it.
 *
 * A registry of several nodes may learn of a schema after the first message that has it: a number that it
 * does not know is asked for again for some seconds before messages are rejected.  Then it is remembered
 * for a while, and so is that there was somebody to be waited for: producers of noise would otherwise have
 * the registry asked for each of their messages, and the stream wait.  A registry that cannot be reached is
 * not asked again at once.
 */
#include "stream/record/schemaregistry.h"

#include <time.h>

#ifndef RECSYS_NO_REGISTRY
#include <curl/curl.h>
#endif

#include "stream/record/copytext.h"
#include "stream/record/jsonscan.h"

/* seconds until a registry is asked again that was not there, or did not know a schema */
#define AGAIN_AFTER_FAILURE 1
#define AGAIN_AFTER_UNKNOWN 60

/* seconds that a schema may come later than its first message; the tests are in a hurry */
#ifndef RECSYS_UNKNOWN_SECONDS
#define RECSYS_UNKNOWN_SECONDS 10
#endif

/* an answer is not larger, bytes; seconds that connecting and all of it may take */
#define MOST_BYTES ((size_t) 8 * 1024 * 1024)
#define CONNECT_SECONDS 5L
#define ANSWER_SECONDS 15L

/* schemas that are kept; when there are more, all are fetched anew */
#define MOST_SCHEMAS 4096

typedef struct Known
{
	uint32		number;
	RecsysAvroSchema *schema;	/* NULL: reason is why there is none */
	char	   *reason;
	time_t		asked;
} Known;

struct RecsysRegistry
{
	char	   *address;		/* without a slash at its end */
	char	   *user;			/* NULL: none is sent */
	char	   *password;
	char	   *certificates;
	Known	   *known;			/* by number */
	int			nknown;
	time_t		failed;			/* when it could not be reached last, and why */
	char	   *failure;
	time_t		waited;			/* since when a schema is waited for that it does not know, or was last */
	PQExpBuffer answer;
};

static char *
copy_address(const char *address)
{
	char	   *copy = pg_strdup(address);
	size_t		length = strlen(copy);

	while (length > 0 && copy[length - 1] == '/')
		copy[--length] = '\0';
	return copy;
}

/* Is it one of those that the file names?  *any: does it name any? */
static bool
is_named(const RecsysRegistry *registry, const RecsysStreamOption *secrets, int nsecrets, bool *any)
{
	bool		found = false;

	*any = false;
	for (int i = 0; i < nsecrets; i++)
	{
		if (strcmp(secrets[i].name, "registry") == 0)
		{
			char	   *named = copy_address(secrets[i].value);

			*any = true;
			found |= strcmp(named, registry->address) == 0;
			pg_free(named);
		}
	}
	return found;
}

static void
take_credentials(RecsysRegistry *registry, const RecsysStreamOption *secrets, int nsecrets)
{
	for (int i = 0; i < nsecrets; i++)
	{
		char	  **place = strcmp(secrets[i].name, "registry_user") == 0 ? &registry->user :
			strcmp(secrets[i].name, "registry_password") == 0 ? &registry->password :
			strcmp(secrets[i].name, "registry_ca") == 0 ? &registry->certificates : NULL;

		if (place == NULL)
			continue;
		pg_free(*place);
		*place = pg_strdup(secrets[i].value);
	}
}

RecsysRegistry *
RecsysRegistryCreate(const char *address, const RecsysStreamOption *secrets, int nsecrets, PQExpBuffer fault)
{
	RecsysRegistry *registry = pg_malloc0(sizeof(RecsysRegistry));
	bool		any = false;
	size_t		before = fault->len;

	registry->address = copy_address(address);
	registry->answer = createPQExpBuffer();
	if (strncmp(address, "http://", 7) != 0 && strncmp(address, "https://", 8) != 0)
		appendPQExpBufferStr(fault, "The address of the registry begins with neither http:// nor https://.");
	else if (strchr(address, '@') != NULL)
		appendPQExpBufferStr(fault, "The address of the registry has a user in it; the program's file has a "
							 "line registry_user for that.");
	else if (!is_named(registry, secrets, nsecrets, &any) && any)
		appendPQExpBufferStr(fault, "The registry of the stream is none of those that the program's file names.");
	if (fault->len > before)
	{
		RecsysRegistryFree(registry);
		return NULL;
	}
	if (any)
		take_credentials(registry, secrets, nsecrets);
	return registry;
}

static void
forget_all(RecsysRegistry *registry)
{
	for (int i = 0; i < registry->nknown; i++)
	{
		RecsysAvroSchemaFree(registry->known[i].schema);
		pg_free(registry->known[i].reason);
	}
	pg_free(registry->known);
	registry->known = NULL;
	registry->nknown = 0;
}

void
RecsysRegistryFree(RecsysRegistry *registry)
{
	if (registry == NULL)
		return;
	forget_all(registry);
	destroyPQExpBuffer(registry->answer);
	pg_free(registry->address);
	pg_free(registry->user);
	pg_free(registry->password);
	pg_free(registry->certificates);
	pg_free(registry->failure);
	pg_free(registry);
}

/* Where the schema of that number is, or would be. */
static int
find_place(const RecsysRegistry *registry, uint32 number)
{
	int			low = 0;
	int			high = registry->nknown;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (registry->known[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static Known *
insert_known(RecsysRegistry *registry, uint32 number)
{
	int			place;

	if (registry->nknown >= MOST_SCHEMAS)
		forget_all(registry);
	if (registry->known == NULL)
		registry->known = pg_malloc0(sizeof(Known) * MOST_SCHEMAS);
	place = find_place(registry, number);
	memmove(&registry->known[place + 1], &registry->known[place], sizeof(Known) * (registry->nknown - place));
	registry->nknown++;
	memset(&registry->known[place], 0, sizeof(Known));
	registry->known[place].number = number;
	return &registry->known[place];
}

#ifdef RECSYS_NO_REGISTRY

static long
fetch(RecsysRegistry *registry, const char *address, PQExpBuffer reason)
{
	appendPQExpBufferStr(reason, "This recsys-stream is built without a client for registries.");
	return 0;
}

#else

static size_t
take_answer(char *bytes, size_t size, size_t count, void *arg)
{
	PQExpBuffer answer = arg;

	if (answer->len + size * count > MOST_BYTES)
		return 0;
	appendBinaryPQExpBuffer(answer, bytes, size * count);
	return PQExpBufferBroken(answer) ? 0 : size * count;
}

static void
set_options(const RecsysRegistry *registry, CURL *curl, const char *address)
{
	curl_easy_setopt(curl, CURLOPT_URL, address);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, ANSWER_SECONDS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, registry->answer);
	if (registry->certificates != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, registry->certificates);
	if (registry->user != NULL)
	{
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long) CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, registry->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, registry->password != NULL ? registry->password : "");
	}
}

/* The status of HTTP, with the answer; 0, with a reason, if there was no answer. */
static long
fetch(RecsysRegistry *registry, const char *address, PQExpBuffer reason)
{
	static bool ready = false;
	CURL	   *curl;
	CURLcode	code = CURLE_FAILED_INIT;
	long		status = 0;

	if (!ready)
		ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	curl = ready ? curl_easy_init() : NULL;
	resetPQExpBuffer(registry->answer);
	if (curl != NULL)
	{
		set_options(registry, curl, address);
		code = curl_easy_perform(curl);
		if (code == CURLE_OK)
			curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_cleanup(curl);
	}
	if (status == 0)
		appendPQExpBuffer(reason, "The schema registry does not answer: %s.", curl_easy_strerror(code));
	return status;
}
#endif

/* A member of the answer, which is a JSON object; ABSENT if there is none. */
static RecsysStreamValue
answer_member(const RecsysRegistry *registry, const char *name)
{
	RecsysStreamValue found = {.kind = RECSYS_VALUE_ABSENT};
	RecsysStreamValue member;
	RecsysStreamValue value;
	RecsysJsonScan scan;

	if (!RecsysIsText(registry->answer->data, registry->answer->len))
		return found;
	RecsysJsonBegin(&scan, registry->answer->data, registry->answer->len);
	if (!RecsysJsonTake(&scan, JSON_TOKEN_OBJECT_START))
		return found;
	do
	{
		if (!RecsysJsonName(&scan, &member) || !RecsysJsonValue(&scan, &value))
			break;
		if (member.length == strlen(name) && memcmp(member.text, name, member.length) == 0)
			found = value;
	} while (RecsysJsonTake(&scan, JSON_TOKEN_COMMA));
	return found;
}

/* The answer's schema; NULL, and a reason, if it is none. */
static RecsysAvroSchema *
parse_answer(RecsysRegistry *registry, uint32 number, PQExpBuffer reason)
{
	RecsysStreamValue type = answer_member(registry, "schemaType");
	RecsysStreamValue references = answer_member(registry, "references");
	RecsysStreamValue text = answer_member(registry, "schema");
	RecsysAvroSchema *schema = NULL;
	PQExpBuffer scratch = createPQExpBuffer();
	PQExpBuffer fault = createPQExpBuffer();
	const char *json;
	const char *why;
	size_t		length;

	if (type.kind == RECSYS_VALUE_STRING && (type.length != 4 || memcmp(type.text, "AVRO", 4) != 0))
		appendPQExpBufferStr(fault, "is none of Avro");
	else if (references.kind == RECSYS_VALUE_DOCUMENT && references.length > 2)
		appendPQExpBufferStr(fault, "refers to schemas of other subjects, which is not supported");
	else if (text.kind != RECSYS_VALUE_STRING || !RecsysJsonText(&text, scratch, &json, &length, &why))
		appendPQExpBufferStr(fault, "is no text in the registry's answer");
	else
		schema = RecsysAvroSchemaParse(json, length, fault);
	if (schema == NULL)
		appendPQExpBuffer(reason, "The schema %u %s.", number, fault->data);
	destroyPQExpBuffer(scratch);
	destroyPQExpBuffer(fault);
	return schema;
}

/* The registry could not say: neither yes nor no. */
static RecsysVerdict
note_failure(RecsysRegistry *registry, const char *reason)
{
	pg_free(registry->failure);
	registry->failure = pg_strdup(reason);
	registry->failed = time(NULL);
	return RECSYS_VERDICT_RETRY;
}

/* Could the schema still come?  Only now and then is one waited for. */
static bool
may_come(RecsysRegistry *registry)
{
	time_t		now = time(NULL);

	if (now - registry->waited >= AGAIN_AFTER_UNKNOWN)
		registry->waited = now;
	return now - registry->waited < RECSYS_UNKNOWN_SECONDS;
}

static RecsysVerdict
ask(RecsysRegistry *registry, uint32 number, Known *known, const RecsysAvroSchema **schema, PQExpBuffer reason)
{
	char	   *address = psprintf("%s/schemas/ids/%u", registry->address, number);
	long		status = fetch(registry, address, reason);
	RecsysAvroSchema *parsed = NULL;

	pg_free(address);
	if (status == 404)
	{
		appendPQExpBuffer(reason, "The registry has no schema %u.", number);
		if (may_come(registry))
			return note_failure(registry, reason->data);
	}
	else if (status == 200)
		parsed = parse_answer(registry, number, reason);
	else
	{
		if (status != 0)
			appendPQExpBuffer(reason, "The schema registry answers with status %ld.", status);
		return note_failure(registry, reason->data);
	}
	if (known == NULL)
		known = insert_known(registry, number);
	pg_free(known->reason);
	known->reason = parsed == NULL ? pg_strdup(reason->data) : NULL;
	known->schema = parsed;
	known->asked = time(NULL);
	*schema = parsed;
	return parsed == NULL ? RECSYS_VERDICT_REJECTED : RECSYS_VERDICT_ROWS;
}

RecsysVerdict
RecsysRegistrySchema(RecsysRegistry *registry, uint32 number, const RecsysAvroSchema **schema, PQExpBuffer reason)
{
	int			place = find_place(registry, number);
	Known	   *known = NULL;

	if (place < registry->nknown && registry->known[place].number == number)
		known = &registry->known[place];
	if (known != NULL && known->schema != NULL)
	{
		*schema = known->schema;
		return RECSYS_VERDICT_ROWS;
	}
	if (known != NULL && time(NULL) - known->asked < AGAIN_AFTER_UNKNOWN)
	{
		appendPQExpBufferStr(reason, known->reason);
		return RECSYS_VERDICT_REJECTED;
	}
	if (registry->failure != NULL && time(NULL) - registry->failed < AGAIN_AFTER_FAILURE)
	{
		appendPQExpBufferStr(reason, registry->failure);
		return RECSYS_VERDICT_RETRY;
	}
	return ask(registry, number, known, schema, reason);
}
