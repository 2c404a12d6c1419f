/*
 * eventtime.c
 *	  When something happened: numbers since 1970 and ISO 8601, as a timestamp of PostgreSQL.
 *
 * Days and dates are turned into each other by the arithmetic of Howard Hinnant's chrono-compatible
 * algorithms (days_from_civil, civil_from_days): years begin in March, eras have 400 of them.
 */
#include "stream/record/eventtime.h"

#define SECOND INT64CONST(1000000)
#define DAY (86400 * SECOND)

/*
 * What is taken: from the year 1 to 294247, which is as far as microseconds since 1970 go in 64 bits; a
 * timestamp, which counts from 2000, ends thirty years later.
 */
#define FIRST_DAY (-719162)
#define LAST_DAY INT64CONST(106751983)

/* digits of a number that are looked at: more cannot change a microsecond of what is taken */
#define MOST_DIGITS 18

static int64
days_from_civil(int64 year, int month, int day)
{
	int64		era;
	int			year_of_era;
	int			day_of_year;

	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	year_of_era = (int) (year - era * 400);
	day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void
civil_from_days(int64 days, int64 *year, int *month, int *day)
{
	int64		era;
	int			day_of_era;
	int			year_of_era;
	int			day_of_year;
	int			shifted;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	day_of_era = (int) (days - era * 146097);
	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	shifted = (5 * day_of_year + 2) / 153;
	*day = day_of_year - (153 * shifted + 2) / 5 + 1;
	*month = shifted < 10 ? shifted + 3 : shifted - 9;
	*year = year_of_era + era * 400 + (*month <= 2);
}

bool
RecsysTimeIsPossible(int64 microseconds)
{
	return microseconds >= FIRST_DAY * DAY && microseconds < (LAST_DAY + 1) * DAY;
}

bool
RecsysDayIsPossible(int64 day)
{
	return day >= FIRST_DAY && day <= LAST_DAY;
}

typedef struct Decimal
{
	bool		negative;
	int64		digits;			/* without the point, the first that are not zero */
	int			exponent;		/* of ten, that they are multiplied with */
	int			magnitude;		/* digits before the point */
} Decimal;

/* A number in JSON's grammar, of which digits that come too late are cut off. */
static bool
parse_decimal(const char *text, size_t length, Decimal *number)
{
	const char *end = text + length;
	bool		point = false;
	int			count = 0;
	int			exponent = 0;

	memset(number, 0, sizeof(Decimal));
	number->negative = text < end && *text == '-';
	text += number->negative;
	for (; text < end && ((*text >= '0' && *text <= '9') || *text == '.'); text++)
	{
		if (*text == '.')
		{
			point = true;
			continue;
		}
		if (count > 0 || *text != '0')
			count++;
		if (count > 1000)
			return false;
		if (count <= MOST_DIGITS)
			number->digits = number->digits * 10 + (*text - '0');
		number->exponent += (count > MOST_DIGITS) - point;
	}
	if (text < end)
	{
		bool		negative = text[1] == '-';

		for (text += 1 + (text[1] == '-' || text[1] == '+'); text < end; text++)
			exponent = Min(exponent * 10 + (*text - '0'), 10000);
		number->exponent += negative ? -exponent : exponent;
	}
	number->magnitude = Min(count, MOST_DIGITS) + number->exponent;
	return true;
}

bool
RecsysTimeFromNumber(const char *text, size_t length, RecsysTimeUnit unit, int64 *microseconds)
{
	Decimal		number;
	int			shift;
	int64		value;

	if (!parse_decimal(text, length, &number))
		return false;
	if (unit == RECSYS_TIME_AUTO)
		shift = number.magnitude <= 11 ? 6 : number.magnitude <= 14 ? 3 : number.magnitude <= 17 ? 0 : -3;
	else
		shift = unit == RECSYS_TIME_SECONDS ? 6 : unit == RECSYS_TIME_MILLISECONDS ? 3 : 0;
	value = number.digits;
	shift += number.exponent;
	for (; shift > 0 && value != 0; shift--)
	{
		if (value > PG_INT64_MAX / 10)
			return false;
		value *= 10;
	}
	for (; shift < -1 && value != 0; shift++)
		value /= 10;
	if (shift == -1)
		value = (value + 5) / 10;
	*microseconds = number.negative ? -value : value;
	return RecsysTimeIsPossible(*microseconds);
}

typedef struct Cursor
{
	const char *at;
	const char *end;
} Cursor;

static bool
take(Cursor *cursor, char letter)
{
	if (cursor->at >= cursor->end || *cursor->at != letter)
		return false;
	cursor->at++;
	return true;
}

/* So many digits, no more. */
static bool
take_digits(Cursor *cursor, int count, int *value)
{
	*value = 0;
	for (int i = 0; i < count; i++, cursor->at++)
	{
		if (cursor->at >= cursor->end || *cursor->at < '0' || *cursor->at > '9')
			return false;
		*value = *value * 10 + (*cursor->at - '0');
	}
	return true;
}

static bool
take_date(Cursor *cursor, int64 *days)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int			year;
	int			month;
	int			day;
	bool		dashes;
	bool		leap;

	if (!take_digits(cursor, 4, &year))
		return false;
	dashes = take(cursor, '-');
	if (!take_digits(cursor, 2, &month) || (dashes && !take(cursor, '-')) || !take_digits(cursor, 2, &day))
		return false;
	leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1] + (month == 2 && leap))
		return false;
	*days = days_from_civil(year, month, day);
	return true;
}

