/*
 * main.c
 *	  recsys-stream: events from Kafka into tables, each exactly once.
 *
 * The streams are declared in the database by recsys.create_stream(); this program runs them.  See doc/
 * recsys-stream.md, and apply.c for why each event counts once.
 */
#include "postgres_fe.h"

#include <librdkafka/rdkafka.h>

#include "getopt_long.h"
#include "stream/run/dryrun.h"
#include "stream/run/consumer.h"
#include "stream/run/journal.h"
#include "stream/run/signals.h"
#include "stream/run/supervise.h"

static void
print_help(void)
{
	printf("recsys-stream brings events from Kafka into tables, each exactly once.\n\n"
		   "Usage:\n"
		   "  recsys-stream [OPTION]...\n\n"
		   "Options:\n"
		   "  -d, --dbname=CONNSTR   database, as a name or a connection string; by default as the file or\n"
		   "                         the environment says (PGHOST, PGDATABASE ...)\n"
		   "  -s, --stream=NAME      run this stream; may be given several times; by default all that the\n"
		   "                         role may run\n"
		   "  -c, --config=FILE      secrets and options that do not belong into a database\n"
		   "  -j, --jobs=NUMBER      processes for each stream, instead of the declared number\n"
		   "  -1, --once             read each partition to its end, then exit\n"
		   "      --check            connect to the database and the brokers, say what is wrong, then exit\n"
		   "  -v, --verbose          say more\n"
		   "  -V, --version          output version information, then exit\n"
		   "  -?, --help             show this help, then exit\n\n"
		   "Streams are declared by recsys.create_stream() in the database, and shown by recsys.streams.\n"
		   "SIGTERM and SIGINT finish what was read, SIGHUP reads the file again.\n"
		   "Exit status with --once: 0 all was read, 1 an error, 3 the stream does not run (paused or\n"
		   "failed), 5 partitions are lost.\n");
}

static int
refuse_arguments(const char *what, const char *which)
{
	fprintf(stderr, "recsys-stream: %s \"%s\"\n", what, which);
	fprintf(stderr, "Try \"recsys-stream --help\" for more information.\n");
	return RECSYS_EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	static struct option long_options[] = {
		{"dbname", required_argument, NULL, 'd'},
		{"stream", required_argument, NULL, 's'},
		{"config", required_argument, NULL, 'c'},
		{"jobs", required_argument, NULL, 'j'},
		{"once", no_argument, NULL, '1'},
		{"check", no_argument, NULL, 'k'},
		{"verbose", no_argument, NULL, 'v'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}
	};
	RecsysOrders orders;
	bool		check = false;
	int			option;

	/* which getopt cannot tell from a mistake */
	if (argc > 1 && strcmp(argv[1], "-?") == 0)
	{
		print_help();
		return RECSYS_EXIT_DONE;
	}
	memset(&orders, 0, sizeof(orders));
	orders.streams = pg_malloc0(argc * sizeof(char *));
	while ((option = getopt_long(argc, argv, "d:s:c:j:1vV", long_options, NULL)) != -1)
	{
		switch (option)
		{
			case 'd':
				orders.conninfo = optarg;
				break;
			case 's':
				orders.streams[orders.nstreams++] = optarg;
				break;
			case 'c':
				orders.file = optarg;
				break;
			case 'j':
				orders.jobs = atoi(optarg);
				if (orders.jobs < 1 || orders.jobs > 64)
					return refuse_arguments("--jobs is a number from 1 to 64, and not", optarg);
				break;
			case '1':
				orders.once = true;
				break;
			case 'k':
				check = true;
				break;
			case 'v':
				orders.verbose = true;
				break;
			case 'V':
				printf("recsys-stream %s (librdkafka %s, libpq %d)\n", RECSYS_STREAM_VERSION, rd_kafka_version_str(),
					   PQlibVersion());
				return RECSYS_EXIT_DONE;
			case 'h':
				print_help();
				return RECSYS_EXIT_DONE;
			default:
				fprintf(stderr, "Try \"recsys-stream --help\" for more information.\n");
				return RECSYS_EXIT_USAGE;
		}
	}
	if (optind < argc)
		return refuse_arguments("there is an argument too many:", argv[optind]);
	RecsysCatchSignals();
	RecsysJournalOpen(NULL, orders.verbose);
	return check ? RecsysCheck(&orders) : RecsysSupervise(&orders);
}
