/*
 * standalone.h
 *	  What src/core needs of the server, for a program without a server.
 *
 * core/base/platform.h includes this file instead of postgres.h when
 * RECSYS_STANDALONE is defined.  Names and meanings are those of the server:
 * integer types, palloc and friends (here malloc with a byte count, so that
 * tests can check what the kernels say about their memory), errors (here a
 * message and abort) and the check for interrupts (here a counter, so that
 * tests can see that long loops do look).
 */
#ifndef RECSYS_STANDALONE_H
#define RECSYS_STANDALONE_H

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef int8_t int8;
typedef uint8_t uint8;
typedef int16_t int16;
typedef uint16_t uint16;
typedef int32_t int32;
typedef uint32_t uint32;
typedef int64_t int64;
typedef uint64_t uint64;
typedef float float4;
typedef double float8;
typedef size_t Size;

#define PG_INT64_MIN INT64_MIN
#define PG_INT64_MAX INT64_MAX
#define PG_INT32_MAX INT32_MAX
#define PG_UINT16_MAX UINT16_MAX
#define PG_UINT32_MAX UINT32_MAX
#define PG_UINT64_MAX UINT64_MAX

#define UINT64CONST(x) UINT64_C(x)
#define INT64CONST(x) INT64_C(x)

#define pg_noinline __attribute__((noinline))
#define Min(x, y) ((x) < (y) ? (x) : (y))
#define Max(x, y) ((x) > (y) ? (x) : (y))
#define lengthof(array) (sizeof(array) / sizeof((array)[0]))
#define FLEXIBLE_ARRAY_MEMBER
#define likely(x) __builtin_expect((x) != 0, 1)
#define unlikely(x) __builtin_expect((x) != 0, 0)

#define Assert(condition) \
	((condition) ? (void) 0 : \
	 standalone_error(__FILE__, __LINE__, "failed assertion: %s", #condition))

/* memory; the counters are bytes asked for, without the allocator's own */
extern Size standalone_memory_now;
extern Size standalone_memory_peak;

extern void *palloc(Size size);
extern void *palloc0(Size size);
extern void *repalloc(void *pointer, Size size);
extern void pfree(void *pointer);

#define recsys_alloc_huge(size) palloc(size)
#define recsys_alloc_huge_zero(size) palloc0(size)
#define recsys_realloc_huge(pointer, size) repalloc((pointer), (size))

/* sorting; unlike the server's, not to be called by a comparison of its own */
typedef int (*qsort_arg_comparator) (const void *a, const void *b, void *arg);

extern void qsort_interruptible(void *base, size_t nel, size_t elsize,
								qsort_arg_comparator cmp, void *arg);

/* errors: whatever is reported at ERROR ends the program */
#define ERROR 21
#define ERRCODE_PROGRAM_LIMIT_EXCEEDED 0
#define ERRCODE_INVALID_PARAMETER_VALUE 0
#define ERRCODE_OUT_OF_MEMORY 0
#define ERRCODE_INTERNAL_ERROR 0

extern void standalone_error(const char *file, int line, const char *format,...)
			__attribute__((format(printf, 3, 4), noreturn));
extern int	standalone_message(const char *format,...)
			__attribute__((format(printf, 1, 2)));

#define errcode(code) standalone_message("%s", "")
#define errmsg standalone_message
#define errdetail standalone_message
#define errhint standalone_message
#define ereport(level, ...) \
	do { \
		(void) (__VA_ARGS__); \
		standalone_error(__FILE__, __LINE__, "error reported"); \
	} while (0)
#define elog(level, ...) standalone_error(__FILE__, __LINE__, __VA_ARGS__)

/* since no error is ever thrown, what is to be done after one is done anyway */
#define PG_TRY() do {
#define PG_FINALLY() } while (0); do {
#define PG_END_TRY() } while (0)

extern uint64 standalone_interrupt_checks;

#define CHECK_FOR_INTERRUPTS() ((void) standalone_interrupt_checks++)

#endif							/* RECSYS_STANDALONE_H */
