/*
 * pngdecode.c
 *	  PNG by libpng.
 *
 * All its memory, and zlib's, comes from the functions below.  Chunks that say nothing of the pixels are passed
 * over without being unpacked: compressed texts and color profiles can be bombs.
 *
 * Interlaced pictures come in seven passes; each pass's pixels go where they belong at once, so that
 * none needs the whole picture in memory.
 */
#include "core/image/imagedecoding.h"

#include <setjmp.h>

#include <png.h>

/* for what is left of chunks: a palette, its opacities */
#define MAX_CHUNK_MEMORY (1024 * 1024)

typedef struct PNGDecoder
{
	png_structp png;
	png_infop	info;
	RecsysDecoding *decoding;
	Size		at;				/* read so far */
	unsigned char *row;
} PNGDecoder;

/* names of five bytes each, as libpng wants them */
static const png_byte ignored_chunks[] =
"bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0sTER\0tEXt\0tIME\0zTXt";

static png_voidp
allocate(png_structp png, png_alloc_size_t size)
{
	return palloc(size);
}

static void
release(png_structp png, png_voidp pointer)
{
	pfree(pointer);
}

static void
on_error(png_structp png, png_const_charp text)
{
	PNGDecoder *decoder = png_get_error_ptr(png);

	RecsysDecodingFail(decoder->decoding, RECSYS_IMAGE_DAMAGED, text);
	png_longjmp(png, 1);
}

static void
on_warning(png_structp png, png_const_charp text)
{
}

static void
read_bytes(png_structp png, png_bytep to, size_t n)
{
	PNGDecoder *decoder = png_get_io_ptr(png);

	if (n > decoder->decoding->size - decoder->at)
		png_error(png, "the file is cut short");
	memcpy(to, decoder->decoding->bytes + decoder->at, n);
	decoder->at += n;
}

static void
decode_rows(PNGDecoder *decoder)
{
	png_structp png = decoder->png;
	RecsysDecoding *decoding = decoder->decoding;
	int			width,
				height,
				channels,
				passes;

	png_set_user_limits(png, RECSYS_IMAGE_MAX_SIDE, RECSYS_IMAGE_MAX_SIDE);
	png_set_chunk_malloc_max(png, MAX_CHUNK_MEMORY);
	png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, ignored_chunks,
								(int) sizeof(ignored_chunks) / 5);
	png_set_read_fn(png, decoder, read_bytes);
	png_read_info(png, decoder->info);
	width = (int) png_get_image_width(png, decoder->info);
	height = (int) png_get_image_height(png, decoder->info);
	if (!RecsysDecodingBegin(decoding, (uint32) width, (uint32) height))
		return;

	/* to 8 bits, gray or RGB, with or without opacity */
	png_set_expand(png);
	png_set_scale_16(png);
	if (png_get_color_type(png, decoder->info) == PNG_COLOR_TYPE_GRAY_ALPHA ||
		png_get_valid(png, decoder->info, PNG_INFO_tRNS))
		png_set_gray_to_rgb(png);
	passes = png_get_interlace_type(png, decoder->info) == PNG_INTERLACE_ADAM7 ? 7 : 1;
	png_read_update_info(png, decoder->info);
	channels = png_get_channels(png, decoder->info);
	if (png_get_bit_depth(png, decoder->info) != 8 || channels == 2)
		png_error(png, "its pixels are of no known kind");

	RecsysDecodingExpect(decoding, width, height);
	decoder->row = palloc0((Size) width * 8);
	for (int pass = 0; pass < passes; pass++)
	{
		int			rows = passes == 1 ? height : (int) PNG_PASS_ROWS(height, pass);
		int			columns = passes == 1 ? width : (int) PNG_PASS_COLS(width, pass);

		/* the library passes over such a pass, too */
		if (columns == 0)
			continue;
		for (int row = 0; row < rows; row++)
		{
			png_read_row(png, decoder->row, NULL);
			if (passes == 1)
				RecsysShrinkAdd(decoding->shrink, decoder->row, channels, row, 0, 1, columns);
			else
				RecsysShrinkAdd(decoding->shrink, decoder->row, channels,
								(int) PNG_ROW_FROM_PASS_ROW(row, pass), PNG_PASS_START_COL(pass),
								1 << PNG_PASS_COL_SHIFT(pass), columns);
			if (!RecsysDecodingGoesOn(decoding, (uint64) columns))
				return;
		}
	}
}

void
RecsysDecodePNG(RecsysDecoding *decoding)
{
	PNGDecoder *decoder = palloc0(sizeof(PNGDecoder));

	decoder->decoding = decoding;
	PG_TRY();
	{
		decoder->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, decoder, on_error, on_warning,
												NULL, allocate, release);
		if (decoder->png == NULL)
			RecsysDecodingFail(decoding, RECSYS_IMAGE_DAMAGED, "libpng is of another version");
		else if (setjmp(png_jmpbuf(decoder->png)) == 0)
		{
			decoder->info = png_create_info_struct(decoder->png);
			decode_rows(decoder);
		}
	}
	PG_FINALLY();
	{
		if (decoder->png != NULL)
			png_destroy_read_struct(&decoder->png, &decoder->info, NULL);
		if (decoder->row != NULL)
			pfree(decoder->row);
		pfree(decoder);
	}
	PG_END_TRY();
}
