/*
 * keyedpseudonym.c
 *	  Identifiers made unrecognizable before they get to a database: keyed pseudonyms.
 *
 * Of each secret the states of SHA-256 behind the inner and the outer pad are kept, so that an identifier
 * costs two blocks and not four.
 */
#include "stream/record/keyedpseudonym.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "stream/record/eventtime.h"

#define BLOCK 64				/* bytes of a block of SHA-256 */
#define DIGEST 32

typedef struct Secret
{
	int64		since;			/* milliseconds since 1970 */
	EVP_MD_CTX *inner;
	EVP_MD_CTX *outer;
} Secret;

struct RecsysPseudonyms
{
	Secret	   *secrets;		/* by since, the latest first */
	int			nsecrets;
	EVP_MD_CTX *work;
};

static EVP_MD_CTX *
absorb(const unsigned char *key, unsigned char pad)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char block[BLOCK];

	for (int i = 0; i < BLOCK; i++)
		block[i] = key[i] ^ pad;
	if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1 ||
		EVP_DigestUpdate(context, block, BLOCK) != 1)
	{
		EVP_MD_CTX_free(context);
		context = NULL;
	}
	OPENSSL_cleanse(block, sizeof(block));
	return context;
}

static bool
prepare_secret(Secret *secret, const char *text)
{
	unsigned char key[BLOCK] = {0};
	size_t		length = strlen(text);

	if (length <= BLOCK)
		memcpy(key, text, length);
	else if (EVP_Digest(text, length, key, NULL, EVP_sha256(), NULL) != 1)
		return false;
	secret->inner = absorb(key, 0x36);
	secret->outer = absorb(key, 0x5C);
	OPENSSL_cleanse(key, sizeof(key));
	return secret->inner != NULL && secret->outer != NULL;
}

/* From when on a line of the file counts; false if it is no line of a secret, or one with a wrong day. */
static bool
secret_since(const char *name, bool *is_secret, int64 *since)
{
	static const char prefix[] = "pseudonym_key";
	int64		microseconds;

	*is_secret = strncmp(name, prefix, strlen(prefix)) == 0;
	if (!*is_secret)
		return true;
	name += strlen(prefix);
	*since = PG_INT64_MIN;
	if (*name == '\0')
		return true;
	if (*name != '.' || strlen(name + 1) != strlen("2026-12-01") ||
		!RecsysTimeFromText(name + 1, strlen(name + 1), &microseconds))
		return false;
	*since = microseconds / 1000;
	return true;
}

/* Into its place among the others; false if there is one for the same day. */
static bool
insert_secret(RecsysPseudonyms *pseudonyms, const Secret *secret)
{
	int			place = pseudonyms->nsecrets;

	for (int i = 0; i < pseudonyms->nsecrets; i++)
	{
		if (pseudonyms->secrets[i].since == secret->since)
			return false;
	}
	for (; place > 0 && pseudonyms->secrets[place - 1].since < secret->since; place--)
		pseudonyms->secrets[place] = pseudonyms->secrets[place - 1];
	pseudonyms->secrets[place] = *secret;
	pseudonyms->nsecrets++;
	return true;
}

static void
free_secret(Secret *secret)
{
	EVP_MD_CTX_free(secret->inner);
	EVP_MD_CTX_free(secret->outer);
}

static bool
add_secret(RecsysPseudonyms *pseudonyms, const RecsysStreamOption *line, PQExpBuffer fault)
{
	Secret		secret = {0};
	bool		is_secret;

	if (!secret_since(line->name, &is_secret, &secret.since))
		appendPQExpBuffer(fault, "The file's line %s does not name a day, as pseudonym_key.2026-12-01 does.",
						  line->name);
	else if (!is_secret)
		return true;
	else if (strlen(line->value) < RECSYS_SECRET_LENGTH)
		appendPQExpBuffer(fault, "The secret %s of the file is shorter than %d bytes.", line->name,
						  RECSYS_SECRET_LENGTH);
	else if (!prepare_secret(&secret, line->value))
	{
		free_secret(&secret);
		appendPQExpBufferStr(fault, "OpenSSL has no SHA-256 here.");
	}
	else if (!insert_secret(pseudonyms, &secret))
	{
		free_secret(&secret);
		appendPQExpBuffer(fault, "The file has the secret %s twice.", line->name);
	}
	else
		return true;
	return false;
}

