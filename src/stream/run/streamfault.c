/*
 * streamfault.c
 *	  Places where a test can stop the program: see streamfault.h.
 */
#include "postgres_fe.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "stream/run/streamfault.h"

#ifdef RECSYS_FAULT_INJECTION

void
RecsysStreamFault(const char *point)
{
	static int	reached = 0;
	static unsigned int seed = 0;
	const char *armed = getenv("RECSYS_STREAM_FAULT");
	char		name[64];
	char		action[16] = "";
	int			number = 1;
	bool		any;

	if (armed == NULL || sscanf(armed, "%63[^:]:%15[^:]:%d", name, action, &number) < 2)
		return;
	any = strcmp(name, "any") == 0;
	if (!any && strcmp(name, point) != 0)
		return;

	if (strcmp(action, "sleep") == 0)
		pg_usleep(number * 1000L);
	else if (strcmp(action, "kill") == 0)
	{
		if (seed == 0)
			seed = (unsigned int) getpid() ^ (unsigned int) time(NULL);
		if (any ? rand_r(&seed) % Max(number, 1) == 0 : ++reached == number)
			kill(getpid(), SIGKILL);
	}
}

#endif
