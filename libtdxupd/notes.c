// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Remarks about the files of a catalog, collected for whoever shows it. A remark never
 * decides anything.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "notes.h"

#define NOTES_MAX 1000

static const char *const codes[] = {
	"images-mount",       "mapping-differs",  "mapping-outdated",
	"record-contradicts", "record-malformed", "record-unusable",
};

const char *notes_find_code(const char *code)
{
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (strcmp(codes[i], code) == 0)
			return codes[i];
	return NULL;
}

int notes_add(struct notes *notes, const char *code, const char *format, ...)
{
	struct tdxupd_note *more;
	char text[NOTE_TEXT_BYTES], printable[NOTE_TEXT_BYTES];
	va_list args;

	if (!notes || notes->count >= NOTES_MAX)
		return 0;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_make_printable(printable, sizeof(printable), text);
	more = reallocarray(notes->items, notes->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	notes->items = more;
	more[notes->count].code = code;
	more[notes->count].text = strdup(printable);
	if (!more[notes->count].text)
		return -ENOMEM;
	notes->count++;
	return 0;
}

void notes_done(struct notes *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		free(notes->items[i].text);
	free(notes->items);
	*notes = (struct notes){};
}
