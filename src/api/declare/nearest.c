/*
 * nearest.c
 *	  The known word that somebody may have meant.
 *
 * The measure is that by which the server finds misspelt columns: no more than three letters
 * apart, and no more than half of the word.
 */
#include "postgres.h"

#include "api/declare/nearest.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#define MAX_DISTANCE 3

const char *
RecsysNearestWord(const char *word, const char *const *known, int n)
{
	const char *nearest = NULL;
	int			length = strlen(word);
	int			best = Min(MAX_DISTANCE, length / 2) + 1;

	/* a word as long as that is no name, and would take long to compare */
	if (length >= NAMEDATALEN)
		return NULL;
	for (int i = 0; i < n; i++)
	{
		int			distance = varstr_levenshtein_less_equal(word, length, known[i], strlen(known[i]),
															 1, 1, 1, best, true);

		if (distance < best)
		{
			best = distance;
			nearest = known[i];
		}
	}
	return nearest;
}

char *
RecsysListWords(const char *const *known, int n)
{
	StringInfoData result;

	initStringInfo(&result);
	for (int i = 0; i < n; i++)
		appendStringInfo(&result, "%s%s", i == 0 ? "" : i == n - 1 ? " and " : ", ", known[i]);
	return result.data;
}

void
RecsysCheckWord(const char *word, const char *kind, const char *const *known, int n)
{
	const char *nearest;

	for (int i = 0; i < n; i++)
		if (strcmp(word, known[i]) == 0)
			return;
	nearest = RecsysNearestWord(word, known, n);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized %s \"%s\"", kind, word),
			 nearest != NULL ?
			 errhint("Perhaps you meant \"%s\".", nearest) :
			 errhint("Known are %s.", RecsysListWords(known, n))));
}
