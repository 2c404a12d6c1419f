/*
 * jpegdecode.c
 *	  JPEG by libjpeg-turbo.
 *
 * The library scales by 1/2, 1/4 or 1/8 while it transforms blocks, which is most of the time
 * that a photo takes.  It reports errors through a function that must not return, and what
 * is wrong with the data as warnings, after which it goes on with gray: here both end the decoding, but for
 * warnings about what does no harm.
 *
 * A progressive file is decoded in as many passes over all coefficients as it declares scans: their
 * number and the memory for the coefficients are limited, and between rows of each pass the clock is looked at.
 */
#include "core/image/imagedecoding.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>
#include <jerror.h>

/* encoders write about ten */
#define MAX_SCANS 100

/* for coefficients of a progressive file, 2 bytes each: 40 million pixels, 3 colors at full resolution */
#define MAX_MEMORY (256L * 1024 * 1024)

typedef struct JPEGDecoder
{
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors;
	struct jpeg_progress_mgr progress;
	struct jpeg_source_mgr source;
	jmp_buf		way_out;
	RecsysDecoding *decoding;
	unsigned char *row;
} JPEGDecoder;

/* the libraries' structures point to their part of a decoder, or carry it along */
static JPEGDecoder *
decoder_of(j_common_ptr jpeg)
{
	return (JPEGDecoder *) jpeg->client_data;
}

static void
give_up(j_common_ptr jpeg)
{
	longjmp(decoder_of(jpeg)->way_out, 1);
}

static void
fail(j_common_ptr jpeg, RecsysImageError error)
{
	char		text[JMSG_LENGTH_MAX];

	jpeg->err->format_message(jpeg, text);
	RecsysDecodingFail(decoder_of(jpeg)->decoding, error, text);
	give_up(jpeg);
}

static void
error_exit(j_common_ptr jpeg)
{
	if (jpeg->err->msg_code == JERR_OUT_OF_MEMORY)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("An image is being decoded.")));
	/* its own limit, which is ours */
	fail(jpeg, jpeg->err->msg_code == JERR_NO_BACKING_STORE ? RECSYS_IMAGE_TOO_MANY_PIXELS : RECSYS_IMAGE_DAMAGED);
}

static void
emit_message(j_common_ptr jpeg, int level)
{
	if (level >= 0)
		return;
	switch (jpeg->err->msg_code)
	{
		case JWRN_EXTRANEOUS_DATA:
		case JWRN_JFIF_MAJOR:
		case JWRN_ADOBE_XFORM:
		case JWRN_TOO_MUCH_DATA:
			break;
		default:
			fail(jpeg, RECSYS_IMAGE_DAMAGED);
	}
}

static void
output_message(j_common_ptr jpeg)
{
}

/* All bytes are there from the start: whoever wants more has a file that is cut short. */
static void
init_source(j_decompress_ptr jpeg)
{
}

static boolean
fill_input_buffer(j_decompress_ptr jpeg)
{
	ERREXIT(jpeg, JERR_INPUT_EOF);
	return FALSE;
}

static void
skip_input_data(j_decompress_ptr jpeg, long n)
{
	if (n <= 0)
		return;
	if ((unsigned long) n > jpeg->src->bytes_in_buffer)
		ERREXIT(jpeg, JERR_INPUT_EOF);
	jpeg->src->next_input_byte += n;
	jpeg->src->bytes_in_buffer -= (size_t) n;
}

static void
term_source(j_decompress_ptr jpeg)
{
}

/* Called for each row of blocks of each pass. */
static void
progress_monitor(j_common_ptr common)
{
	j_decompress_ptr jpeg = (j_decompress_ptr) common;
	JPEGDecoder *decoder = decoder_of(common);

	if (jpeg->input_scan_number > MAX_SCANS)
	{
		RecsysDecodingFail(decoder->decoding, RECSYS_IMAGE_DAMAGED, "it has too many scans");
		give_up(common);
	}
	if (!RecsysDecodingGoesOn(decoder->decoding, (uint64) jpeg->image_width * 8))
		give_up(common);
}

