/*
 * test_pseudonyms.c
 *	  Tests of pseudonyms: figures are those of Python's hmac, base64 and uuid.
 */
#include "unit.h"

void
test_pseudonyms(void)
{
	RecsysStreamSettings *three = stream(RECSYS_STREAM_JSON, "a=u,text!", "b=u,uuid!", "c=u,bigint!", "d=v", NULL);
	RecsysStreamSettings *one = stream(RECSYS_STREAM_JSON, "a=u,text!,default=nobody", NULL);
	char		text[200];

	no_secrets();
	expect("pseudonym: no secret", one, "{}",
		   "no decoder: The stream has pseudonyms, and the program's file has no line pseudonym_key.");
	secret("kafka.sasl.password", "x");
	secret("pseudonym_key", "0123456789abcde");
	expect("pseudonym: a short secret", one, "{}",
		   "no decoder: The secret pseudonym_key of the file is shorter than 16 bytes.");
	no_secrets();
	secret("pseudonym_key", "0123456789abcdef");
	expect("pseudonym: of a number", three, "{\"u\":42,\"v\":42}",
		   "jSSipSbV9VZGnbi2KA46ew\t8d24a2a5-26d5-8556-869d-b8b6280e3a7b\t947060651859506518\t42");
	expect("pseudonym: of the same in quotes", three, "{\"u\":\"42\",\"v\":1}",
		   "jSSipSbV9VZGnbi2KA46ew\t8d24a2a5-26d5-8556-869d-b8b6280e3a7b\t947060651859506518\t1");
	expect("pseudonym: of a text with an escape", three, "{\"u\":\"\\u00e9\"}",
		   "JjgsWtuTOEdVpVsXwMN6rg\t26382c5a-db93-8847-95a5-5b17c0c37aae\t2753999940879595591\t\\N");
	expect("pseudonym: of nothing", three, "{\"u\":\"\"}",
		   "SW3JP6LSbq5QDsC8N6EicA\t496dc93f-a2d2-8eae-900e-c0bc37a12270\t5291106412382023342\t\\N");
	expect("pseudonym: of null", three, "{\"u\":null}", "\\N\t\\N\t\\N\t\\N");
	expect("pseudonym: the default has none", one, "{}", "nobody");
	expect("pseudonym: of an object", one, "{\"u\":{}}",
		   "rejected: The value for a is an object or an array and cannot have a pseudonym.");
	expect("pseudonym: of the key", stream(RECSYS_STREAM_JSON, "a=$offset,text!", NULL), "{}", "9pz0hSYm7uGbkq9WS5QT5A");

	no_secrets();
	memset(text, 'x', 100);
	text[100] = '\0';
	secret("pseudonym_key", text);
	expect("pseudonym: a secret longer than a block", three, "{\"u\":42}",
		   "GVB9Ti-RpqG9dCizS2Ot-w\t19507d4e-2f91-86a1-bd74-28b34b63adfb\t1824095623844046497\t\\N");
	secret("pseudonym_key.2025-11-29", "0123456789abcdef");
	secret("pseudonym_key.2025-11-30", "another secret, another day");
	expect("pseudonym: the secret of the day", one, "{\"u\":42}", "jSSipSbV9VZGnbi2KA46ew");
	message.timestamp = INT64CONST(1764374400000);
	expect("pseudonym: the first moment of a secret", one, "{\"u\":42}", "jSSipSbV9VZGnbi2KA46ew");
	message.timestamp--;
	expect("pseudonym: the last of the one before", one, "{\"u\":42}", "GVB9Ti-RpqG9dCizS2Ot-w");
	no_secrets();
	secret("pseudonym_key.2025-11-29", "0123456789abcdef");
	expect("pseudonym: before the first secret", one, "{\"u\":42}",
		   "rejected: The value for a has no pseudonym: the program's file has no secret for the message's time.");
	secret("pseudonym_key.2025-11-29", "0123456789abcdef");
	expect("pseudonym: two secrets of a day", one, "{\"u\":42}",
		   "no decoder: The file has the secret pseudonym_key.2025-11-29 twice.");
	no_secrets();
	secret("pseudonym_key.tomorrow", "0123456789abcdef");
	expect("pseudonym: no day", one, "{\"u\":42}",
		   "no decoder: The file's line pseudonym_key.tomorrow does not name a day, as pseudonym_key.2026-12-01 does.");
	no_secrets();
	message.timestamp = INT64CONST(1764398700123);
}
