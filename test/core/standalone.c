/*
 * standalone.c
 *	  Memory and errors for a program that runs src/core without a server.
 *
 * Each allocation is preceded by 16 bytes that hold its size, so that the
 * bytes in use and their peak are known at any time.
 */
#include "standalone.h"

#include <stdarg.h>

#define HEADER_SIZE 16

Size		standalone_memory_now = 0;
Size		standalone_memory_peak = 0;
uint64		standalone_interrupt_checks = 0;

static void *
finish_allocation(char *base, Size size)
{
	if (base == NULL)
		standalone_error(__FILE__, __LINE__, "out of memory: %zu bytes", size);
	memcpy(base, &size, sizeof(size));
	standalone_memory_now += size;
	if (standalone_memory_now > standalone_memory_peak)
		standalone_memory_peak = standalone_memory_now;
	return base + HEADER_SIZE;
}

void *
palloc(Size size)
{
	return finish_allocation(malloc(size + HEADER_SIZE), size);
}

void *
palloc0(Size size)
{
	return finish_allocation(calloc(1, size + HEADER_SIZE), size);
}

/* As in the server, a null pointer can be neither resized nor freed. */
void *
repalloc(void *pointer, Size size)
{
	char	   *base = (char *) pointer - HEADER_SIZE;
	Size		old_size;

	memcpy(&old_size, base, sizeof(old_size));
	standalone_memory_now -= old_size;
	return finish_allocation(realloc(base, size + HEADER_SIZE), size);
}

void
pfree(void *pointer)
{
	char	   *base = (char *) pointer - HEADER_SIZE;
	Size		size;

	memcpy(&size, base, sizeof(size));
	standalone_memory_now -= size;
	free(base);
}

/* The C library's qsort has no argument for the comparison. */
static qsort_arg_comparator sort_comparator;
static void *sort_arg;

static int
compare_for_sort(const void *a, const void *b)
{
	CHECK_FOR_INTERRUPTS();
	return sort_comparator(a, b, sort_arg);
}

void
qsort_interruptible(void *base, size_t nel, size_t elsize, qsort_arg_comparator cmp, void *arg)
{
	sort_comparator = cmp;
	sort_arg = arg;
	qsort(base, nel, elsize, compare_for_sort);
}

int
standalone_message(const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return 0;
}

void
standalone_error(const char *file, int line, const char *format,...)
{
	va_list		arguments;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	abort();
}
