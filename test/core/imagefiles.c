/*
 * imagefiles.c
 *	  Image files by libjpeg-turbo, libpng and libwebp.
 */
#include "imagefiles.h"

#include <jpeglib.h>
#include <png.h>
#include <webp/encode.h>

static const char *const names[IMAGE_KINDS] = {
	"png-gray", "png-gray-1", "png-gray-alpha", "png-rgb", "png-rgb-16", "png-rgba", "png-rgba-interlaced",
	"png-palette", "webp-lossless", "webp-lossless-rgba", "webp-animated", "webp-lossy", "jpeg-gray", "jpeg-444",
	"jpeg-420", "jpeg-progressive", "jpeg-restarts", "jpeg-cmyk"
};

const char *
image_kind_name(ImageKind kind)
{
	return names[kind];
}

bool
image_kind_is_exact(ImageKind kind)
{
	return kind < WEBP_LOSSY;
}

unsigned char *
image_pixels(int width, int height)
{
	unsigned char *rgba = malloc((size_t) 4 * width * height);
	unsigned	noise = 1;

	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++)
		{
			unsigned char *pixel = rgba + 4 * ((size_t) y * width + x);
			bool		object = abs(2 * x - width) < width / 2 + y / 3 && y > height / 6 && y < height * 5 / 6;

			noise = noise * 1103515245 + 12345;
			pixel[0] = (unsigned char) (object ? 200 - 80 * y / height : 235 + (noise >> 16 & 7));
			pixel[1] = (unsigned char) (object ? 40 + 60 * x / width : 230 + (noise >> 20 & 7));
			pixel[2] = (unsigned char) (object ? 30 + (noise >> 24 & 15) : 225);
			pixel[3] = (unsigned char) (x < width / 5 ? noise >> 16 : 255);
		}
	return rgba;
}

static int
gray_of(const unsigned char *pixel)
{
	return (pixel[0] + pixel[1] + pixel[2]) / 3;
}

/* One of 16 */
static int
color_of(const unsigned char *pixel)
{
	return (pixel[0] >> 7) | (pixel[1] >> 7) << 1 | (pixel[2] >> 7) << 2 | (pixel[3] >> 7) << 3;
}

static void
palette_color(int color, unsigned char *pixel)
{
	pixel[0] = color & 1 ? 220 : 30;
	pixel[1] = color & 2 ? 210 : 40;
	pixel[2] = color & 4 ? 200 : 50;
	pixel[3] = color & 8 ? 255 : 100;
}

unsigned char *
image_expected(ImageKind kind, const unsigned char *rgba, int width, int height)
{
	unsigned char *rgb = malloc((size_t) 3 * width * height);

	for (size_t i = 0; i < (size_t) width * height; i++)
	{
		unsigned char pixel[4];

		memcpy(pixel, rgba + 4 * i, 4);
		if (kind == PNG_PALETTE)
			palette_color(color_of(pixel), pixel);
		else if (kind == PNG_GRAY || kind == PNG_GRAY_ALPHA || kind == JPEG_GRAY)
			pixel[0] = pixel[1] = pixel[2] = (unsigned char) gray_of(pixel);
		else if (kind == PNG_GRAY_1)
			pixel[0] = pixel[1] = pixel[2] = gray_of(pixel) >= 128 ? 255 : 0;
		if (kind != PNG_GRAY_ALPHA && kind != PNG_RGBA && kind != PNG_RGBA_INTERLACED && kind != PNG_PALETTE &&
			kind != WEBP_LOSSLESS_RGBA)
			pixel[3] = 255;
		for (int c = 0; c < 3; c++)
			rgb[3 * i + c] = (unsigned char) floor(pixel[c] * (pixel[3] / 255.0) + 255 * (1 - pixel[3] / 255.0) + 0.5);
	}
	return rgb;
}

static void
append(ImageFile *file, const void *bytes, size_t n)
{
	file->bytes = realloc(file->bytes, file->size + n);
	memcpy(file->bytes + file->size, bytes, n);
	file->size += n;
}

