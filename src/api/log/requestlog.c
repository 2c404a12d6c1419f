/*
 * requestlog.c
 *	  Writing requests and what follows them to the log.
 *
 * A row each.  A request that is made here has an id that nobody knows yet, so its row can take the
 * short way (requestinsert.h); others go by plans that a session keeps.  Both are idempotent: a row
 * that is there already stays as it is, and whoever writes it a second time is told so.  So a client
 * that does not know whether its call has arrived calls again.
 *
 * A request may come later than what follows it: the list was made on a standby, and another
 * connection logs it on the primary.  An event whose request is not there yet is accepted.  Where a
 * bandit waits for it, the request sees to it when it comes: it looks for events that are there.
 * For neither to miss the other when both come at once, both lock the id in this case.
 */
#include "postgres.h"

#include <math.h>

#include "access/table.h"
#include "api/keep/keeper.h"
#include "api/log/logcommit.h"
#include "api/log/logpartition.h"
#include "api/log/pseudonym.h"
#include "api/log/requestinsert.h"
#include "api/log/requestlog.h"
#include "api/log/storedrequest.h"
#include "api/log/wholelog.h"
#include "api/route/banditchoice.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* Clocks of a shop's machines may differ by so much. */
#define CLOCK_TOLERANCE (5 * USECS_PER_MINUTE)

/* An event whose request is not there is refused when the request would be older. */
#define LATE_EVENT (7 * USECS_PER_DAY)

static void
refuse_length(const char *what, Size length, int limit)
{
	if (length <= limit)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("%s is too long to be logged", what),
			 errdetail("It has %zu bytes, and at most %d are logged.", length, limit)));
}

static void
check_key(const char *what, const char *key)
{
	if (key != NULL)
		refuse_length(what, strlen(key), RECSYS_MAX_LOGGED_KEY);
}

static void
check_name(const char *what, const char *name)
{
	if (name != NULL)
		refuse_length(what, strlen(name), RECSYS_MAX_LOGGED_NAME);
}

static void
refuse_future(const char *what, TimestampTz time)
{
	if (time > GetCurrentTimestamp() + CLOCK_TOLERANCE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is in the future", what),
				 errdetail("Clocks may differ by five minutes.")));
}

static void
check_request(const RecsysRequest *request)
{
	if (request->count > RECSYS_MAX_LOGGED_ITEMS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a list of %d items is too long to be logged", request->count),
				 errhint("Log what was shown: %d items at most.", RECSYS_MAX_LOGGED_ITEMS)));
	if (request->nfeatures > RECSYS_MAX_LOGGED_FEATURES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%d features are too many to be logged", request->nfeatures),
				 errdetail("At most %d are logged.", RECSYS_MAX_LOGGED_FEATURES)));
	refuse_future("the time of the request", request->time);
	check_key("user_id", request->user);
	check_key("session_id", request->session);
	check_name("recommender", request->recommender);
	check_name("experiment", request->experiment);
	check_name("variant", request->variant);
	check_name("bandit", request->bandit);
	check_name("arm", request->arm);
	check_name("policy", request->policy);
	check_name("segment", request->segment);
	for (int i = 0; i < request->count; i++)
	{
		check_key("item_id", request->items[i]);
		if (request->sources != NULL)
			check_name("source", request->sources[i]);
		if (request->arms != NULL)
			check_name("arm", request->arms[i]);
	}
}

/* Parameters of a query in the making, or a row */
typedef struct Parameters
{
	Datum		values[RECSYS_REQUEST_COLUMNS];
	bool		isnull[RECSYS_REQUEST_COLUMNS];
	char		nulls[RECSYS_REQUEST_COLUMNS + 1];	/* the same for SPI */
	int			count;
} Parameters;

static void
add(Parameters *parameters, Datum value, bool isnull)
{
	parameters->values[parameters->count] = value;
	parameters->isnull[parameters->count] = isnull;
	parameters->nulls[parameters->count++] = isnull ? 'n' : ' ';
}

