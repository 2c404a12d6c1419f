/*
 * valgrind/memcheck.h
 *	  The server's memory management, told to the address sanitizer.
 *
 * A server built with USE_VALGRIND tells memcheck which bytes of a memory
 * context are in use, byte by byte, and which shared buffers are pinned.  This
 * header stands in for memcheck's own and passes what matters on to the address
 * sanitizer, which otherwise only knows the blocks that contexts are made of: an
 * access beyond a palloc'd chunk, to a freed one, or to a buffer without a pin is
 * then an error.  Whether memory has been initialised, the sanitizer does not know.
 */
#ifndef RECSYS_ASAN_MEMCHECK_H
#define RECSYS_ASAN_MEMCHECK_H

#include <sanitizer/asan_interface.h>

#define VALGRIND_MAKE_MEM_NOACCESS(address, size) \
	__asan_poison_memory_region((address), (size))
#define VALGRIND_MAKE_MEM_DEFINED(address, size) \
	__asan_unpoison_memory_region((address), (size))
#define VALGRIND_MAKE_MEM_UNDEFINED(address, size) \
	__asan_unpoison_memory_region((address), (size))
#define VALGRIND_MEMPOOL_ALLOC(pool, address, size) \
	__asan_unpoison_memory_region((address), (size))
#define VALGRIND_MEMPOOL_CHANGE(pool, old, address, size) \
	__asan_unpoison_memory_region((address), (size))

#define VALGRIND_MEMPOOL_FREE(pool, address) do {} while (0)
#define VALGRIND_CREATE_MEMPOOL(pool, redzone, zeroed) do {} while (0)
#define VALGRIND_DESTROY_MEMPOOL(pool) do {} while (0)
#define VALGRIND_MEMPOOL_TRIM(pool, address, size) do {} while (0)
#define VALGRIND_CHECK_MEM_IS_DEFINED(address, size) do {} while (0)
#define VALGRIND_GET_VBITS(source, target, size) do {} while (0)
#define VALGRIND_DO_LEAK_CHECK do {} while (0)
#define VALGRIND_COUNT_ERRORS 0
#define VALGRIND_PRINTF(...) do {} while (0)
#define RUNNING_ON_VALGRIND 0

#endif							/* RECSYS_ASAN_MEMCHECK_H */
