/*
 * orientation.c
 *	  Tag 274 of a TIFF structure (Exif 2.32, 4.6.4), and the eight ways to turn a picture.
 */
#include "core/image/orientation.h"

#define TAG_ORIENTATION 274
#define TYPE_SHORT 3
#define UPRIGHT 1

static uint32
number(RecsysFilePart part, Size at, int n, bool big)
{
	uint32		value = 0;

	for (int i = 0; i < n; i++)
		value |= (uint32) part.bytes[at + i] << 8 * (big ? n - 1 - i : i);
	return value;
}

int
RecsysOrientationOf(RecsysFilePart exif)
{
	bool		big;
	Size		at;
	uint32		entries;

	if (exif.size < 8)
		return UPRIGHT;
	if (memcmp(exif.bytes, "MM\0*", 4) == 0)
		big = true;
	else if (memcmp(exif.bytes, "II*\0", 4) == 0)
		big = false;
	else
		return UPRIGHT;
	at = number(exif, 4, 4, big);
	if (at > exif.size - 2)
		return UPRIGHT;
	entries = number(exif, at, 2, big);
	at += 2;
	for (uint32 i = 0; i < entries && exif.size - at >= 12; i++, at += 12)
	{
		uint32		orientation;

		if (number(exif, at, 2, big) != TAG_ORIENTATION)
			continue;
		orientation = number(exif, at + 8, 2, big);
		if (number(exif, at + 2, 2, big) != TYPE_SHORT || orientation < 1 || orientation > 8)
			return UPRIGHT;
		return (int) orientation;
	}
	return UPRIGHT;
}

void
RecsysOrient(RecsysImage *image, int orientation)
{
	/* 2 to 4 mirror the columns, the rows or both; 5 to 8 exchange rows and columns as well */
	bool		exchanged = orientation >= 5;
	bool		right_to_left = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
	bool		bottom_up = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
	int			width = exchanged ? image->height : image->width;
	int			height = exchanged ? image->width : image->height;
	unsigned char *turned;

	if (orientation <= UPRIGHT || orientation > 8)
		return;
	turned = palloc((Size) 3 * width * height);
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++)
		{
			/* where the pixel stands in the file */
			int			column = exchanged ? y : x;
			int			row = exchanged ? x : y;

			if (right_to_left)
				column = image->width - 1 - column;
			if (bottom_up)
				row = image->height - 1 - row;
			memcpy(turned + 3 * ((Size) y * width + x),
				   image->pixels + 3 * ((Size) row * image->width + column), 3);
		}
	pfree(image->pixels);
	image->pixels = turned;
	image->width = width;
	image->height = height;
	if (exchanged)
		image->aspect = 1 / image->aspect;
}
