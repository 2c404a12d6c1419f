/*
 * buildwarnings.c
 *	  What a build has to say of options and rows that are hardly meant.
 */
#include "postgres.h"

#include "am/build/buildwarnings.h"
#include "am/store/indexname.h"
#include "am/store/options.h"
#include "catalog/index.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* TRUNCATE and VACUUM FULL build indexes, too, which may be such as 0.1.0 has created. */
void
RecsysCheckHalfLives(Relation index)
{
	const char *name = RecsysIndexName(index);
	const char *option = RecsysUselessHalfLife(index);

	if (option == NULL)
		return;
	if (!ReindexIsProcessingIndex(RelationGetRelid(index)))
		RecsysRefuseHalfLife(option, name);
	ereport(WARNING,
			(errmsg("index \"%s\" has no time column to apply %s to", name, option),
			 errhint("ALTER INDEX %s RESET (%s);",
					 RecsysQualifiedIndexName(index), option)));
}

/* A date such as 9999-12-31 is somebody's "never", or a mistake. */
void
RecsysWarnOfFuture(Oid index, int time_column, uint64 future)
{
	Oid			table = IndexGetRelation(index, false);
	Datum		column = DirectFunctionCall3(pg_get_indexdef_ext, ObjectIdGetDatum(index),
											 Int32GetDatum(time_column), BoolGetDatum(false));
	char	   *schema = get_namespace_name(get_rel_namespace(table));

	ereport(WARNING,
			(errmsg_plural("%llu interaction of index \"%s\" lies in the future",
						   "%llu interactions of index \"%s\" lie in the future",
						   (unsigned long) future, (unsigned long long) future, get_rel_name(index)),
			 errdetail_plural("Where interactions decay, it counts as one of now.",
							  "Where interactions decay, they count as of now.",
							  (unsigned long) future),
			 errhint("Look for mistakes: SELECT * FROM %s WHERE %s > now();",
					 quote_qualified_identifier(schema, get_rel_name(table)),
					 TextDatumGetCString(column))));
}
