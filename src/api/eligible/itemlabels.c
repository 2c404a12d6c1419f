/*
 * itemlabels.c
 *	  Values that items share, as small numbers: labels of one call.
 *
 * A list looks at hundreds of values, most of them again and again.  So they are compared by
 * their bytes wherever equal bytes mean equal text, which is everywhere but in types of
 * varying length whose layout is their own.
 */
#include "postgres.h"

#include "api/eligible/itemlabels.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "compat.h"
#include "fmgr.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

typedef struct Label
{
	Oid			type;			/* text for all types that are stored as text is */
	uint32		hash;
	Datum		value;
	const char *bytes;			/* what is compared; NULL: the value itself */
	uint32		len;
	char	   *text;			/* NULL: nobody has asked for it yet */
} Label;

/* How values of a type are compared */
typedef enum LabelKind
{
	LABEL_BY_VALUE,
	LABEL_BY_BYTES,				/* of a fixed length */
	LABEL_AS_STRING,			/* varlena of characters */
	LABEL_AS_OUTPUT
} LabelKind;

/* What is known of a type */
typedef struct KnownType
{
	Oid			type;
	LabelKind	kind;
	int16		length;
} KnownType;

#define MOST_TYPES 8

struct RecsysItemLabels
{
	MemoryContext context;
	Label	   *labels;			/* from 1 */
	uint32		count;
	uint32		room;
	uint32	   *places;			/* open addressing; 0: empty */
	uint32		mask;

	KnownType	types[MOST_TYPES];	/* the ones that came first */
	int			ntypes;
	KnownType	other;			/* and the last one of others */
};

#define FIRST_ROOM 64

RecsysItemLabels *
RecsysItemLabelsCreate(void)
{
	RecsysItemLabels *labels = palloc0(sizeof(RecsysItemLabels));

	labels->context = CurrentMemoryContext;
	labels->room = FIRST_ROOM;
	labels->labels = palloc(sizeof(Label) * (labels->room + 1));
	labels->mask = 2 * FIRST_ROOM - 1;
	labels->places = palloc0(sizeof(uint32) * (labels->mask + 1));
	return labels;
}

static void
learn_type(Oid type, KnownType *known)
{
	bool		by_value;

	known->type = type;
	get_typlenbyval(type, &known->length, &by_value);
	if (by_value)
		known->kind = LABEL_BY_VALUE;
	else if (known->length > 0)
		known->kind = LABEL_BY_BYTES;
	else if (type == TEXTOID || type == VARCHAROID || type == BPCHAROID)
		known->kind = LABEL_AS_STRING;
	else
		known->kind = LABEL_AS_OUTPUT;
}

static const KnownType *
know_type(RecsysItemLabels *labels, Oid type)
{
	for (int i = 0; i < labels->ntypes; i++)
		if (labels->types[i].type == type)
			return &labels->types[i];
	if (labels->ntypes < MOST_TYPES)
	{
		learn_type(type, &labels->types[labels->ntypes]);
		return &labels->types[labels->ntypes++];
	}
	if (labels->other.type != type)
		learn_type(type, &labels->other);
	return &labels->other;
}

/*
 * What value::text is.  Most types have no other cast than by their output; boolean, inet
 * and some more do.
 */
static char *
text_of(Oid type, Datum value)
{
	Oid			function;
	bool		varlena;

	if (find_coercion_pathway(TEXTOID, type, COERCION_EXPLICIT, &function) == COERCION_PATH_FUNC)
		return TextDatumGetCString(OidFunctionCall1(function, value));
	getTypeOutputInfo(type, &function, &varlena);
	return OidOutputFunctionCall(function, value);
}

static void
place(RecsysItemLabels *labels, uint32 label)
{
	uint32		i = labels->labels[label].hash & labels->mask;

	while (labels->places[i] != 0)
		i = (i + 1) & labels->mask;
	labels->places[i] = label;
}