/* Digits behind a point or a comma; the seventh rounds. */
static bool
take_fraction(Cursor *cursor, int64 *microseconds)
{
	int64		unit = SECOND;
	int			digit;

	if (!take(cursor, '.') && !take(cursor, ','))
		return true;
	if (!take_digits(cursor, 1, &digit))
		return false;
	do
	{
		if (unit == 1 && digit >= 5)
			(*microseconds)++;
		unit /= 10;
		*microseconds += digit * unit;
	} while (take_digits(cursor, 1, &digit));
	return true;
}

/* A minute may have 60 seconds, and a day 24 hours. */
static bool
take_clock(Cursor *cursor, int64 *microseconds)
{
	int			hour;
	int			minute;
	int			second = 0;
	bool		colons;

	if (!take_digits(cursor, 2, &hour))
		return false;
	colons = take(cursor, ':');
	if (!take_digits(cursor, 2, &minute) || hour > 24 || minute > 59)
		return false;
	if (colons ? take(cursor, ':') : cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9')
	{
		if (!take_digits(cursor, 2, &second) || second > 60)
			return false;
	}
	*microseconds = ((hour * 60 + minute) * 60 + second) * SECOND;
	return take_fraction(cursor, microseconds) && *microseconds <= DAY + SECOND;
}

/* What is to be subtracted to get UTC. */
static bool
take_zone(Cursor *cursor, int64 *microseconds)
{
	bool		west = false;
	int			hour;
	int			minute = 0;

	*microseconds = 0;
	if (cursor->at >= cursor->end || take(cursor, 'Z') || take(cursor, 'z'))
		return true;
	if (!take(cursor, '+'))
	{
		west = true;
		if (!take(cursor, '-'))
			return false;
	}
	if (!take_digits(cursor, 2, &hour) || hour > 15)
		return false;
	if (take(cursor, ':') || cursor->at < cursor->end)
	{
		if (!take_digits(cursor, 2, &minute) || minute > 59)
			return false;
	}
	*microseconds = (hour * 60 + minute) * (west ? -60 : 60) * SECOND;
	return true;
}

bool
RecsysTimeFromText(const char *text, size_t length, int64 *microseconds)
{
	Cursor		cursor = {text, text + length};
	int64		days;
	int64		clock = 0;
	int64		zone = 0;

	if (!take_date(&cursor, &days))
		return false;
	if (cursor.at < cursor.end)
	{
		if ((!take(&cursor, 'T') && !take(&cursor, 't') && !take(&cursor, ' ')) || !take_clock(&cursor, &clock))
			return false;
		take(&cursor, ' ');
		if (!take_zone(&cursor, &zone))
			return false;
	}
	*microseconds = days * DAY + clock - zone;
	return cursor.at == cursor.end && RecsysTimeIsPossible(*microseconds);
}

void
RecsysDayText(PQExpBuffer result, int64 day)
{
	int64		year;
	int			month;
	int			day_of_month;

	civil_from_days(day, &year, &month, &day_of_month);
	appendPQExpBuffer(result, "%04d-%02d-%02d", (int) year, month, day_of_month);
}

/* two digits, or more of them */
static void
append_digits(char **at, int value, int count)
{
	for (int i = count - 1; i >= 0; i--, value /= 10)
		(*at)[i] = '0' + value % 10;
	*at += count;
}

void
RecsysTimeText(PQExpBuffer result, int64 microseconds)
{
	int64		days = microseconds / DAY;
	int64		rest = microseconds % DAY;
	int64		year;
	int			month;
	int			day;
	char		text[40];
	char	   *at = text;

	if (rest < 0)
	{
		rest += DAY;
		days--;
	}
	civil_from_days(days, &year, &month, &day);
	append_digits(&at, (int) year, year > 99999 ? 6 : year > 9999 ? 5 : 4);
	*at++ = '-';
	append_digits(&at, month, 2);
	*at++ = '-';
	append_digits(&at, day, 2);
	*at++ = ' ';
	append_digits(&at, (int) (rest / (3600 * SECOND)), 2);
	*at++ = ':';
	append_digits(&at, (int) (rest / (60 * SECOND) % 60), 2);
	*at++ = ':';
	append_digits(&at, (int) (rest / SECOND % 60), 2);
	if (rest % SECOND != 0)
	{
		*at++ = '.';
		append_digits(&at, (int) (rest % SECOND), 6);
		while (at[-1] == '0')
			at--;
	}
	memcpy(at, "+00", 3);
	appendBinaryPQExpBuffer(result, text, at + 3 - text);
}