/* Printers' colors: what is stored is how little ink there is, if the file is Adobe's. */
static void
cmyk_to_rgb(unsigned char *row, int n, bool inverted)
{
	const unsigned char *from = row;
	unsigned char *to = row;

	for (int i = 0; i < n; i++, from += 4, to += 3)
	{
		unsigned	black = inverted ? from[3] : 255 - from[3];

		for (int j = 0; j < 3; j++)
			to[j] = (unsigned char) ((inverted ? from[j] : 255u - from[j]) * black / 255);
	}
}

static int
output_channels(j_decompress_ptr jpeg)
{
	switch (jpeg->jpeg_color_space)
	{
		case JCS_GRAYSCALE:
			jpeg->out_color_space = JCS_GRAYSCALE;
			return 1;
		case JCS_RGB:
		case JCS_YCbCr:
			jpeg->out_color_space = JCS_RGB;
			return 3;
		case JCS_CMYK:
		case JCS_YCCK:
			jpeg->out_color_space = JCS_CMYK;
			return 4;
		default:
			return 0;
	}
}

static void
decode_rows(JPEGDecoder *decoder)
{
	j_decompress_ptr jpeg = &decoder->jpeg;
	RecsysDecoding *decoding = decoder->decoding;
	int			channels;

	jpeg_read_header(jpeg, TRUE);
	if (!RecsysDecodingBegin(decoding, jpeg->image_width, jpeg->image_height))
		return;
	channels = output_channels(jpeg);
	if (channels == 0)
	{
		RecsysDecodingFail(decoding, RECSYS_IMAGE_DAMAGED, "its colors are of no known kind");
		return;
	}
	jpeg->dct_method = JDCT_ISLOW;	/* the one that all builds of the library compute alike */
	jpeg->scale_num = 1;
	jpeg->scale_denom = 1;
	while (jpeg->scale_denom < 8 &&
		   RecsysShrinkFactor((int) Max(jpeg->image_width, jpeg->image_height)) >= (int) jpeg->scale_denom * 2)
		jpeg->scale_denom *= 2;

	jpeg_start_decompress(jpeg);
	RecsysDecodingExpect(decoding, (int) jpeg->output_width, (int) jpeg->output_height);
	decoder->row = palloc((Size) jpeg->output_width * 4);
	while (jpeg->output_scanline < jpeg->output_height)
	{
		int			y = (int) jpeg->output_scanline;
		JSAMPROW	row = decoder->row;

		if (jpeg_read_scanlines(jpeg, &row, 1) != 1)
			ERREXIT(jpeg, JERR_INPUT_EOF);
		if (channels == 4)
			cmyk_to_rgb(row, (int) jpeg->output_width, jpeg->saw_Adobe_marker);
		RecsysShrinkAdd(decoding->shrink, row, Min(channels, 3), y, 0, 1, (int) jpeg->output_width);
	}
}

void
RecsysDecodeJPEG(RecsysDecoding *decoding)
{
	JPEGDecoder *decoder = palloc0(sizeof(JPEGDecoder));
	j_decompress_ptr jpeg = &decoder->jpeg;

	decoder->decoding = decoding;
	jpeg->err = jpeg_std_error(&decoder->errors);
	decoder->errors.error_exit = error_exit;
	decoder->errors.emit_message = emit_message;
	decoder->errors.output_message = output_message;
	jpeg->client_data = decoder;
	PG_TRY();
	{
		if (setjmp(decoder->way_out) == 0)
		{
			jpeg_create_decompress(jpeg);
			jpeg->mem->max_memory_to_use = MAX_MEMORY;
			decoder->progress.progress_monitor = progress_monitor;
			jpeg->progress = &decoder->progress;
			decoder->source.init_source = init_source;
			decoder->source.fill_input_buffer = fill_input_buffer;
			decoder->source.skip_input_data = skip_input_data;
			decoder->source.resync_to_restart = jpeg_resync_to_restart;
			decoder->source.term_source = term_source;
			decoder->source.next_input_byte = decoding->bytes;
			decoder->source.bytes_in_buffer = decoding->size;
			jpeg->src = &decoder->source;
			decode_rows(decoder);
		}
	}
	PG_FINALLY();
	{
		jpeg_destroy_decompress(jpeg);
		if (decoder->row != NULL)
			pfree(decoder->row);
		pfree(decoder);
	}
	PG_END_TRY();
}
