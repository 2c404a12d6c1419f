/*
 * platform.h
 *	  The few server facilities that src/core relies on.
 *
 * The core knows no catalog, no SPI and no buffers.  It needs memory contexts
 * (palloc and friends), error reporting and cancellation, and nothing else.
 * Inside the server those come from postgres.h; when RECSYS_STANDALONE is
 * defined they come from test/core/standalone.h, so that the very same
 * source files can be driven by a small C program, a profiler or a sanitizer.
 * The room core/stream is part of a client program, too: there they come from
 * postgres_fe.h and libpgcommon.
 */
#ifndef RECSYS_PLATFORM_H
#define RECSYS_PLATFORM_H

#ifdef RECSYS_STANDALONE
#include "standalone.h"
#elif defined(FRONTEND)
#include "postgres_fe.h"
#else
#include "postgres.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define recsys_alloc_huge(size) \
	MemoryContextAllocHuge(CurrentMemoryContext, (size))
#define recsys_alloc_huge_zero(size) \
	MemoryContextAllocExtended(CurrentMemoryContext, (size), \
							   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO)
#define recsys_realloc_huge(pointer, size) repalloc_huge((pointer), (size))
#endif

/*
 * Hot loops are compiled several times and picked at load time, so that one
 * binary runs on any x86-64 and still uses AVX2 or AVX-512 where it may.
 * The server's -O2 would leave most of them without vector instructions.
 */
#if defined(__GNUC__) && !defined(__clang__)
#define RECSYS_VECTORIZE __attribute__((optimize("O3")))
#else
#define RECSYS_VECTORIZE
#endif

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
	defined(__gnu_linux__) && !defined(RECSYS_NO_TARGET_CLONES)
#define RECSYS_TARGET_CLONES \
	RECSYS_VECTORIZE __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define RECSYS_TARGET_CLONES RECSYS_VECTORIZE
#endif

/* Loops of a few instructions, over arrays that the compiler cannot tell apart */
#if defined(__GNUC__) && !defined(__clang__)
#define RECSYS_UNROLL _Pragma("GCC unroll 8")
#else
#define RECSYS_UNROLL
#endif

/* "no such user", "no such item": never a valid dense number */
#define RECSYS_NONE ((uint32) 0xFFFFFFFF)

#endif							/* RECSYS_PLATFORM_H */