static void
add_text(Parameters *parameters, const char *text)
{
	add(parameters, text == NULL ? (Datum) 0 : CStringGetTextDatum(text), text == NULL);
}

/* Elements may be NULL. */
static void
add_texts(Parameters *parameters, const char **texts, int count)
{
	Datum	   *elements;
	bool	   *isnull;
	int			low = 1;

	if (texts == NULL)
	{
		add(parameters, (Datum) 0, true);
		return;
	}
	elements = palloc(sizeof(Datum) * Max(count, 1));
	isnull = palloc(sizeof(bool) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		isnull[i] = texts[i] == NULL;
		elements[i] = isnull[i] ? (Datum) 0 : CStringGetTextDatum(texts[i]);
	}
	add(parameters, PointerGetDatum(construct_md_array(elements, isnull, count > 0 ? 1 : 0, &count, &low,
													   TEXTOID, -1, false, TYPALIGN_INT)), false);
}

static void
add_floats(Parameters *parameters, const float *numbers, int count)
{
	Datum	   *elements;

	if (numbers == NULL)
	{
		add(parameters, (Datum) 0, true);
		return;
	}
	elements = palloc(sizeof(Datum) * Max(count, 1));
	for (int i = 0; i < count; i++)
		elements[i] = Float4GetDatum(numbers[i]);
	add(parameters, PointerGetDatum(construct_array(elements, count, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT)),
		false);
}

static void
add_doubles(Parameters *parameters, const double *numbers, int count)
{
	Datum	   *elements;

	if (numbers == NULL)
	{
		add(parameters, (Datum) 0, true);
		return;
	}
	elements = palloc(sizeof(Datum) * Max(count, 1));
	for (int i = 0; i < count; i++)
		elements[i] = Float8GetDatum(numbers[i]);
	add(parameters, PointerGetDatum(construct_array(elements, count, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)),
		false);
}

static void
request_parameters(const RecsysRequest *request, Parameters *parameters)
{
	parameters->count = 0;
	add(parameters, UUIDPGetDatum(&request->id), false);
	add(parameters, TimestampTzGetDatum(request->time), false);
	add_text(parameters, RecsysLogKey(request->user));
	add_text(parameters, RecsysLogKey(request->session));
	add_text(parameters, request->recommender);
	add_text(parameters, request->experiment);
	add_text(parameters, request->variant);
	add_text(parameters, request->bandit);
	add_text(parameters, request->arm);
	add_text(parameters, request->policy);
	add_text(parameters, request->segment);
	add(parameters, Float4GetDatum((float4) request->latency_ms), isnan(request->latency_ms));
	add_texts(parameters, request->items == NULL ? (const char *[]) {NULL} : request->items, request->count);
	add_floats(parameters, request->scores, request->count);
	add_texts(parameters, request->sources, request->count);
	add_doubles(parameters, request->propensities, request->count);
	add_texts(parameters, request->arms, request->count);
	add_doubles(parameters, request->nfeatures > 0 ? request->features : NULL, request->nfeatures);
}

/* Does something of others run when a row is written there? */
static bool
runs_others(Relation relation)
{
	return relation->trigdesc != NULL || relation->rd_rel->relhasrules;
}

/*
 * Locks where the row of a table of the log goes.  A query finds the partition before it has the
 * lock, and fails if that is not the right one any more.
 */
static void
lock_partition(const char *table, TimestampTz time)
{
	Relation	log = table_open(RecsysKeptTable(table), RowExclusiveLock);
	Relation	partition = RecsysOpenLogPartition(log, time);

	if (runs_others(log) || (partition != NULL && runs_others(partition)))
		RecsysLogWritesMore();
	if (partition != NULL)
		table_close(partition, NoLock);
	table_close(log, NoLock);
}

