/*
 * stream_settings.c
 *	  recsys.stream_list(), recsys.stream_settings(): what recsys-stream is to do.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/declare/jsonfields.h"
#include "api/keep/keeper.h"
#include "api/stream/streamdefinition.h"
#include "api/stream/streamgroup.h"
#include "api/stream/streamrow.h"
#include "api/stream/streamshape.h"
#include "api/stream/streamstatements.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

PG_FUNCTION_INFO_V1(recsys_stream_list);
PG_FUNCTION_INFO_V1(recsys_stream_settings);

/* The streams of roles whose rights the caller has */
Datum
recsys_stream_list(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			caller = GetUserId();
	RecsysRights before;
	SPITupleTable *table;
	uint64		n;

	InitMaterializedSRF(fcinfo, 0);
	RecsysBeginAsOwnerOf("stream", &before);
	n = RecsysKeeperQuery("SELECT name::text, version, state::text, owner::text FROM recsys.stream ORDER BY name",
						  0, NULL, NULL, NULL, false);
	table = SPI_tuptable;
	for (uint64 i = 0; i < n; i++)
	{
		char	   *owner = SPI_getvalue(table->vals[i], table->tupdesc, 4);
		Oid			role = get_role_oid(owner, true);
		Datum		values[3];
		bool		isnull[3];

		if (!OidIsValid(role) || !has_privs_of_role(caller, role))
			continue;
		for (int column = 0; column < 3; column++)
			values[column] = SPI_getbinval(table->vals[i], table->tupdesc, column + 1, &isnull[column]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	}
	RecsysEndAsKeeper(&before);
	return (Datum) 0;
}

static void
put(ReturnSetInfo *result, const char *section, int number, const char *name, const char *value)
{
	Datum		values[4] = {0};
	bool		isnull[4] = {false};

	values[0] = CStringGetTextDatum(section);
	values[1] = Int32GetDatum(number);
	values[2] = CStringGetTextDatum(name);
	isnull[3] = value == NULL;
	if (value != NULL)
		values[3] = CStringGetTextDatum(value);
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
}

static void
put_number(ReturnSetInfo *result, const char *name, int64 value)
{
	put(result, "stream", 0, name, psprintf("%lld", (long long) value));
}

static void
put_text(ReturnSetInfo *result, const RecsysStreamRow *row, const char *name, const char *otherwise)
{
	char	   *value = RecsysJsonText(&row->definition->root, name);

	put(result, "stream", 0, name, value != NULL ? value : otherwise);
}

static void
put_stream(ReturnSetInfo *result, const RecsysStreamRow *row)
{
	JsonbContainer *definition = &row->definition->root;

	put(result, "stream", 0, "name", row->name);
	put_number(result, "version", row->version);
	put(result, "stream", 0, "state", row->state);
	put(result, "stream", 0, "owner", row->owner);
	put_text(result, row, "brokers", NULL);
	put_text(result, row, "topic", NULL);
	put(result, "stream", 0, "group", RecsysStreamGroup(row->name, row->definition));
	put_text(result, row, "format", "json");
	put_text(result, row, "tombstones", "skip");
	put_text(result, row, "consent", NULL);
	put(result, "stream", 0, "keep_payload", RecsysStreamKeepsPayload(row->definition) ? "true" : "false");
	put_number(result, "max_rows", RecsysJsonInteger(definition, "max_rows", RECSYS_STREAM_MAX_ROWS));
	put_number(result, "max_delay", RecsysStreamMilliseconds(row->definition, "max_delay", 250));
	put_number(result, "jobs", RecsysJsonInteger(definition, "jobs", RECSYS_STREAM_JOBS));
	put_number(result, "merge_interval", RecsysStreamMilliseconds(row->definition, "merge_interval", 0));
	put_text(result, row, "search_path", NULL);
	put(result, "stream", 0, "start", RecsysStreamStart(row->definition));
	put_text(result, row, "target", NULL);
}

static void
put_fields(ReturnSetInfo *result, const RecsysStreamShape *shape)
{
	for (int i = 0; i < shape->nvalues; i++)
	{
		const RecsysStreamValue *value = &shape->values[i];

		put(result, "field", i + 1, "name", value->name);
		put(result, "field", i + 1, "source", value->path);
		put(result, "field", i + 1, "kind", value->kind);
		put(result, "field", i + 1, "unit", value->unit);
		put(result, "field", i + 1, "pseudonym", value->pseudonym);
		if (value->fallback != NULL)
			put(result, "field", i + 1, "default", value->fallback);
	}
}

/* A value of any type as text: strings as they are, others as JSON */
static char *
member_text(JsonbValue *value)
{
	Jsonb	   *json;

	if (value->type == jbvString)
		return pnstrdup(value->val.string.val, value->val.string.len);
	json = JsonbValueToJsonb(value);
	return JsonbToCString(NULL, &json->root, VARSIZE(json));
}

static void
put_members(ReturnSetInfo *result, const RecsysStreamRow *row, const char *parameter, const char *section)
{
	JsonbValue	member;
	JsonbIterator *iterator;
	int			number = 0;

	if (!RecsysJsonGet(&row->definition->root, parameter, &member))
		return;
	iterator = JsonbIteratorInit(RecsysJsonObject(&member, parameter));
	(void) JsonbIteratorNext(&iterator, &member, true);
	while (JsonbIteratorNext(&iterator, &member, true) == WJB_KEY)
	{
		char	   *name = pnstrdup(member.val.string.val, member.val.string.len);

		(void) JsonbIteratorNext(&iterator, &member, true);
		/* the group is a setting of its own */
		if (member.type != jbvNull && strcmp(name, "group.id") != 0)
			put(result, section, ++number, name, member_text(&member));
	}
}

static void
put_statements(ReturnSetInfo *result, const RecsysStreamShape *shape)
{
	int			number = 2;
	ListCell   *cell;

	put(result, "statement", 1, "stage", RecsysStreamStage(shape));
	put(result, "statement", 2, "copy", RecsysStreamCopy(shape));
	foreach(cell, RecsysStreamApply(shape))
		put(result, "statement", ++number, "apply", lfirst(cell));
}

Datum
recsys_stream_settings(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "stream");
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RecsysStreamRow row;
	RecsysStreamShape shape;

	InitMaterializedSRF(fcinfo, 0);
	RecsysNeedStream(name, NoLock, &row);
	put_stream(result, &row);
	RecsysReadStreamShape(row.definition, &shape);
	put_fields(result, &shape);
	put_members(result, &row, "config", "config");
	put_members(result, &row, "options", "option");
	put_statements(result, &shape);
	return (Datum) 0;
}
