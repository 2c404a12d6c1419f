/*
 * journal.c
 *	  Lines on standard error: see journal.h.
 */
#include "postgres_fe.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "stream/run/journal.h"

#define JOURNAL_LINE 4096		/* bytes; what is longer is cut */

static char journal_who[128] = "";
static bool journal_verbose = false;
static int	journal_systemd = -1;

void
RecsysJournalOpen(const char *who, bool verbose)
{
	if (who != NULL)
		snprintf(journal_who, sizeof(journal_who), " [%s]", who);
	journal_verbose = verbose;
}

/* Is standard error journald's?  JOURNAL_STREAM names its device and inode. */
static bool
goes_to_journald(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long device;
	unsigned long inode;
	struct stat status;

	return stream != NULL && sscanf(stream, "%lu:%lu", &device, &inode) == 2 &&
		fstat(STDERR_FILENO, &status) == 0 &&
		(unsigned long) status.st_dev == device && (unsigned long) status.st_ino == inode;
}

void
RecsysJournal(RecsysJournalLevel level, const char *format,...)
{
	static const char *const words[] = {
		[RECSYS_JOURNAL_ERROR] = "error: ",
		[RECSYS_JOURNAL_WARNING] = "warning: ",
		[RECSYS_JOURNAL_INFO] = "",
		[RECSYS_JOURNAL_DEBUG] = "debug: ",
	};
	char		line[JOURNAL_LINE];
	size_t		length;
	size_t		begin;
	int			added;
	va_list		arguments;

	if (level == RECSYS_JOURNAL_DEBUG && !journal_verbose)
		return;
	if (journal_systemd < 0)
		journal_systemd = goes_to_journald();

	if (journal_systemd)
		length = snprintf(line, sizeof(line), "<%d>recsys-stream%s: %s", (int) level, journal_who, words[level]);
	else
	{
		time_t		now = time(NULL);
		struct tm	broken;

		gmtime_r(&now, &broken);
		length = strftime(line, sizeof(line), "%Y-%m-%d %H:%M:%SZ ", &broken);
		length += snprintf(line + length, sizeof(line) - length, "recsys-stream%s: %s", journal_who, words[level]);
	}
	begin = length;
	va_start(arguments, format);
	added = vsnprintf(line + length, sizeof(line) - length, format, arguments);
	va_end(arguments);

	length = Min(length + Max(added, 0), sizeof(line) - 2);
	while (length > begin && line[length - 1] == '\n')
		length--;
	for (size_t at = begin; at < length; at++)
		if ((unsigned char) line[at] < ' ' || line[at] == 0x7f)
			line[at] = ' ';
	line[length++] = '\n';
	if (write(STDERR_FILENO, line, length) < 0)
		return;					/* there is nobody to tell */
}
