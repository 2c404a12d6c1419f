/*
 * imageformat.c
 *	  Formats by their first bytes, and walks from part to part of a file.
 *
 * The walks read lengths that nobody has checked: each is compared with what is left of
 * the file, and each step goes forward, so a walk ends after as many steps as the file has bytes
 * at most.  A part that reaches beyond the end is none.
 */
#include "core/image/imageformat.h"

#define JPEG_START_OF_SCAN 0xDA
#define JPEG_END 0xD9
#define JPEG_APP1 0xE1

static uint32
big_endian(const unsigned char *bytes, int n)
{
	uint32		value = 0;

	while (n-- > 0)
		value = value << 8 | *bytes++;
	return value;
}

static uint32
little_endian(const unsigned char *bytes)
{
	return (uint32) bytes[0] | (uint32) bytes[1] << 8 | (uint32) bytes[2] << 16 |
		(uint32) bytes[3] << 24;
}

RecsysImageFormat
RecsysImageFormatOf(const unsigned char *bytes, Size size)
{
	if (size >= 3 && memcmp(bytes, "\xFF\xD8\xFF", 3) == 0)
		return RECSYS_FORMAT_JPEG;
	if (size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1A\n", 8) == 0)
		return RECSYS_FORMAT_PNG;
	if (size >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0)
		return RECSYS_FORMAT_WEBP;
	return RECSYS_FORMAT_UNKNOWN;
}

/* Exif of a JPEG: in one of the APP1 segments before the first scan */
static RecsysFilePart
find_in_jpeg(const unsigned char *bytes, Size size)
{
	RecsysFilePart none = {NULL, 0};
	Size		at = 2;

	while (size - at >= 4)
	{
		unsigned	marker = bytes[at + 1];
		Size		length;

		if (bytes[at] != 0xFF)
			break;
		/* any number of fill bytes may stand before a marker */
		if (marker == 0xFF)
		{
			at++;
			continue;
		}
		if (marker == JPEG_START_OF_SCAN || marker == JPEG_END)
			break;
		length = big_endian(bytes + at + 2, 2);
		if (length < 2 || length > size - at - 2)
			break;
		if (marker == JPEG_APP1 && length >= 8 && memcmp(bytes + at + 4, "Exif\0\0", 6) == 0)
			return (RecsysFilePart) {bytes + at + 10, length - 8};
		at += 2 + length;
	}
	return none;
}

static RecsysFilePart
find_in_png(const unsigned char *bytes, Size size)
{
	RecsysFilePart none = {NULL, 0};
	Size		at = 8;

	/* length, type, data, checksum */
	while (size - at >= 12)
	{
		Size		length = big_endian(bytes + at, 4);

		if (length > size - at - 12 || memcmp(bytes + at + 4, "IDAT", 4) == 0)
			break;
		if (memcmp(bytes + at + 4, "eXIf", 4) == 0)
			return (RecsysFilePart) {bytes + at + 8, length};
		at += 12 + length;
	}
	return none;
}

static RecsysFilePart
find_in_webp(const unsigned char *bytes, Size size, const char *type)
{
	RecsysFilePart none = {NULL, 0};
	Size		at = 12;

	/* type, length, data, a byte more if the length is odd */
	while (size - at >= 8)
	{
		Size		length = little_endian(bytes + at + 4);

		if (length > size - at - 8)
			break;
		if (memcmp(bytes + at, type, 4) == 0)
			return (RecsysFilePart) {bytes + at + 8, length};
		if (length % 2 == 1 && length < size - at - 8)
			length++;
		at += 8 + length;
	}
	return none;
}

RecsysFilePart
RecsysFindExif(RecsysImageFormat format, const unsigned char *bytes, Size size)
{
	RecsysFilePart part = {NULL, 0};

	if (format == RECSYS_FORMAT_JPEG)
		return find_in_jpeg(bytes, size);
	if (format == RECSYS_FORMAT_PNG)
		return find_in_png(bytes, size);
	if (format == RECSYS_FORMAT_WEBP)
	{
		part = find_in_webp(bytes, size, "EXIF");
		/* some programs write it as JPEG has it */
		if (part.size >= 6 && memcmp(part.bytes, "Exif\0\0", 6) == 0)
			part = (RecsysFilePart) {part.bytes + 6, part.size - 6};
	}
	return part;
}

RecsysFilePart
RecsysFindWebPFrame(const unsigned char *bytes, Size size)
{
	RecsysFilePart frame = find_in_webp(bytes, size, "ANMF");

	/* place, size, duration and flags stand before the picture */
	if (frame.size <= 16)
		return (RecsysFilePart) {NULL, 0};
	return (RecsysFilePart) {frame.bytes + 16, frame.size - 16};
}
