/*
 * webpdecode.c
 *	  WebP by libwebp, lossy and lossless; of an animation its first picture.
 *
 * The library allocates by malloc, scales while it decodes, and is given the file piece by piece, so
 * that there is a look at the clock in between.  (A lossless picture needs four bytes a pixel all the same, and a
 * piece of it may be all of the picture: then a cancelled query waits for its end, a fraction of a second.)
 */
#include "core/image/imagedecoding.h"

#include <webp/decode.h>

#include "core/image/imageformat.h"

#define PIECE (64 * 1024)

static const char *
what_is_wrong(VP8StatusCode status)
{
	switch (status)
	{
		case VP8_STATUS_BITSTREAM_ERROR:
			return "its data make no sense";
		case VP8_STATUS_UNSUPPORTED_FEATURE:
			return "it uses a feature that is not known";
		case VP8_STATUS_SUSPENDED:
		case VP8_STATUS_NOT_ENOUGH_DATA:
			return "the file is cut short";
		default:
			return "it cannot be decoded";
	}
}

/* Whose fault is it? */
static void
fail(RecsysDecoding *decoding, VP8StatusCode status)
{
	if (status == VP8_STATUS_OUT_OF_MEMORY)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("An image is being decoded.")));
	RecsysDecodingFail(decoding, RECSYS_IMAGE_DAMAGED, what_is_wrong(status));
}

/* Sets part to the picture, and features to what its header declares. */
static bool
read_header(RecsysDecoding *decoding, WebPBitstreamFeatures *features, RecsysFilePart *part)
{
	VP8StatusCode status;

	*part = (RecsysFilePart) {decoding->bytes, decoding->size};
	status = WebPGetFeatures(part->bytes, part->size, features);
	if (status == VP8_STATUS_OK && features->has_animation)
	{
		if (!RecsysDecodingBegin(decoding, (uint32) features->width, (uint32) features->height))
			return false;
		*part = RecsysFindWebPFrame(decoding->bytes, decoding->size);
		status = part->size == 0 ? VP8_STATUS_NOT_ENOUGH_DATA :
			WebPGetFeatures(part->bytes, part->size, features);
		/* which would be an animation within one */
		if (status == VP8_STATUS_OK && features->has_animation)
			status = VP8_STATUS_BITSTREAM_ERROR;
	}
	if (status != VP8_STATUS_OK)
	{
		fail(decoding, status);
		return false;
	}
	return RecsysDecodingBegin(decoding, (uint32) features->width, (uint32) features->height);
}

/*
 * Piece by piece; the library has seen all that stands before.  Not inlined: a compiler would
 * fear for the part, which no longjmp can clobber.
 */
static pg_noinline void
decode_pieces(RecsysDecoding *decoding, WebPIDecoder *decoder, const RecsysFilePart *part)
{
	VP8StatusCode status = VP8_STATUS_SUSPENDED;

	for (Size given = 0; status == VP8_STATUS_SUSPENDED && given < part->size;)
	{
		given += Min(part->size - given, PIECE);
		status = WebPIUpdate(decoder, part->bytes, given);
		if (!RecsysDecodingGoesOn(decoding, UINT64CONST(1) << 32))
			return;
	}
	if (status != VP8_STATUS_OK)
		fail(decoding, status);
}

void
RecsysDecodeWebP(RecsysDecoding *decoding)
{
	WebPDecoderConfig config;
	RecsysFilePart part;
	WebPIDecoder *volatile decoder = NULL;
	unsigned char *volatile pixels = NULL;
	int			factor,
				width,
				height,
				channels;

	if (!WebPInitDecoderConfig(&config))
	{
		RecsysDecodingFail(decoding, RECSYS_IMAGE_DAMAGED, "libwebp is of another version");
		return;
	}
	if (!read_header(decoding, &config.input, &part))
		return;
	factor = RecsysShrinkFactor(Max(config.input.width, config.input.height));
	width = Max(1, config.input.width / factor);
	height = Max(1, config.input.height / factor);
	channels = config.input.has_alpha ? 4 : 3;
	config.options.use_threads = 0;
	config.options.use_scaling = factor > 1;
	config.options.scaled_width = width;
	config.options.scaled_height = height;
	PG_TRY();
	{
		RecsysDecodingExpect(decoding, width, height);
		pixels = palloc0((Size) channels * width * height);
		config.output.colorspace = channels == 4 ? MODE_RGBA : MODE_RGB;
		config.output.is_external_memory = 1;
		config.output.u.RGBA.rgba = pixels;
		config.output.u.RGBA.stride = channels * width;
		config.output.u.RGBA.size = (Size) channels * width * height;
		decoder = WebPIDecode(NULL, 0, &config);
		if (decoder == NULL)
			fail(decoding, VP8_STATUS_OUT_OF_MEMORY);
		decode_pieces(decoding, decoder, &part);
		if (decoding->error == RECSYS_IMAGE_OK)
			for (int y = 0; y < height; y++)
				RecsysShrinkAdd(decoding->shrink, pixels + (Size) channels * width * y, channels, y, 0, 1, width);
	}
	PG_FINALLY();
	{
		if (decoder != NULL)
			WebPIDelete(decoder);
		WebPFreeDecBuffer(&config.output);
		if (pixels != NULL)
			pfree(pixels);
	}
	PG_END_TRY();
}