static void
enlarge(RecsysItemLabels *labels)
{
	MemoryContext old = MemoryContextSwitchTo(labels->context);

	labels->room *= 2;
	labels->labels = repalloc_huge(labels->labels, sizeof(Label) * ((Size) labels->room + 1));
	labels->mask = 2 * labels->room - 1;
	pfree(labels->places);
	labels->places = MemoryContextAllocExtended(labels->context,
												sizeof(uint32) * ((Size) labels->mask + 1),
												MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 1; i <= labels->count; i++)
		place(labels, i);
	MemoryContextSwitchTo(old);
}

static bool
is_same(const Label *a, const Label *b)
{
	if (a->hash != b->hash || a->type != b->type)
		return false;
	if (a->bytes == NULL)
		return a->value == b->value;
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* What is looked for, nothing copied yet */
static void
describe(const KnownType *known, Datum value, Label *label)
{
	label->type = known->type;
	label->value = value;
	label->bytes = NULL;
	label->len = 0;
	label->text = NULL;
	switch (known->kind)
	{
		case LABEL_BY_VALUE:
			label->hash = hash_bytes_uint32((uint32) value ^ (uint32) ((uint64) value >> 32));
			return;
		case LABEL_BY_BYTES:
			label->bytes = DatumGetPointer(value);
			label->len = known->length;
			break;
		case LABEL_AS_STRING:
			{
				text	   *string = DatumGetTextPP(value);

				label->type = TEXTOID;
				label->bytes = VARDATA_ANY(string);
				label->len = known->type == BPCHAROID ?
					bpchartruelen(VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string)) :
					VARSIZE_ANY_EXHDR(string);
				break;
			}
		case LABEL_AS_OUTPUT:
			label->text = text_of(known->type, value);
			label->bytes = label->text;
			label->len = strlen(label->text);
			break;
	}
	label->hash = hash_bytes((const unsigned char *) label->bytes, label->len);
}

/* Copies of what the label points to; strings are kept once, as a text. */
static void
keep(const KnownType *known, Label *label)
{
	switch (known->kind)
	{
		case LABEL_BY_VALUE:
			break;
		case LABEL_BY_BYTES:
			label->value = datumCopy(label->value, false, known->length);
			label->bytes = DatumGetPointer(label->value);
			break;
		case LABEL_AS_STRING:
			{
				text	   *string = cstring_to_text_with_len(label->bytes, label->len);

				label->value = PointerGetDatum(string);
				label->bytes = VARDATA(string);
				break;
			}
		case LABEL_AS_OUTPUT:
			label->text = pstrdup(label->text);
			label->bytes = label->text;
			label->value = known->length == -1 ?
				PointerGetDatum(PG_DETOAST_DATUM_COPY(label->value)) :
				datumCopy(label->value, false, known->length);
			break;
	}
}

RecsysLabel
RecsysItemLabelOf(RecsysItemLabels *labels, Oid type, Datum value)
{
	const KnownType *known = know_type(labels, type);
	MemoryContext old;
	Label		label;

	describe(known, value, &label);
	for (uint32 i = label.hash & labels->mask; labels->places[i] != 0; i = (i + 1) & labels->mask)
		if (is_same(&labels->labels[labels->places[i]], &label))
			return labels->places[i];

	if (labels->count == labels->room)
		enlarge(labels);
	old = MemoryContextSwitchTo(labels->context);
	keep(known, &label);
	MemoryContextSwitchTo(old);
	labels->labels[++labels->count] = label;
	place(labels, labels->count);
	return labels->count;
}

Datum
RecsysItemLabelValue(const RecsysItemLabels *labels, RecsysLabel label)
{
	Assert(label > 0 && label <= labels->count);
	return labels->labels[label].value;
}

Oid
RecsysItemLabelType(const RecsysItemLabels *labels, RecsysLabel label)
{
	Assert(label > 0 && label <= labels->count);
	return labels->labels[label].type;
}

const char *
RecsysItemLabelText(const RecsysItemLabels *labels, RecsysLabel label)
{
	Label	   *found;

	if (label == 0)
		return NULL;
	Assert(label <= labels->count);
	found = &labels->labels[label];
	if (found->text == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(labels->context);

		found->text = text_of(found->type, found->value);
		MemoryContextSwitchTo(old);
	}
	return found->text;
}

uint32
RecsysItemLabelCount(const RecsysItemLabels *labels)
{
	return labels->count;
}
