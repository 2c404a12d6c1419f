/*
 * test_registry.c
 *	  Tests of schemas from a registry: one of HTTP that a child of this program plays.
 */
#include "unit.h"

#ifdef RECSYS_NO_REGISTRY

void
test_registry(void)
{
	RecsysStreamSettings *settings = stream(RECSYS_STREAM_AVRO, "a=v", NULL);

	stream_option(settings, "registry", "http://localhost:1");
	ok(strcmp(decoded_bytes(settings, "\0\0\0\0\1\2", 6),
			  "retry: This recsys-stream is built without a client for registries.") == 0, "registry: none is built in");
}

#else

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stream/record/avromessage.h"

/* What is answered for the schema of a number, beginning with the status. */
static const char *const answers[] = {
	"404 Not Found|{\"error_code\":40403}",
	"200 OK|{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"E\\\",\\\"fields\\\":[{\\\"name\\\":\\\"v\\\",\\\"type\\\":\\\"int\\\"}]}\"}",
	"500 Internal Server Error|{}",
	"200 OK|{\"schemaType\":\"PROTOBUF\",\"schema\":\"syntax\"}",
	"200 OK|{\"schema\":\"\\\"int\\\"\",\"references\":[{\"name\":\"x\"}]}",
	"302 Found|",
	"200 OK|no JSON",
	"200 OK|{\"schemaType\":\"AVRO\",\"schema\":\"\\\"nothing\\\"\",\"references\":[]}",
};

static void
serve(int listener, int asked)
{
	for (;;)
	{
		char		request[4096];
		char		answer[4096];
		int			number = 0;
		int			client = accept(listener, NULL, NULL);
		ssize_t		length = read(client, request, sizeof(request) - 1);
		const char *text;
		bool		known;

		if (length <= 0)
			continue;
		request[length] = '\0';
		sscanf(request, "GET /base/schemas/ids/%d", &number);
		/* number 8 needs the user u with the password p:w */
		known = strstr(request, "Authorization: Basic dTpwOnc=") != NULL;
		text = number == 8 ? (known ? answers[1] : "401 Unauthorized|") : answers[number < lengthof(answers) ? number : 0];
		if (write(asked, &number, sizeof(number)) < 0)
			_exit(1);
		length = snprintf(answer, sizeof(answer), "HTTP/1.1 %.*s\r\nLocation: /base/schemas/ids/1\r\nContent-Length: %zu\r\n"
						  "Connection: close\r\n\r\n%s", (int) strcspn(text, "|"), text, strlen(strchr(text, '|')) - 1, strchr(text, '|') + 1);
		if (write(client, answer, length) < 0)
			_exit(1);
		close(client);
	}
}

/* Starts the registry; returns its port. */
static int
start(pid_t *child, int *asked)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t	length = sizeof(address);
	int			listener = socket(AF_INET, SOCK_STREAM, 0);
	int			ends[2];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || bind(listener, (struct sockaddr *) &address, sizeof(address)) != 0 || listen(listener, 5) != 0 ||
		getsockname(listener, (struct sockaddr *) &address, &length) != 0 || pipe(ends) != 0)
		return -1;
	fflush(stdout);
	*child = fork();
	if (*child == 0)
	{
		/* neither outlives the test nor keeps its output open */
		alarm(60);
		fclose(stdout);
		serve(listener, ends[1]);
	}
	close(listener);
	close(ends[1]);
	*asked = ends[0];
	return ntohs(address.sin_port);
}

static const char *
ask(const RecsysStreamSettings *settings, int number)
{
	char		message[6] = {0, 0, 0, 0, (char) number, 84};

	return decoded_bytes(settings, message, sizeof(message));
}

static void
expect_answer(const char *what, const RecsysStreamSettings *settings, int number, const char *expected)
{
	const char *found = ask(settings, number);

	ok(strcmp(found, expected) == 0, "registry: %s", what);
	if (strcmp(found, expected) != 0)
		printf("# expected: %s\n# found:    %s\n", expected, found);
}

