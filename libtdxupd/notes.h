/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NOTES_H
#define NOTES_H

#include <stddef.h>

#include "tdxupd.h"
#include "util.h"

#define NOTE_TEXT_BYTES 512

/* What was noticed while files were read. Zero-initialised; notes_done() it. */
struct notes {
	size_t count;
	struct tdxupd_note *items;
};

/*
 * @notes: may be NULL; then nobody wants to know. @code: static text, one of those that
 * notes_find_code() knows. Return: 0; -ENOMEM.
 * After NOTES_MAX notes the rest is dropped.
 */
int notes_add(struct notes *notes, const char *code, const char *format, ...)
	_printf_(3, 4);
/* Return: the static text that is equal to @code; NULL where there is none. */
const char *notes_find_code(const char *code);
void notes_done(struct notes *notes);

#endif