static void
append_png(png_structp png, png_bytep bytes, size_t n)
{
	append(png_get_io_ptr(png), bytes, n);
}

static ImageFile
png_file(ImageKind kind, const unsigned char *rgba, int width, int height)
{
	static const int types[] = {
		PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB,
		PNG_COLOR_TYPE_RGB_ALPHA, PNG_COLOR_TYPE_RGB_ALPHA, PNG_COLOR_TYPE_PALETTE
	};
	static const int depths[] = {8, 1, 8, 8, 16, 8, 8, 4};
	ImageFile	file = {NULL, 0};
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop	info = png_create_info_struct(png);
	unsigned char *image = calloc((size_t) width * height, 8);
	unsigned char **rows = malloc(height * sizeof(char *));

	png_set_write_fn(png, &file, append_png, NULL);
	png_set_IHDR(png, info, width, height, depths[kind], types[kind],
				 kind == PNG_RGBA_INTERLACED ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
				 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	if (kind == PNG_PALETTE)
	{
		png_color	colors[16];
		png_byte	opacities[16];
		unsigned char pixel[4];

		for (int i = 0; i < 16; i++)
		{
			palette_color(i, pixel);
			colors[i] = (png_color) {pixel[0], pixel[1], pixel[2]};
			opacities[i] = pixel[3];
		}
		png_set_PLTE(png, info, colors, 16);
		png_set_tRNS(png, info, opacities, 16, NULL);
	}
	for (int y = 0; y < height; y++)
	{
		unsigned char *to = rows[y] = image + (size_t) y * width * 8;

		for (int x = 0; x < width; x++)
		{
			const unsigned char *pixel = rgba + 4 * ((size_t) y * width + x);

			if (kind == PNG_GRAY || kind == PNG_GRAY_ALPHA)
				*to++ = (unsigned char) gray_of(pixel);
			else if (kind == PNG_GRAY_1)
				to[x / 8] |= (gray_of(pixel) >= 128) << (7 - x % 8);
			else if (kind == PNG_PALETTE)
				to[x / 2] |= color_of(pixel) << (x % 2 == 0 ? 4 : 0);
			else
				for (int c = 0; c < 3; c++)
				{
					*to++ = pixel[c];
					if (kind == PNG_RGB_16)
						*to++ = pixel[c];
				}
			if (kind == PNG_GRAY_ALPHA || kind == PNG_RGBA || kind == PNG_RGBA_INTERLACED)
				*to++ = pixel[3];
		}
	}
	png_write_info(png, info);
	png_write_image(png, rows);
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	free(rows);
	free(image);
	return file;
}

static ImageFile
jpeg_file(ImageKind kind, const unsigned char *rgba, int width, int height, int orientation)
{
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr errors;
	unsigned char *bytes = NULL;
	unsigned long size = 0;
	unsigned char *row = malloc((size_t) width * 4);
	int			channels = kind == JPEG_GRAY ? 1 : kind == JPEG_CMYK ? 4 : 3;

	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_compress(&jpeg);
	jpeg_mem_dest(&jpeg, &bytes, &size);
	jpeg.image_width = width;
	jpeg.image_height = height;
	jpeg.input_components = channels;
	jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 4 ? JCS_CMYK : JCS_RGB;
	jpeg_set_defaults(&jpeg);
	jpeg_set_quality(&jpeg, 95, TRUE);
	if (channels == 3)
		jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = kind == JPEG_420 ? 2 : 1;
	if (kind == JPEG_PROGRESSIVE)
		jpeg_simple_progression(&jpeg);
	if (kind == JPEG_RESTARTS)
		jpeg.restart_interval = 2;
	jpeg_start_compress(&jpeg, TRUE);
	if (orientation > 0)
	{
		unsigned char exif[] = "Exif\0\0MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\0\0\0\0\0\0\0";

		exif[25] = (unsigned char) orientation;
		jpeg_write_marker(&jpeg, JPEG_APP0 + 1, exif, 32);
	}
	for (int y = 0; y < height; y++)
	{
		for (int x = 0; x < width; x++)
		{
			const unsigned char *pixel = rgba + 4 * ((size_t) y * width + x);

			if (channels == 1)
				row[x] = (unsigned char) gray_of(pixel);
			else
				memcpy(row + (size_t) channels * x, pixel, 3);
			/* no black ink; what is stored is how little there is */
			if (channels == 4)
				row[4 * x + 3] = 255;
		}
		jpeg_write_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	free(row);
	return (ImageFile) {bytes, size};
}

static void
append_chunk(ImageFile *file, const char *type, const ImageFile *data)
{
	unsigned char length[4];

	for (int i = 0; i < 4; i++)
		length[i] = (unsigned char) (data->size >> 8 * i);
	append(file, type, 4);
	append(file, length, 4);
	append(file, data->bytes, data->size);
	if (data->size % 2 == 1)
		append(file, "", 1);
}

/* Twice the same picture, as a file that moves */
static ImageFile
animated(const unsigned char *still, size_t size, int width, int height)
{
	ImageFile	chunks = {NULL, 0};
	ImageFile	frame = {NULL, 0};
	ImageFile	file = {NULL, 0};
	unsigned char canvas[10] = {2};
	unsigned char head[16] = {0};
	ImageFile	part = {canvas, sizeof(canvas)};

	for (int i = 0; i < 3; i++)
	{
		canvas[4 + i] = head[6 + i] = (unsigned char) ((width - 1) >> 8 * i);
		canvas[7 + i] = head[9 + i] = (unsigned char) ((height - 1) >> 8 * i);
	}
	append(&frame, head, sizeof(head));
	/* all that follows the head of the still one */
	append(&frame, still + 12, size - 12);
	append(&chunks, "WEBP", 4);
	append_chunk(&chunks, "VP8X", &part);
	part = (ImageFile) {head, 6};
	append_chunk(&chunks, "ANIM", &part);
	append_chunk(&chunks, "ANMF", &frame);
	append_chunk(&chunks, "ANMF", &frame);
	append_chunk(&file, "RIFF", &chunks);
	free(chunks.bytes);
	free(frame.bytes);
	return file;
}

static ImageFile
webp_file(ImageKind kind, const unsigned char *rgba, int width, int height)
{
	unsigned char *image = malloc((size_t) width * height * 4);
	ImageFile	file = {NULL, 0};
	uint8_t    *bytes = NULL;
	size_t		size;
	WebPConfig	config;
	WebPPicture picture;
	WebPMemoryWriter writer;

	memcpy(image, rgba, (size_t) width * height * 4);
	for (size_t i = 0; kind != WEBP_LOSSLESS_RGBA && i < (size_t) width * height; i++)
		image[4 * i + 3] = 255;
	if (kind == WEBP_LOSSY)
	{
		size = WebPEncodeRGBA(image, width, height, 4 * width, 90, &bytes);
		append(&file, bytes, size);
		WebPFree(bytes);
	}
	else
	{
		WebPConfigInit(&config);
		config.lossless = 1;
		config.exact = 1;		/* colors of what is transparent, too */
		WebPPictureInit(&picture);
		WebPMemoryWriterInit(&writer);
		picture.use_argb = 1;
		picture.width = width;
		picture.height = height;
		picture.writer = WebPMemoryWrite;
		picture.custom_ptr = &writer;
		WebPPictureImportRGBA(&picture, image, 4 * width);
		WebPEncode(&config, &picture);
		WebPPictureFree(&picture);
		if (kind == WEBP_ANIMATED)
			file = animated(writer.mem, writer.size, width, height);
		else
			append(&file, writer.mem, writer.size);
		WebPMemoryWriterClear(&writer);
	}
	free(image);
	return file;
}

ImageFile
image_file(ImageKind kind, const unsigned char *rgba, int width, int height, int orientation)
{
	if (kind <= PNG_PALETTE)
		return png_file(kind, rgba, width, height);
	if (kind <= WEBP_LOSSY)
		return webp_file(kind, rgba, width, height);
	return jpeg_file(kind, rgba, width, height, orientation);
}