RecsysPseudonyms *
RecsysPseudonymsCreate(const RecsysStreamOption *secrets, int nsecrets, PQExpBuffer fault)
{
	RecsysPseudonyms *pseudonyms = pg_malloc0(sizeof(RecsysPseudonyms));

	pseudonyms->secrets = pg_malloc0(sizeof(Secret) * Max(nsecrets, 1));
	pseudonyms->work = EVP_MD_CTX_new();
	for (int i = 0; i < nsecrets; i++)
	{
		if (!add_secret(pseudonyms, &secrets[i], fault))
		{
			RecsysPseudonymsFree(pseudonyms);
			return NULL;
		}
	}
	if (pseudonyms->nsecrets > 0 && pseudonyms->work != NULL)
		return pseudonyms;
	appendPQExpBufferStr(fault, "The stream has pseudonyms, and the program's file has no line pseudonym_key.");
	RecsysPseudonymsFree(pseudonyms);
	return NULL;
}

void
RecsysPseudonymsFree(RecsysPseudonyms *pseudonyms)
{
	if (pseudonyms == NULL)
		return;
	for (int i = 0; i < pseudonyms->nsecrets; i++)
		free_secret(&pseudonyms->secrets[i]);
	EVP_MD_CTX_free(pseudonyms->work);
	pg_free(pseudonyms->secrets);
	pg_free(pseudonyms);
}

static bool
authenticate(RecsysPseudonyms *pseudonyms, const Secret *secret, const char *text, size_t length,
			 unsigned char *digest)
{
	EVP_MD_CTX *work = pseudonyms->work;

	return EVP_MD_CTX_copy_ex(work, secret->inner) == 1 && EVP_DigestUpdate(work, text, length) == 1 &&
		EVP_DigestFinal_ex(work, digest, NULL) == 1 && EVP_MD_CTX_copy_ex(work, secret->outer) == 1 &&
		EVP_DigestUpdate(work, digest, DIGEST) == 1 && EVP_DigestFinal_ex(work, digest, NULL) == 1;
}

/* The first 128 bits as base64url (RFC 4648 section 5), without padding. */
static void
append_letters(const unsigned char *digest, PQExpBuffer result)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	for (int bit = 0; bit < 128; bit += 6)
	{
		int			byte = bit / 8;
		int			next = byte + 1 < 16 ? digest[byte + 1] : 0;

		appendPQExpBufferChar(result, letters[(((digest[byte] << 8) | next) >> (10 - bit % 8)) & 0x3F]);
	}
}

/* The first 128 bits with the version and the variant of RFC 9562 section 5.8 in their places. */
static void
append_uuid(unsigned char *digest, PQExpBuffer result)
{
	digest[6] = 0x80 | (digest[6] & 0x0F);
	digest[8] = 0x80 | (digest[8] & 0x3F);
	for (int i = 0; i < 16; i++)
		appendPQExpBuffer(result, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", digest[i]);
}

static void
append_integer(const unsigned char *digest, PQExpBuffer result)
{
	uint64		number = 0;

	for (int i = 0; i < 8; i++)
		number = (number << 8) | digest[i];
	number &= PG_INT64_MAX;
	appendPQExpBuffer(result, INT64_FORMAT, (int64) Max(number, 1));
}

bool
RecsysPseudonym(RecsysPseudonyms *pseudonyms, RecsysPseudonymKind kind, int64 time,
				const char *identifier, size_t length, PQExpBuffer result)
{
	unsigned char digest[DIGEST];

	for (int i = 0; i < pseudonyms->nsecrets; i++)
	{
		if (pseudonyms->secrets[i].since > time)
			continue;
		if (!authenticate(pseudonyms, &pseudonyms->secrets[i], identifier, length, digest))
			return false;
		if (kind == RECSYS_PSEUDONYM_UUID)
			append_uuid(digest, result);
		else if (kind == RECSYS_PSEUDONYM_BIGINT)
			append_integer(digest, result);
		else
			append_letters(digest, result);
		return true;
	}
	return false;
}
