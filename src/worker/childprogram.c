/*
 * childprogram.c
 *	  A program that a background process runs as its child.
 *
 * As archive_command's programs do, it runs with the rights of the server's operating system user, in
 * the data directory, and what it writes goes to the server's log.  What it must not have of the
 * server's process, it does not get: its files, its signal handlers, its standard input.
 *
 * Nothing of it is to be left when the server is gone.  It leads a process group, so that one signal
 * reaches what it has started as well; and Linux sends it SIGTERM when its parent dies without having
 * had time to do so (a crash of another process ends all at once).  That reaches the program itself,
 * as the shell, which knows quotes and redirections, makes way for it by exec: so it is a single
 * command.  Elsewhere than on Linux a crash may leave it behind; it then loses its connection to the
 * server and what it has not committed.
 */
#include "postgres.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "postmaster/postmaster.h"
#include "utils/varlena.h"
#include "worker/childprogram.h"

/* File descriptors above this one are not looked for */
#define MOST_FILES 65536

/* What the program is to know of the server; made before the fork, as it takes memory. */
typedef struct Surroundings
{
	char	   *host;
	char	   *port;
	char	   *path;			/* where programs are looked for */
	char	   *command;		/* for the shell */
} Surroundings;

/* The server's own programs are found last. */
static char *
program_path(void)
{
	const char *path = getenv("PATH");
	char		directory[MAXPGPATH];

	strlcpy(directory, my_exec_path, sizeof(directory));
	get_parent_directory(directory);
	return path == NULL || path[0] == '\0' ? pstrdup(directory) : psprintf("%s:%s", path, directory);
}

static char *
server_host(void)
{
	List	   *directories;
	char	   *host;

	if (!SplitDirectoriesString(pstrdup(Unix_socket_directories), ',', &directories) ||
		directories == NIL)
		return pstrdup("localhost");
	host = pstrdup(linitial(directories));
	list_free_deep(directories);
	return host;
}

static void
close_files(void)
{
	long		limit = sysconf(_SC_OPEN_MAX);
	int			null = open("/dev/null", O_RDONLY);

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	if (limit < 0 || limit > MOST_FILES)
		limit = MOST_FILES;
	for (int file = STDERR_FILENO + 1; file < limit; file++)
		close(file);
}

static void
reset_signals(void)
{
	struct sigaction action;
	sigset_t	none;

	memset(&action, 0, sizeof(action));
	action.sa_handler = SIG_DFL;
	for (int signal = 1; signal < NSIG; signal++)
		(void) sigaction(signal, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child: never returns, and never leaves by proc_exit, which would undo what is the parent's. */
static void
become(const Surroundings *surroundings, pid_t parent)
{
	static const char no_shell[] = "recsys: /bin/sh cannot be run\n";

	(void) setpgid(0, 0);
#ifdef __linux__
	(void) prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
	/* it may have died before that */
	if (getppid() != parent)
		_exit(1);
	(void) setenv("PGHOST", surroundings->host, 1);
	(void) setenv("PGPORT", surroundings->port, 1);
	(void) setenv("PATH", surroundings->path, 1);
	close_files();
	reset_signals();
	(void) execl("/bin/sh", "sh", "-c", surroundings->command, (char *) NULL);
	if (write(STDERR_FILENO, no_shell, sizeof(no_shell) - 1) < 0)
		_exit(126);
	_exit(127);
}

pid_t
RecsysStartChild(const char *command)
{
	Surroundings surroundings;
	pid_t		parent = getpid();
	pid_t		child;
	sigset_t	all;
	sigset_t	before;
	int			error;

	surroundings.host = server_host();
	surroundings.port = psprintf("%d", PostPortNumber);
	surroundings.path = program_path();
	surroundings.command = psprintf("exec %s", command);

	/* the server's handlers are not to run in the child */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	child = fork();
	if (child == 0)
		become(&surroundings, parent);
	error = errno;
	if (child > 0)
		(void) setpgid(child, child);	/* whoever of the two is first: the group is there from now on */
	sigprocmask(SIG_SETMASK, &before, NULL);

	pfree(surroundings.host);
	pfree(surroundings.port);
	pfree(surroundings.path);
	pfree(surroundings.command);
	errno = error;
	return child;
}

bool
RecsysChildEnded(pid_t child, int *status)
{
	pid_t		ended;

	do
		ended = waitpid(child, status, WNOHANG);
	while (ended < 0 && errno == EINTR);

	/* not to be waited for: nobody knows how it ended */
	if (ended < 0)
		*status = 0;
	return ended != 0;
}

void
RecsysSignalChildren(pid_t child, int signal)
{
	(void) kill(-child, signal);
}