/* False if it is there already. */
static bool
insert_request(Parameters *parameters)
{
	static SPIPlanPtr plan = NULL;
	static Oid	types[] = {UUIDOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
		TEXTOID, TEXTOID, TEXTOID, FLOAT4OID, TEXTARRAYOID, FLOAT4ARRAYOID, TEXTARRAYOID, FLOAT8ARRAYOID,
		TEXTARRAYOID, FLOAT8ARRAYOID};
	RecsysRights before;
	uint64		inserted;

	lock_partition("request_log", DatumGetTimestampTz(parameters->values[1]));
	RecsysBeginAsKeeper(&before);
	RecsysWriteAlone();
	(void) RecsysKeeperPlan(&plan, "INSERT INTO recsys.request_log (request_id, time, user_id, session_id,"
							" recommender, experiment, variant, bandit, arm, policy, segment, latency_ms,"
							" item_ids, scores, sources, propensities, arms, features)"
							" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)"
							" ON CONFLICT DO NOTHING", lengthof(types), types);
	inserted = RecsysKeeperRun(plan, parameters->values, parameters->nulls, false);
	RecsysEndAsKeeper(&before);
	return inserted > 0;
}

/* is_new: nobody else has that id */
static bool
log_request(const RecsysRequest *request, bool is_new)
{
	Parameters	parameters;

	check_request(request);
	request_parameters(request, &parameters);
	if (!(is_new && RecsysInsertNewRequest(request->time, parameters.values, parameters.isnull)) &&
		!insert_request(&parameters))
		return false;
	if (request->bandit != NULL)
		RecsysCountTrial(request);
	return true;
}

void
RecsysLogNewRequest(const RecsysRequest *request)
{
	RecsysBeginLogWrite();
	(void) log_request(request, true);
	RecsysEndLogWrite();
}

/* Until the end of the transaction; nobody can take it who may not log. */
static void
lock_id(const pg_uuid_t *id)
{
	LOCKTAG		tag;

	/* as of an object of a kind that the log alone has */
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RecsysKeptTable("request_log"),
					   hash_bytes(id->data, UUID_LEN), 1);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/* Where in the list an item was, from 1 on; 0: it was not. */
static int
position_of(const RecsysRequest *request, const char *item)
{
	for (int i = 0; i < request->count; i++)
		if (request->items[i] != NULL && strcmp(request->items[i], item) == 0)
			return i + 1;
	return 0;
}

/* An event that has come before its request */
typedef struct EarlyEvent
{
	char	   *kind;
	char	   *item;
	double		value;			/* NaN: not given */
} EarlyEvent;

static int
read_early_events(const RecsysRequest *request, EarlyEvent **events)
{
	static Oid	types[] = {UUIDOID, TIMESTAMPTZOID};
	Datum		values[] = {UUIDPGetDatum(&request->id), TimestampTzGetDatum(request->time)};
	MemoryContext context = CurrentMemoryContext;
	MemoryContext old;
	RecsysRights before;
	int			count;

	RecsysBeginAsKeeper(&before);
	count = (int) RecsysKeeperQuery("SELECT kind, item_id, value FROM recsys.event_log"
									" WHERE request_id OPERATOR(pg_catalog.=) $1 AND request_time OPERATOR(pg_catalog.=) $2",
									lengthof(types), types, values, NULL, false);
	old = MemoryContextSwitchTo(context);
	*events = palloc(sizeof(EarlyEvent) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		bool		isnull;
		Datum		value = SPI_getbinval(tuple, SPI_tuptable->tupdesc, 3, &isnull);

		(*events)[i].kind = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 1);
		(*events)[i].item = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 2);
		(*events)[i].value = isnull ? NAN : DatumGetFloat8(value);
	}
	MemoryContextSwitchTo(old);
	RecsysEndAsKeeper(&before);
	return count;
}

static bool
log_known_request(const RecsysRequest *request)
{
	RecsysRequest stored;
	EarlyEvent *events;
	int			count;

	if (request->bandit == NULL)
		return log_request(request, false);
	lock_id(&request->id);
	if (!log_request(request, false))
		return false;

	/* what counts is the request as it is logged */
	if (!RecsysFindStored(&request->id, &stored))
		return true;
	count = read_early_events(&stored, &events);
	for (int i = 0; i < count; i++)
	{
		int			position = position_of(&stored, events[i].item);

		if (position > 0)
			RecsysCountReward(&stored, events[i].kind, position, events[i].value);
	}
	return true;
}

