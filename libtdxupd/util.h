/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_H
#define UTIL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _public_            __attribute__((visibility("default")))
#define _cleanup_(fn)       __attribute__((cleanup(fn)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Move a pointer out of a variable that would otherwise free it. */
#define TAKE_PTR(ptr)                           \
	({                                      \
		__typeof__(ptr) _taken = (ptr); \
		(ptr) = NULL;                   \
		_taken;                         \
	})

#define TAKE_FD(fd)                \
	({                         \
		int _taken = (fd); \
		(fd) = -1;         \
		_taken;            \
	})

/* Defines cleanup_<name>() for a variable of type `type *` that `fn(type *)` frees. */
#define DEFINE_CLEANUP(type, name, fn)                \
	static inline void cleanup_##name(type **ptr) \
	{                                             \
		if (*ptr)                             \
			fn(*ptr);                     \
	}

static inline void cleanup_free(void *ptr)
{
	free(*(void **)ptr);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* Little-endian loads from unaligned bytes: every format here is little endian. */
static inline uint16_t load_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t load_le32(const uint8_t *p)
{
	return load_le16(p) | (uint32_t)load_le16(p + 2) << 16;
}

static inline uint64_t load_le64(const uint8_t *p)
{
	return load_le32(p) | (uint64_t)load_le32(p + 4) << 32;
}

static inline void store_le16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void store_le32(uint8_t *p, uint32_t v)
{
	store_le16(p, (uint16_t)v);
	store_le16(p + 2, (uint16_t)(v >> 16));
}

/*
 * Names of an enum, by value. STRING_TABLE(gate_state, enum gate_state, table) defines
 * gate_state_to_string() and gate_state_from_string() over a `static const char *const
 * table[]`; the latter returns -EINVAL for an unknown name.
 */
const char *string_table_lookup(const char *const *table, size_t count, int value);
int string_table_find(const char *const *table, size_t count, const char *text);

#define STRING_TABLE_TO(prefix, type, table)                                      \
	const char *prefix##_to_string(type value)                                \
	{                                                                         \
		return string_table_lookup(table, ARRAY_SIZE(table), (int)value); \
	}
#define STRING_TABLE_FROM(prefix, type, table)                                  \
	type prefix##_from_string(const char *text)                             \
	{                                                                       \
		return (type)string_table_find(table, ARRAY_SIZE(table), text); \
	}

/* The same for names of the public header; a macro of its own, as formatters read it. */
#define PUBLIC_STRING_TABLE_TO(prefix, type, table) \
	_public_ STRING_TABLE_TO(prefix, type, table)
#define PUBLIC_STRING_TABLE_FROM(prefix, type, table) \
	_public_ STRING_TABLE_FROM(prefix, type, table)

/*
 * Copy text into a fixed buffer so that it can be printed on a terminal: controls, those
 * of the writing direction too, characters that take no room, and bytes that are no valid
 * UTF-8 become '?'. Always ends in NUL; cut at a character's end.
 */
void text_make_printable(char *ret, size_t size, const char *text);

/*
 * Exactly @count bytes as twice as many hex digits, either case when read, lower case and
 * with a NUL when written. bytes_parse() returns 0, or -EBADMSG and may have changed
 * @ret.
 */
int bytes_parse(const char *hex, uint8_t *ret, size_t count);
const char *bytes_format(const uint8_t *bytes, size_t count, char *ret);

/*
 * Say why: one phrase for @ret_why, which may be NULL and is overwritten (and freed) if
 * it holds one. Return: @error, or -ENOMEM.
 */
int why_set(char **ret_why, int error, const char *format, ...) _printf_(3, 4);

/* One debug line to the caller's log function; formats nothing where there is none. */
void log_debug(const char *format, ...) _printf_(1, 2);

#endif
