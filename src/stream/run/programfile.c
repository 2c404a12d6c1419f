/*
 * programfile.c
 *	  The program's own file: see programfile.h.
 *
 * It is refused if it has secrets and others may read it: who sees that at once mends it, and who does not
 * see it would never know.
 */
#include "postgres_fe.h"

#include <ctype.h>
#include <errno.h>
#include <sys/stat.h>

#include "core/stream/brokeroptions.h"
#include "stream/run/programfile.h"

static void
add_option(RecsysStreamOption **options, int *noptions, const char *name, const char *value)
{
	*options = pg_realloc(*options, (*noptions + 1) * sizeof(RecsysStreamOption));
	(*options)[*noptions].name = pg_strdup(name);
	(*options)[*noptions].value = pg_strdup(value);
	(*noptions)++;
}

const char *
RecsysFileOption(const RecsysProgramFile *file, const char *name)
{
	for (int number = 0; number < file->nkafka; number++)
		if (strcmp(file->kafka[number].name, name) == 0)
			return file->kafka[number].value;
	return NULL;
}

/* Takes the blanks around a piece of text off. */
static char *
trimmed(char *text)
{
	char	   *end;

	while (isspace((unsigned char) *text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char) end[-1]))
		end--;
	*end = '\0';
	return text;
}

static bool
is_of_decoder(const char *name)
{
	return strcmp(name, "pseudonym_key") == 0 || strncmp(name, "pseudonym_key.", strlen("pseudonym_key.")) == 0 ||
		strcmp(name, "registry") == 0 || strcmp(name, "registry_user") == 0 || strcmp(name, "registry_password") == 0 ||
		strcmp(name, "registry_ca") == 0;
}

/* Notes a line, and the state of the file that it names, such as a certificate, which may be renewed. */
static void
note_line(RecsysProgramFile *file, const char *name, const char *value)
{
	struct stat status;

	appendPQExpBuffer(&file->seen, "%s=%s\n", name, value);
	if (value[0] == '/' && stat(value, &status) == 0)
		appendPQExpBuffer(&file->seen, "%lld.%09ld %lld %llu\n", (long long) status.st_mtim.tv_sec, (long) status.st_mtim.tv_nsec,
						  (long long) status.st_size, (unsigned long long) status.st_ino);
}

bool
RecsysSameProgramFile(const RecsysProgramFile *file, const RecsysProgramFile *other)
{
	return !PQExpBufferDataBroken(file->seen) && !PQExpBufferDataBroken(other->seen) &&
		strcmp(file->seen.data, other->seen.data) == 0;
}

/* Keeps one line.  false, and a sentence in fault, if it means nothing. */
static bool
keep_line(RecsysProgramFile *file, char *name, char *value, bool *secret, PQExpBuffer fault)
{
	if (strncmp(name, "kafka.", strlen("kafka.")) == 0)
	{
		const char *why;
		RecsysBrokerOption kind = RecsysBrokerOptionKind(name + strlen("kafka."), &why);

		if (strcmp(name, "kafka.bootstrap.servers") == 0 || strcmp(name, "kafka.metadata.broker.list") == 0)
		{
			appendPQExpBuffer(fault, "\"%s\" is written brokers in this file", name);
			return false;
		}
		if (kind == RECSYS_BROKER_OPTION_FIXED)
		{
			appendPQExpBuffer(fault, "the option \"%s\" cannot be set: %s", name, why);
			return false;
		}
		if (kind == RECSYS_BROKER_OPTION_SECRET)
			*secret = file->has_secrets = true;
		add_option(&file->kafka, &file->nkafka, name + strlen("kafka."), value);
	}
	else if (strcmp(name, "brokers") == 0)
		file->brokers = pg_strdup(value);
	else if (strcmp(name, "dbname") == 0)
	{
		file->dbname = pg_strdup(value);
		*secret |= strstr(value, "password") != NULL || strstr(value, "://") != NULL;
	}
	else if (is_of_decoder(name))
	{
		*secret |= strncmp(name, "pseudonym_key", strlen("pseudonym_key")) == 0 || strcmp(name, "registry_password") == 0;
		add_option(&file->others, &file->nothers, name, value);
	}
	else
	{
		appendPQExpBuffer(fault, "nothing is called \"%s\"", name);
		return false;
	}
	return true;
}

static bool
read_lines(RecsysProgramFile *file, FILE *input, bool *secret, PQExpBuffer fault)
{
	char		line[8192];
	int			number = 0;

	while (fgets(line, sizeof(line), input) != NULL)
	{
		bool		cut = strlen(line) == sizeof(line) - 1;
		char	   *name = trimmed(line);
		char	   *equals = strchr(name, '=');

		number++;
		if (cut)
		{
			appendPQExpBuffer(fault, "line %d is too long", number);
			return false;
		}
		if (*name == '\0' || *name == '#')
			continue;
		if (equals == NULL)
		{
			appendPQExpBuffer(fault, "line %d is not of the form name = value", number);
			return false;
		}
		*equals = '\0';
		name = trimmed(name);
		if (!keep_line(file, name, trimmed(equals + 1), secret, fault))
		{
			appendPQExpBuffer(fault, " (line %d)", number);
			return false;
		}
		note_line(file, name, trimmed(equals + 1));
	}
	if (ferror(input))
	{
		appendPQExpBuffer(fault, "it cannot be read: %s", strerror(errno));
		return false;
	}
	return true;
}

RecsysProgramFile *
RecsysReadProgramFile(const char *path, PQExpBuffer fault)
{
	RecsysProgramFile *file = pg_malloc0(sizeof(RecsysProgramFile));
	bool		secret = false;
	struct stat status;
	FILE	   *input;
	bool		good;

	resetPQExpBuffer(fault);
	initPQExpBuffer(&file->seen);
	if (path == NULL)
		return file;
	if ((input = fopen(path, "r")) == NULL || fstat(fileno(input), &status) != 0)
	{
		appendPQExpBuffer(fault, "the file \"%s\" cannot be opened: %s", path, strerror(errno));
		return NULL;
	}
	good = read_lines(file, input, &secret, fault);
	fclose(input);
	/* a group may read what belongs to root, as with keys of TLS */
	if (good && secret && (status.st_mode & (S_IRWXO | S_IWGRP | S_IXGRP | (status.st_uid == 0 ? 0 : S_IRGRP))) != 0)
	{
		appendPQExpBuffer(fault, "it has secrets, and others may read it; chmod 600 \"%s\" mends that", path);
		good = false;
	}
	else if (good && file->has_secrets && file->brokers == NULL)
	{
		appendPQExpBufferStr(fault, "it has secrets for brokers, and no line brokers = … that says who may get them");
		good = false;
	}
	else if (good && file->has_secrets && RecsysFileOption(file, "security.protocol") == NULL)
	{
		appendPQExpBufferStr(fault, "it has secrets for brokers, and no line kafka.security.protocol = … that says how they are sent");
		good = false;
	}
	if (!good)
	{
		char	   *reason = pg_strdup(fault->data);

		printfPQExpBuffer(fault, "the file \"%s\" cannot be used: %s", path, reason);
		return NULL;
	}
	return file;
}