bool
RecsysLogRequest(const RecsysRequest *request)
{
	bool		logged;

	RecsysBeginLogWrite();
	logged = log_known_request(request);
	RecsysEndLogWrite();
	return logged;
}

static void
check_event(const pg_uuid_t *id, const char *kind, const char *item, double value, const char *key,
			TimestampTz time)
{
	TimestampTz asked = RecsysRequestIdTime(id);

	if (kind[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the kind of an event must not be empty")));
	refuse_length("kind", strlen(kind), RECSYS_MAX_LOGGED_NAME);
	check_key("item_id", item);
	if (key != NULL)
		refuse_length("event_key", strlen(key), RECSYS_MAX_LOGGED_NAME);
	if (isinf(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the value of an event must be finite")));
	refuse_future("the time of the request", asked);
	refuse_future("the time of the event", time);
	if (time < asked - CLOCK_TOLERANCE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the event was before its request"),
				 errdetail("Clocks may differ by five minutes.")));
}

/*
 * The request of an event.  False if it is not there but may come; then its id is locked, as the
 * request's own transaction locks it.
 */
static bool
find_request(const pg_uuid_t *id, RecsysRequest *request)
{
	char	   *text;

	if (RecsysFindStored(id, request))
		return true;
	if (RecsysRequestIdTime(id) < GetCurrentTimestamp() - LATE_EVENT)
	{
		text = DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(id)));
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no request %s in the log", text),
				 errdetail("An event may come a week before its request is logged, not longer.")));
	}
	lock_id(id);
	return RecsysFindStored(id, request);
}

static bool
insert_event(const pg_uuid_t *id, const char *kind, const char *item, double value, const char *key,
			 TimestampTz time)
{
	static SPIPlanPtr plan = NULL;
	static Oid	types[] = {UUIDOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, FLOAT8OID};
	Parameters	parameters = {.count = 0};
	RecsysRights before;
	uint64		inserted;

	add(&parameters, UUIDPGetDatum(id), false);
	add(&parameters, TimestampTzGetDatum(RecsysRequestIdTime(id)), false);
	add_text(&parameters, kind);
	add_text(&parameters, item);
	add_text(&parameters, key == NULL ? "" : key);
	add(&parameters, TimestampTzGetDatum(time), false);
	add(&parameters, Float8GetDatum(value), isnan(value));
	lock_partition("event_log", RecsysRequestIdTime(id));
	RecsysBeginAsKeeper(&before);
	RecsysWriteAlone();
	(void) RecsysKeeperPlan(&plan, "INSERT INTO recsys.event_log (request_id, request_time, kind, item_id,"
							" event_key, time, value) VALUES ($1, $2, $3, $4, $5, $6, $7)"
							" ON CONFLICT DO NOTHING", lengthof(types), types);
	inserted = RecsysKeeperRun(plan, parameters.values, parameters.nulls, false);
	RecsysEndAsKeeper(&before);
	return inserted > 0;
}

static bool
log_event(const pg_uuid_t *id, const char *kind, const char *item, double value, const char *key,
		  TimestampTz time)
{
	RecsysRequest request;
	bool		found;
	int			position = 0;

	check_event(id, kind, item, value, key, time);
	found = find_request(id, &request);
	if (found && (position = position_of(&request, item)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("item \"%s\" was not in the list of the request", item)));
	if (!insert_event(id, kind, item, value, key, time))
		return false;
	if (found && request.bandit != NULL)
		RecsysCountReward(&request, kind, position, value);
	return true;
}

bool
RecsysLogEvent(const pg_uuid_t *id, const char *kind, const char *item, double value, const char *key,
			   TimestampTz time)
{
	bool		logged;

	RecsysBeginLogWrite();
	logged = log_event(id, kind, item, value, key, time);
	RecsysEndLogWrite();
	return logged;
}
