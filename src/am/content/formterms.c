/*
 * formterms.c
 *	  Labels and words of values as terms.
 *
 * A label is hashed as the key of that value would be, so smallint, integer and bigint agree,
 * char(n) without its blanks.  An enum value is hashed by its OID, which no ALTER TYPE ... RENAME
 * VALUE changes and pg_upgrade keeps: rows from before stay alike to rows from after.
 */
#include "postgres.h"

#include "am/content/formterms.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "core/rows/key.h"
#include "mb/pg_wchar.h"
#include "source/input/values.h"
#include "tsearch/ts_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

static int
compare_terms(const void *a, const void *b)
{
	uint64		x = ((const RecsysTerm *) a)->hash;
	uint64		y = ((const RecsysTerm *) b)->hash;

	return (x > y) - (x < y);
}

/* Each label once: what is repeated says no more. */
static int
make_distinct(RecsysTerm *terms, int n)
{
	int			kept = 0;

	qsort(terms, n, sizeof(RecsysTerm), compare_terms);
	for (int i = 0; i < n; i++)
		if (kept == 0 || terms[kept - 1].hash != terms[i].hash)
			terms[kept++] = terms[i];
	return kept;
}

static RecsysTerm
label_of_key(int attribute, Oid type, bool is_enum, Datum value)
{
	RecsysTerm	term = {.count = 1};
	RecsysKey	key;

	if (is_enum)
		RecsysKeyFromDatum(INT8OID, Int64GetDatum((int64) DatumGetObjectId(value)), &key);
	else
		RecsysKeyFromDatum(type, value, &key);
	if (key.data != NULL)
		term.hash = RecsysTermHash(attribute, key.data, key.len);
	else
		term.hash = RecsysTermHash(attribute, (const char *) &key.number, sizeof(key.number));
	return term;
}

static int
one_label(RecsysTerm label, RecsysTerm **terms)
{
	*terms = palloc(sizeof(RecsysTerm));
	**terms = label;
	return 1;
}

static int
labels_of_array(const RecsysItemType *type, int attribute, Datum value, RecsysTerm **terms)
{
	Datum	   *elements;
	bool	   *nulls;
	int			nelements;
	int			n = 0;
	ArrayType  *array = DatumGetArrayTypeP(value);

	deconstruct_array(array, ARR_ELEMTYPE(array), type->element_length, type->element_by_value,
					  type->element_align, &elements, &nulls, &nelements);
	*terms = palloc(sizeof(RecsysTerm) * Max(nelements, 1));
	for (int i = 0; i < nelements; i++)
		if (!nulls[i])
			(*terms)[n++] = label_of_key(attribute, type->element, type->is_enum, elements[i]);
	return make_distinct(*terms, n);
}

/* A lexeme and where it stands first */
typedef struct Place
{
	int			position;
	int			entry;
} Place;

static int
compare_places(const void *a, const void *b)
{
	const Place *x = a;
	const Place *y = b;

	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	return (x->entry > y->entry) - (x->entry < y->entry);
}

/* Lexemes, counted by their positions; of too many those that come first in the text */
static int
lexemes_of_tsvector(int attribute, Datum value, RecsysTerm **terms)
{
	TSVector	vector = DatumGetTSVector(value);
	WordEntry  *entries = ARRPTR(vector);
	Place	   *places = palloc(sizeof(Place) * Max(vector->size, 1));
	int			n = Min(vector->size, RECSYS_MAX_TERMS);

	for (int i = 0; i < vector->size; i++)
	{
		places[i].entry = i;
		places[i].position = entries[i].haspos && POSDATALEN(vector, &entries[i]) > 0 ?
			WEP_GETPOS(POSDATAPTR(vector, &entries[i])[0]) : MAXENTRYPOS;
	}
	if (vector->size > RECSYS_MAX_TERMS)
		qsort(places, vector->size, sizeof(Place), compare_places);

	*terms = palloc(sizeof(RecsysTerm) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		WordEntry  *entry = &entries[places[i].entry];

		(*terms)[i].hash = RecsysTermHash(attribute, STRPTR(vector) + entry->pos, entry->len);
		(*terms)[i].count = entry->haspos ? Max(POSDATALEN(vector, entry), 1) : 1;
	}
	pfree(places);
	return n;
}

int
RecsysFormTerms(const RecsysItemType *type, int attribute, Datum value, RecsysTerm **terms)
{
	switch (type->form)
	{
		case RECSYS_VALUE_KEY:
			return one_label(label_of_key(attribute, type->type, type->is_enum, value), terms);
		case RECSYS_VALUE_BOOLEAN:
			return one_label(label_of_key(attribute, INT8OID, false,
										  Int64GetDatum(DatumGetBool(value))), terms);
		case RECSYS_VALUE_NUMERIC:
			{
				Datum		trimmed = DirectFunctionCall1(numeric_trim_scale, value);
				char	   *digits = DatumGetCString(DirectFunctionCall1(numeric_out, trimmed));
				RecsysTerm	term = {.count = 1};

				term.hash = RecsysTermHash(attribute, digits, strlen(digits));
				return one_label(term, terms);
			}
		case RECSYS_VALUE_ARRAY:
			return labels_of_array(type, attribute, value, terms);
		case RECSYS_VALUE_TEXT:
			{
				text	   *string = DatumGetTextPP(value);

				return RecsysTextTerms(attribute, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string),
									   GetDatabaseEncoding() == PG_UTF8, terms);
			}
		case RECSYS_VALUE_TSVECTOR:
			return lexemes_of_tsvector(attribute, value, terms);
		default:
			break;
	}
	elog(ERROR, "values of form %d have no terms", (int) type->form);
	return 0;
}
