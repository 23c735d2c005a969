// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Calls that fail when they are told to. They take the place of the C library's by being
 * in the program itself; nothing is preloaded. What the C library does within itself,
 * fopen() for one, goes its own way.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>

#include "failing.h"

/* Shared with the processes that the program forks: their calls count as well. */
struct state {
	enum failing_kind armed;
	unsigned long first, count, seen;
};

static struct state nothing;
static struct state *state = &nothing;

void failing_arm(enum failing_kind kind, unsigned long nth, unsigned long count)
{
	if (state == &nothing) {
		void *page = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		if (page == MAP_FAILED)
			abort();
		state = page;
	}
	*state = (struct state){ .first = nth, .count = count };
	state->armed = kind;
}

unsigned long failing_disarm(void)
{
	state->armed = FAILING_NOTHING;
	return state->seen;
}

static bool fails(enum failing_kind kind, int error)
{
	unsigned long turn;

	if (kind != state->armed)
		return false;
	turn = __atomic_add_fetch(&state->seen, 1, __ATOMIC_RELAXED);
	if (turn < state->first || turn >= state->first + state->count)
		return false;
	errno = error;
	return true;
}

/* Libraries have to find these, too. */
#pragma GCC visibility push(default)

/* ---- memory ---- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t members, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
	return fails(FAILING_MEMORY, ENOMEM) ? NULL : __libc_malloc(size);
}

void *calloc(size_t members, size_t size)
{
	return fails(FAILING_MEMORY, ENOMEM) ? NULL : __libc_calloc(members, size);
}

void *realloc(void *old, size_t size)
{
	return fails(FAILING_MEMORY, ENOMEM) ? NULL : __libc_realloc(old, size);
}

/* ---- descriptors and processes ---- */

/* The next one of that name; looking it up is none of the calls that are counted. */
static void *find_real(const char *name)
{
	enum failing_kind kind = state->armed;
	void *real;

	state->armed = FAILING_NOTHING;
	real = dlsym(RTLD_NEXT, name);
	state->armed = kind;
	return real;
}

/* A function of that name and of these types and arguments. */
#define FAILING(type, name, kind, error, types, ...)        \
	type name types;                                    \
	type name types                                     \
	{                                                   \
		static type(*real) types;                   \
                                                            \
		if (fails(kind, error))                     \
			return (type)-1;                    \
		if (!real)                                  \
			*(void **)&real = find_real(#name); \
		return real(__VA_ARGS__);                   \
	}
#define FAILING_FD(name, types, ...) \
	FAILING(int, name, FAILING_DESCRIPTORS, EMFILE, types, __VA_ARGS__)

FAILING_FD(socket, (int a, int b, int c), a, b, c)
FAILING_FD(socketpair, (int a, int b, int c, int *d), a, b, c, d)
FAILING_FD(pipe2, (int *a, int b), a, b)
FAILING_FD(dup, (int a), a)
FAILING_FD(eventfd, (unsigned a, int b), a, b)
FAILING_FD(epoll_create1, (int a), a)
FAILING_FD(timerfd_create, (int a, int b), a, b)
FAILING_FD(inotify_init1, (int a), a)
FAILING_FD(signalfd, (int a, const void *b, int c), a, b, c)
FAILING_FD(memfd_create, (const char *a, unsigned b), a, b)
FAILING(pid_t, fork, FAILING_PROCESSES, EAGAIN, (void), )

/* Those that take a mode, or not. The kernel does not look at one that is not wanted. */
#define FAILING_OPEN(name)                                  \
	int name(const char *path, int flags, ...);         \
	int name(const char *path, int flags, ...)          \
	{                                                   \
		static int (*real)(const char *, int, ...); \
		va_list args;                               \
		unsigned mode;                              \
                                                            \
		va_start(args, flags);                      \
		mode = va_arg(args, unsigned);              \
		va_end(args);                               \
		if (fails(FAILING_DESCRIPTORS, EMFILE))     \
			return -1;                          \
		if (!real)                                  \
			*(void **)&real = find_real(#name); \
		return real(path, flags, mode);             \
	}
#define FAILING_OPENAT(name)                                     \
	int name(int dir, const char *path, int flags, ...);     \
	int name(int dir, const char *path, int flags, ...)      \
	{                                                        \
		static int (*real)(int, const char *, int, ...); \
		va_list args;                                    \
		unsigned mode;                                   \
                                                                 \
		va_start(args, flags);                           \
		mode = va_arg(args, unsigned);                   \
		va_end(args);                                    \
		if (fails(FAILING_DESCRIPTORS, EMFILE))          \
			return -1;                               \
		if (!real)                                       \
			*(void **)&real = find_real(#name);      \
		return real(dir, path, flags, mode);             \
	}
#define FAILING_FCNTL(name)                                               \
	int name(int fd, int command, ...);                               \
	int name(int fd, int command, ...)                                \
	{                                                                 \
		static int (*real)(int, int, ...);                        \
		va_list args;                                             \
		void *argument;                                           \
                                                                          \
		va_start(args, command);                                  \
		argument = va_arg(args, void *);                          \
		va_end(args);                                             \
		if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && \
		    fails(FAILING_DESCRIPTORS, EMFILE))                   \
			return -1;                                        \
		if (!real)                                                \
			*(void **)&real = find_real(#name);               \
		return real(fd, command, argument);                       \
	}

#undef open
#undef open64
#undef openat
#undef openat64
#undef fcntl
#undef fcntl64
FAILING_OPEN(open64)
FAILING_OPENAT(openat64)
FAILING_FCNTL(fcntl64)

#pragma GCC visibility pop
