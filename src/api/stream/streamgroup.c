/*
 * streamgroup.c
 *	  The Kafka group that the consumers of a stream are in.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "api/call/arguments.h"
#include "api/declare/jsonfields.h"
#include "api/stream/streamgroup.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(recsys_stream_group);

char *
RecsysStreamGroup(const char *stream, Jsonb *definition)
{
	JsonbValue	config;
	char	   *group = NULL;
	uint64		hash;

	if (RecsysJsonGet(&definition->root, "config", &config))
		group = RecsysJsonText(RecsysJsonObject(&config, "config"), "group.id");
	if (group != NULL)
		return group;
	/* the same on the standbys of a server, and another one wherever a dump is restored */
	hash = hash_combine64(GetSystemIdentifier(), MyDatabaseId);
	return psprintf(RECSYS_STREAM_GROUP_PREFIX "%s.%016llx", stream, (unsigned long long) hash);
}

Datum
recsys_stream_group(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(RecsysStreamGroup(text_to_cstring(PG_GETARG_TEXT_PP(0)),
													   PG_GETARG_JSONB_P(1))));
}
