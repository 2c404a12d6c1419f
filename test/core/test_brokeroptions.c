/*
 * test_brokeroptions.c
 *	  Tests of core/stream/brokeroptions: what a declaration must never set.
 */
#include "core/stream/brokeroptions.h"

#include "tap.h"

static bool
is(const char *name, RecsysBrokerOption kind)
{
	const char *why = NULL;
	bool		right = RecsysBrokerOptionKind(name, &why) == kind;

	return right && (kind == RECSYS_BROKER_OPTION_OPEN) == (why == NULL);
}

static int
count_twice(void)
{
	int			twice = 0;

	for (int i = 0; RecsysBrokerOptionName(i) != NULL; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(RecsysBrokerOptionName(i), RecsysBrokerOptionName(j)) == 0)
				twice++;
	return twice;
}

/* Names by which somebody would look for a way around */
static bool
suspicious_are_closed(void)
{
	static const char *const parts[] = {
		"password", "secret", "passphrase", "location", ".pem", ".file", "keytab", "kinit", "plugin", "engine",
		"providers", "library", "_cb", "verif", "endpoint", "offset", "commit", "isolation"
	};

	for (int i = 0; RecsysBrokerOptionName(i) != NULL; i++)
		for (size_t part = 0; part < lengthof(parts); part++)
			if (strstr(RecsysBrokerOptionName(i), parts[part]) != NULL &&
				is(RecsysBrokerOptionName(i), RECSYS_BROKER_OPTION_OPEN))
				return false;
	return true;
}

void
test_brokeroptions(void)
{
	ok(is("security.protocol", RECSYS_BROKER_OPTION_OPEN), "how to connect may be declared");
	ok(is("sasl.password", RECSYS_BROKER_OPTION_SECRET), "secrets may not");
	ok(is("ssl.ca.location", RECSYS_BROKER_OPTION_LOCAL), "files may not");
	ok(is("enable.ssl.certificate.verification", RECSYS_BROKER_OPTION_LOCAL), "nor who is trusted");
	ok(is("isolation.level", RECSYS_BROKER_OPTION_FIXED), "what each message counts by is fixed");
	ok(is("plugin.library.paths", RECSYS_BROKER_OPTION_FIXED), "no code is loaded");
	ok(is("consume_cb", RECSYS_BROKER_OPTION_FIXED) && is("some.new_cb", RECSYS_BROKER_OPTION_FIXED),
		   "callbacks are not for configuration");
	ok(is("something.new", RECSYS_BROKER_OPTION_LOCAL) && is("", RECSYS_BROKER_OPTION_LOCAL) &&
		   is("Security.Protocol", RECSYS_BROKER_OPTION_LOCAL), "what is not known is for the file");
	ok(count_twice() == 0, "no option is there twice");
	ok(suspicious_are_closed(), "no open option has a suspicious name");
}