/* A schema is asked for once, and one that is not there, too. */
static void
test_memory(const RecsysStreamSettings *settings, int asked)
{
	PQExpBuffer rows = createPQExpBuffer();
	PQExpBuffer reason = createPQExpBuffer();
	RecsysDecoder *decoder = RecsysDecoderCreate(settings, NULL, 0, reason);
	int			number;
	int			questions = 0;

	while (questions < 10 && read(asked, &number, sizeof(number)) > 0)
		questions++;
	/* one that is not there is waited for, once */
	message.payload = "\0\0\0\0\0\124";
	message.payload_length = 6;
	ok(RecsysDecode(decoder, &message, 1, rows, reason) == RECSYS_VERDICT_RETRY, "registry: a schema is waited for");
	sleep(2);
	ok(RecsysDecode(decoder, &message, 1, rows, reason) == RECSYS_VERDICT_REJECTED, "registry: but not for long");
	message.payload = "\0\0\0\0\11\124";
	ok(RecsysDecode(decoder, &message, 1, rows, reason) == RECSYS_VERDICT_REJECTED, "registry: and the next one not at all");
	questions = 0;
	while (questions < 3 && read(asked, &number, sizeof(number)) > 0)
		questions++;
	for (int i = 0; i < 20; i++)
	{
		message.payload = i % 2 == 0 ? "\0\0\0\0\1\124" : "\0\0\0\0\0\124";
		message.payload_length = 6;
		RecsysDecode(decoder, &message, i, rows, reason);
	}
	questions = 0;
	while (questions < 1 && read(asked, &number, sizeof(number)) > 0)
		questions++;
	ok(strncmp(rows->data, "0\tr\t42\n2\tr\t42\n", 14) == 0, "registry: many messages of a schema");
	RecsysDecoderFree(decoder);
	decoder = RecsysDecoderCreate(settings, NULL, 0, reason);
	message.payload = "\0\0\0\0\7\124";
	message.payload_length = 6;
	RecsysDecode(decoder, &message, 1, rows, reason);
	ok(read(asked, &number, sizeof(number)) == sizeof(number) && number == 7, "registry: each schema was asked for once");
	RecsysDecoderFree(decoder);
	destroyPQExpBuffer(rows);
	destroyPQExpBuffer(reason);
}

void
test_registry(void)
{
	RecsysStreamSettings *settings = stream(RECSYS_STREAM_AVRO, "a=v", NULL);
	RecsysStreamSettings *keyed = stream(RECSYS_STREAM_AVRO, "a=$key.v", "b=v", NULL);
	char		address[100];
	pid_t		child = 0;
	int			asked = 0;
	int			port = start(&child, &asked);

	snprintf(address, sizeof(address), "http://127.0.0.1:%d/base/", port);
	no_secrets();
	stream_option(settings, "registry", address);
	stream_option(keyed, "registry", address);
	expect_answer("a message by its schema", settings, 1, "42");
	expect_answer("a schema that it does not have may come", settings, 0, "retry: The registry has no schema 0.");
	expect_answer("an error of its own", settings, 2, "retry: The schema registry answers with status 500.");
	expect_answer("a schema of another kind", settings, 3, "rejected: The schema 3 is none of Avro.");
	expect_answer("a schema with references", settings, 4, "rejected: The schema 4 refers to schemas of other subjects, which is not supported.");
	expect_answer("redirections are not followed", settings, 5, "retry: The schema registry answers with status 302.");
	expect_answer("an answer that is no JSON", settings, 6, "rejected: The schema 6 is no text in the registry's answer.");
	expect_answer("a schema that is none", settings, 7, "rejected: The schema 7 has the type nothing, which it does not declare before.");
	expect_answer("credentials that are missing", settings, 8, "retry: The schema registry answers with status 401.");
	secret("registry_user", "u");
	secret("registry_password", "p:w");
	expect_answer("credentials are not sent to others", settings, 8, "retry: The schema registry answers with status 401.");
	test_memory(settings, asked);
	address[strlen(address) - 1] = '\0';
	secret("registry", address);
	expect_answer("credentials", settings, 8, "42");
	message.key = "\0\0\0\0\1\2";
	message.key_length = 6;
	expect_answer("a key of Avro", keyed, 1, "1\t42");
	message.key = "{\"v\": 5}";
	message.key_length = 8;
	expect_answer("a key of JSON", keyed, 1, "5\t42");
	message.key = NULL;
	expect("registry: a message without a number", settings, "abcdef", "rejected: The payload does not begin with the number of a schema.");
	settings->options[0].value = "http://localhost:1/other";
	expect_answer("one that the file does not name", settings, 1,
				  "no decoder: The registry of the stream is none of those that the program's file names.");
	no_secrets();
	settings->options[0].value = "http://u:p@localhost";
	expect_answer("credentials in the address", settings, 1,
				  "no decoder: The address of the registry has a user in it; the program's file has a line registry_user for that.");
	settings->options[0].value = "file:///etc/passwd";
	expect_answer("files", settings, 1, "no decoder: The address of the registry begins with neither http:// nor https://.");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(asked);
	settings->options[0].value = address;
	ok(strncmp(ask(settings, 1), "retry: The schema registry does not answer: ", 44) == 0, "registry: nobody is there");
}
#endif
