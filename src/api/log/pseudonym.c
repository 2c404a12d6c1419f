/*
 * pseudonym.c
 *	  Keys of users as the log has them: as they are, or as a keyed hash of them.
 *
 * A pseudonym is the first half of HMAC-SHA256 of the key, as hexadecimal digits: 128 bits, which
 * is what RFC 2104, section 5, allows to leave, and enough for no two users to share one.  The key
 * is in recsys.log_key.
 *
 * Whether there are pseudonyms is kept from call to call.  Whoever changes it says that the table
 * of the settings has changed, which the server tells all sessions when it is committed.  What was
 * read under a snapshot that such a message has overtaken is not kept.  Other nodes of Citus, which
 * have a copy of the settings, are not told: there what was read is kept for a second.
 */
#include "postgres.h"

#include "access/xact.h"
#include "am/entry/shells.h"
#include "am/store/relchanges.h"
#include "api/keep/keeper.h"
#include "api/log/pseudonym.h"
#include "api/log/wholelog.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define KEPT_BYTES (PG_SHA256_DIGEST_LENGTH / 2)

typedef struct Pseudonyms
{
	bool		wanted;
	int			key_length;		/* 0: there is no key */
	uint8		key[64];
} Pseudonyms;

static Pseudonyms kept;
static bool is_kept = false;
static TimestampTz kept_until = DT_NOEND;
static uint64 changes = 0;
static Oid	settings_table = InvalidOid;

static void
settings_have_changed(Datum arg, Oid relation)
{
	if (OidIsValid(relation) && relation != settings_table)
		return;
	is_kept = false;
	changes++;
}

static void
read_pseudonyms(Pseudonyms *pseudonyms)
{
	static const Oid types[] = {BOOLOID, BYTEAOID};
	RecsysRights before;
	bool		isnull;
	Datum		value;
	bytea	   *key;

	memset(pseudonyms, 0, sizeof(*pseudonyms));
	RecsysBeginAsKeeper(&before);
	(void) RecsysKeeperQuery(RecsysHere("SELECT (SELECT pseudonymous FROM recsys.log_setting), (SELECT key FROM recsys.log_key)"),
							 0, NULL, NULL, NULL, false);
	RecsysNeedTypes(types, lengthof(types));
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	pseudonyms->wanted = !isnull && DatumGetBool(value);
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
	if (!isnull)
	{
		key = DatumGetByteaPP(value);
		pseudonyms->key_length = Min(VARSIZE_ANY_EXHDR(key), sizeof(pseudonyms->key));
		memcpy(pseudonyms->key, VARDATA_ANY(key), pseudonyms->key_length);
	}
	RecsysEndAsKeeper(&before);
}

static const Pseudonyms *
get_pseudonyms(void)
{
	static Pseudonyms read;
	static bool registered = false;
	uint64		seen;

	if (!registered)
	{
		RecsysOnRelationChange(settings_have_changed);
		registered = true;
	}
	if (is_kept && (TIMESTAMP_IS_NOEND(kept_until) || GetCurrentTimestamp() < kept_until))
		return &kept;
	settings_table = RecsysKeptTable("log_setting");
	kept_until = RecsysIsShell(settings_table) ? GetCurrentTimestamp() + USECS_PER_SEC : DT_NOEND;
	seen = changes;
	read_pseudonyms(&read);
	if (seen != changes || IsolationUsesXactSnapshot())
		return &read;
	kept = read;
	is_kept = true;
	return &kept;
}

bool
RecsysLogIsPseudonymous(void)
{
	return get_pseudonyms()->wanted;
}

static char *
pseudonym(const Pseudonyms *pseudonyms, const char *key)
{
	pg_hmac_ctx *hmac = pg_hmac_create(PG_SHA256);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char	   *text = palloc(2 * KEPT_BYTES + 1);

	if (hmac == NULL ||
		pg_hmac_init(hmac, pseudonyms->key, pseudonyms->key_length) < 0 ||
		pg_hmac_update(hmac, (const uint8 *) key, strlen(key)) < 0 ||
		pg_hmac_final(hmac, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute a pseudonym: %s", hmac == NULL ? "out of memory" : pg_hmac_error(hmac));
	pg_hmac_free(hmac);
	text[hex_encode((char *) digest, KEPT_BYTES, text)] = '\0';
	return text;
}

char *
RecsysLogKey(const char *key)
{
	const Pseudonyms *pseudonyms = get_pseudonyms();

	if (key == NULL)
		return NULL;
	if (!pseudonyms->wanted)
		return pstrdup(key);
	if (pseudonyms->key_length == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there is no key for pseudonyms"),
				 errhint("SELECT recsys.configure_log(pseudonymous => true);")));
	return pseudonym(pseudonyms, key);
}

char *
RecsysLogPseudonym(const char *key)
{
	const Pseudonyms *pseudonyms = get_pseudonyms();

	return pseudonyms->key_length == 0 ? NULL : pseudonym(pseudonyms, key);
}
