/*
 * rawcontent.c
 *	  Raw content as bytes: for each attribute a header, then what it has of terms and components.
 */
#include "core/content/rawcontent.h"

typedef struct StoredValue
{
	double		number;
	int32		nterms;
	int32		dimensions;
	bool		known;
} StoredValue;

/* Everything begins at a multiple of this. */
#define ALIGNED(size) (((size) + 7) & ~(Size) 7)

Size
RecsysRawContentSize(const RecsysContentModel *model, const RecsysRawContent *raw)
{
	Size		size = ALIGNED(sizeof(StoredValue)) * model->count;

	for (int a = 0; a < model->count; a++)
	{
		const RecsysRawValue *value = &raw->values[a];

		if (value->known)
			size += ALIGNED(sizeof(RecsysTerm) * (Size) value->nterms) +
				ALIGNED(sizeof(float) * (Size) value->dimensions);
	}
	return size;
}

void
RecsysRawContentStore(const RecsysContentModel *model, const RecsysRawContent *raw, char *dest)
{
	memset(dest, 0, RecsysRawContentSize(model, raw));
	for (int a = 0; a < model->count; a++)
	{
		const RecsysRawValue *value = &raw->values[a];
		StoredValue *stored = (StoredValue *) dest;

		dest += ALIGNED(sizeof(StoredValue));
		if (!value->known)
			continue;
		stored->known = true;
		stored->number = value->number;
		stored->nterms = value->nterms;
		stored->dimensions = value->dimensions;
		if (value->nterms > 0)
			memcpy(dest, value->terms, sizeof(RecsysTerm) * (Size) value->nterms);
		dest += ALIGNED(sizeof(RecsysTerm) * (Size) value->nterms);
		if (value->dimensions > 0)
			memcpy(dest, value->vector, sizeof(float) * (Size) value->dimensions);
		dest += ALIGNED(sizeof(float) * (Size) value->dimensions);
	}
}

void
RecsysRawContentLoad(const RecsysContentModel *model, const char *src, RecsysRawContent *raw)
{
	raw->count = model->count;
	for (int a = 0; a < model->count; a++)
	{
		const StoredValue *stored = (const StoredValue *) src;
		RecsysRawValue *value = &raw->values[a];

		src += ALIGNED(sizeof(StoredValue));
		value->known = stored->known;
		value->number = stored->number;
		value->nterms = stored->nterms;
		value->dimensions = stored->dimensions;
		value->terms = (const RecsysTerm *) src;
		src += ALIGNED(sizeof(RecsysTerm) * (Size) stored->nterms);
		value->vector = (const float *) src;
		src += ALIGNED(sizeof(float) * (Size) stored->dimensions);
	}
}
