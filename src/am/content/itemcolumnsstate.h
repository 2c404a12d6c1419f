/*
 * itemcolumnsstate.h
 *	  What RecsysGetItemColumns has found out.  Private to itemcolumns.c and formcontent.c.
 */
#ifndef RECSYS_ITEMCOLUMNSSTATE_H
#define RECSYS_ITEMCOLUMNSSTATE_H

#include "am/content/itemcolumns.h"
#include "am/content/itemtypes.h"

struct RecsysItemColumns
{
	RecsysKeyKind key_kind;
	Oid			key_type;		/* base type */
	int			count;			/* attributes */
	RecsysAttribute attributes[RECSYS_MAX_ATTRIBUTES];
	RecsysItemType types[RECSYS_MAX_ATTRIBUTES];
};

/* Column of the index, counting from 1, that has the attribute */
#define RecsysAttributeColumn(attribute) ((attribute) + 2)

/* A column, or the expression of one, as it is written in the command that made the index */
extern char *RecsysItemColumnText(Relation index, int column);

#endif							/* RECSYS_ITEMCOLUMNSSTATE_H */
