/*
 * corrupted.c
 *	  The error that tells of a damaged index, and how to build it anew.
 *
 * Damage is mostly found while a page is locked, and the hint needs the name of the
 * index's schema, which is in a catalog.  Reading a catalog may mean waiting for another
 * session, which must not be waiting for our page at the same time.  So all pages are
 * unlocked first; the error would unlock them anyway.  The texts are formatted before
 * that, because their arguments may come from one of those pages.
 */
#include "postgres.h"

#include "am/store/corrupted.h"
#include "am/store/indexname.h"
#include "lib/stringinfo.h"
#include "storage/lwlock.h"

pg_attribute_printf(1, 0) static char *
format_text(const char *format, va_list args)
{
	StringInfoData text;

	initStringInfo(&text);
	for (;;)
	{
		va_list		again;
		int			missing;

		va_copy(again, args);
		missing = appendStringInfoVA(&text, format, again);
		va_end(again);
		if (missing == 0)
			return text.data;
		enlargeStringInfo(&text, missing);
	}
}

pg_noreturn static void
raise_corrupted(Relation index, const char *message, const char *detail)
{
	char	   *name;

	LWLockReleaseAll();
	name = RecsysQualifiedIndexName(index);
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg_internal("%s", message),
			 detail != NULL ? errdetail_internal("%s", detail) : 0,
			 errhint("REINDEX INDEX %s;", name)));
	pg_unreachable();
}

void
RecsysCorrupted(Relation index, const char *format,...)
{
	va_list		args;
	char	   *message;

	va_start(args, format);
	message = format_text(format, args);
	va_end(args);
	raise_corrupted(index, message, NULL);
}

void
RecsysCorruptedDetail(Relation index, const char *message, const char *format,...)
{
	va_list		args;
	char	   *detail;

	va_start(args, format);
	detail = format_text(format, args);
	va_end(args);
	raise_corrupted(index, message, detail);
}
