/*
 * signals.c
 *	  Signals as flags: see signals.h.
 *
 * A flag is looked at often enough: see RecsysWaitForSocket.
 */
#include "postgres_fe.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "stream/run/signals.h"

volatile sig_atomic_t RecsysStopAsked = 0;
volatile sig_atomic_t RecsysReloadAsked = 0;
volatile sig_atomic_t RecsysChildEnded = 0;

static void
note_signal(int signal)
{
	if (signal == SIGHUP)
		RecsysReloadAsked = 1;
	else if (signal == SIGCHLD)
		RecsysChildEnded = 1;
	else
		RecsysStopAsked = 1;
}

void
RecsysCatchSignals(void)
{
	static const int caught[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = note_signal;
	sigemptyset(&action.sa_mask);
	for (int which = 0; which < lengthof(caught); which++)
		sigaction(caught[which], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/*
 * The flags are looked at again after at most a second, so a signal that comes between a look and the wait
 * is late and not lost.
 */
bool
RecsysWaitForSocket(int socket, bool to_write, int milliseconds)
{
	struct pollfd descriptor;

	descriptor.fd = socket;
	descriptor.events = to_write ? POLLIN | POLLOUT : POLLIN;
	descriptor.revents = 0;
	return poll(&descriptor, socket >= 0 ? 1 : 0, Max(0, Min(milliseconds, 1000))) > 0;
}

int64
RecsysNow(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int
RecsysBackoff(int failures)
{
	static unsigned int seed = 0;
	int			longest = failures >= 7 ? 30000 : 250 << Max(failures, 0);

	if (seed == 0)
		seed = (unsigned int) getpid() ^ (unsigned int) RecsysNow();
	return longest / 2 + (int) (rand_r(&seed) % (unsigned int) (longest / 2 + 1));
}
