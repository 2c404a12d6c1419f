/*
 * image_descriptor.c
 *	  recsys.image_descriptor and recsys.try_image_descriptor: a picture as numbers that an
 *	  index compares.
 *
 * Both are immutable, so that they may stand in an index: no setting changes what they answer, and the limits
 * below are constants.  A later version of this extension, or of the libraries that decode, may give other
 * numbers; then indexes want a REINDEX, and columns that keep descriptors to be filled anew.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "core/image/image.h"
#include "fmgr.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(recsys_image_descriptor);
PG_FUNCTION_INFO_V1(recsys_try_image_descriptor);

#define MAX_MEGABYTES 32
#define MAX_MEGAPIXELS 40
#define MAX_SECONDS 2

static const RecsysImageLimits limits = {
	.bytes = MAX_MEGABYTES * 1024 * 1024,
	.pixels = MAX_MEGAPIXELS * 1000000,
	.milliseconds = MAX_SECONDS * 1000
};

#define NULL_INSTEAD "recsys.try_image_descriptor returns NULL for an image that cannot be read; it may stand in an index in the place of this function."

static void
too_many_bytes(Size bytes)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("image has too many bytes"),
			 errdetail("It has %zu bytes, and at most %d MB are decoded.", bytes, MAX_MEGABYTES),
			 errhint(NULL_INSTEAD)));
}

static void
report(RecsysImageError error, Size bytes, const char *said)
{
	switch (error)
	{
		case RECSYS_IMAGE_OK:
			break;
		case RECSYS_IMAGE_UNKNOWN_FORMAT:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("image is neither JPEG nor PNG nor WebP"),
					 errdetail("It has %zu bytes, which do not begin as one of them does.", bytes),
					 errhint(NULL_INSTEAD)));
			break;
		case RECSYS_IMAGE_TOO_MANY_BYTES:
			too_many_bytes(bytes);
			break;
		case RECSYS_IMAGE_TOO_MANY_PIXELS:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("image has too many pixels"),
					 errdetail("Its header says: %s. At most %d million are decoded, and 65535 along a side.",
							   said, MAX_MEGAPIXELS),
					 errhint(NULL_INSTEAD)));
			break;
		case RECSYS_IMAGE_TOO_SLOW:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("image takes too long to decode"),
					 errdetail("After %d seconds of the processor's time it was given up.", MAX_SECONDS)));
			break;
		case RECSYS_IMAGE_DAMAGED:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("image is damaged"),
					 errdetail("Its decoder says: %s.", said),
					 errhint(NULL_INSTEAD)));
			break;
		case RECSYS_IMAGE_NOT_BUILT:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("recsys was built without support for images"),
					 errhint("Build it again without RECSYS_IMAGES=no.")));
			break;
	}
}

/* NULL where an image is at fault and the caller goes on */
static ArrayType *
describe(Datum image, bool or_null)
{
	Size		bytes = toast_raw_datum_size(image) - VARHDRSZ;
	bytea	   *file;
	RecsysImage decoded;
	RecsysImageError error;
	const char *said;
	ArrayType  *descriptor;
	Size		size;

	/* before it is fetched and unpacked */
	if (bytes > limits.bytes)
	{
		if (or_null)
			return NULL;
		too_many_bytes(bytes);
	}
	file = DatumGetByteaPP(image);
	error = RecsysDecodeImage(VARDATA_ANY(file), bytes, &limits, &decoded, &said);
	if (or_null && (error == RECSYS_IMAGE_UNKNOWN_FORMAT || error == RECSYS_IMAGE_DAMAGED ||
					error == RECSYS_IMAGE_TOO_MANY_PIXELS))
		descriptor = NULL;
	else
	{
		report(error, bytes, said);
		size = ARR_OVERHEAD_NONULLS(1) + RecsysDescriptorLength() * sizeof(float4);
		descriptor = palloc0(size);
		SET_VARSIZE(descriptor, size);
		descriptor->ndim = 1;
		descriptor->elemtype = FLOAT4OID;
		ARR_DIMS(descriptor)[0] = RecsysDescriptorLength();
		ARR_LBOUND(descriptor)[0] = 1;
		RecsysDescribeImage(&decoded, (float *) ARR_DATA_PTR(descriptor));
		pfree(decoded.pixels);
	}
	/* an index build calls this for each row before it lets go of memory */
	if ((Pointer) file != DatumGetPointer(image))
		pfree(file);
	return descriptor;
}

Datum
recsys_image_descriptor(PG_FUNCTION_ARGS)
{
	PG_RETURN_ARRAYTYPE_P(describe(PG_GETARG_DATUM(0), false));
}

Datum
recsys_try_image_descriptor(PG_FUNCTION_ARGS)
{
	ArrayType  *descriptor = describe(PG_GETARG_DATUM(0), true);

	if (descriptor == NULL)
		PG_RETURN_NULL();
	PG_RETURN_ARRAYTYPE_P(descriptor);
}
