/*
 * wholename.c
 *	  The name of a whole, which says whose it is.
 *
 * Nobody but a superuser can make relations in the schemas of TOAST tables, where wholes are.
 */
#include "postgres.h"

#include "am/store/wholename.h"
#include "catalog/catalog.h"

#define PREFIX "recsys_"
#define SUFFIX "_index"

void
RecsysNameWholeTable(Oid root, char *name)
{
	snprintf(name, NAMEDATALEN, PREFIX "%u", root);
}

void
RecsysNameWhole(Oid root, char *name)
{
	snprintf(name, NAMEDATALEN, PREFIX "%u" SUFFIX, root);
}

Oid
RecsysRootByName(const char *name, Oid schema)
{
	uint64		number = 0;

	if (!IsToastNamespace(schema) || strncmp(name, PREFIX, strlen(PREFIX)) != 0)
		return InvalidOid;
	for (name += strlen(PREFIX); *name >= '0' && *name <= '9' && number <= PG_UINT32_MAX; name++)
		number = number * 10 + (*name - '0');
	return strcmp(name, SUFFIX) == 0 && number <= PG_UINT32_MAX ? (Oid) number : InvalidOid;
}
