// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What all verbs of tdxupdctl share: exit codes, the one way to say that something went
 * wrong, and how JSON is printed. Tables are made in ctl-table.c.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "ctl-text.h"
#include "ctl.h"
#include "json.h"

static const char *const exit_codes[] = {
	[CTL_EXIT_OK] = "done, or nothing to do",
	[CTL_EXIT_FAILURE] = "another failure",
	[CTL_EXIT_USAGE] = "the command line is wrong",
	[CTL_EXIT_UNSUPPORTED] = "this host has no TDX, or can't update it at run time",
	[CTL_EXIT_NO_IMAGE] = "no image here is for this host",
	[CTL_EXIT_BLOCKED] = "TDs were being built until the deadline",
	[CTL_EXIT_HELD] = "somebody holds updates, or this version",
	[CTL_EXIT_MISMATCH] =
		"what runs afterwards is not what was asked for, or unknown",
	[CTL_EXIT_LOST] = "TDX is lost until the next reboot",
	[CTL_EXIT_NOT_AUTHORISED] = "not authorised",
	[CTL_EXIT_UNREACHABLE] = "the daemon or the bus can't be reached",
	[CTL_EXIT_UNTRUSTED] = "the image is damaged or not trusted",
	[CTL_EXIT_CANCELLED] = "the job was cancelled",
	[CTL_EXIT_EXHAUSTED] = "no update slots left until the next reboot",
	[CTL_EXIT_AVAILABLE] = "an update is available (is-current, --exit-code)",
	[CTL_EXIT_PINNED] = "another version is pinned",
	[CTL_EXIT_FAILED] = "this version failed before, and is held for that",
	[CTL_EXIT_FORBIDDEN] = "tdxupd.conf rules this version out",
	[CTL_EXIT_REFUSED] = "an image is here, and cannot be loaded on this host",
	[CTL_EXIT_CONFIG] = "tdxupd.conf or the images can't be read",
};

static const char *const json_names[] = {
	[CTL_JSON_OFF] = "off",
	[CTL_JSON_SHORT] = "short",
	[CTL_JSON_PRETTY] = "pretty",
	[CTL_JSON_SEQ] = "seq",
};
STRING_TABLE_FROM(ctl_json, enum ctl_json, json_names)

const char *ctl_exit_describe(int code)
{
	if (code == CTL_EXIT_DETACHED)
		return "detached by Ctrl-C; the job goes on";
	return string_table_lookup(exit_codes, ARRAY_SIZE(exit_codes), code);
}

static int describe_error(enum ctl_exit code, const char *reason, const char *message,
			  struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	_cleanup_(cleanup_json)
	struct json_object *error = NULL;
	int r;

	r = json_new_object(&object) ?: json_new_object(&error)
		?: json_add_text(error, "reason", reason)
		?: json_add_text(error, "message", message)
		?: json_add_number(error, "exit_code", code)
		?: json_add(object, "error", TAKE_PTR(error));
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

/* Lines stay lines; everything else that a terminal would act upon goes. */
static void print_error_lines(const char *message)
{
	while (*message) {
		size_t length = strcspn(message, "\n");
		_cleanup_(cleanup_free)
		char *line = strndup(message, length);
		_cleanup_(cleanup_free)
		char *printable = malloc(length + 1);

		if (!line || !printable)
			return;
		text_make_printable(printable, length + 1, line);
		fprintf(stderr, "tdxupdctl: %s\n", printable);
		message += length;
		message += *message == '\n';
	}
}

int ctl_fail_text(const struct ctl *ctl, enum ctl_exit code, const char *reason,
		  const char *message)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;

	if (ctl->is_silent) {
		if (ctl->heard && !*ctl->heard)
			*ctl->heard = strdup(message);
		return code;
	}
	if (ctl->json == CTL_JSON_OFF)
		print_error_lines(message);
	else if (describe_error(code, reason, message, &object) == 0)
		ctl_print_json(ctl, object);
	return code;
}

int ctl_fail(const struct ctl *ctl, enum ctl_exit code, const char *reason,
	     const char *format, ...)
{
	_cleanup_(cleanup_free)
	char *message = NULL;
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(&message, format, args);
	va_end(args);
	if (r < 0) {
		message = NULL;
		return ctl_fail_text(ctl, code, reason, "out of memory");
	}
	return ctl_fail_text(ctl, code, reason, message);
}

int ctl_fail_memory(const struct ctl *ctl)
{
	return ctl_fail_text(ctl, CTL_EXIT_FAILURE, "no-memory", "out of memory");
}

int ctl_print_json(const struct ctl *ctl, struct json_object *object)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;
	const char *text;

	flags |= ctl->json == CTL_JSON_PRETTY
			 ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
			 : JSON_C_TO_STRING_PLAIN;
	text = json_object_to_json_string_ext(object, flags);
	if (!text)
		return ctl_fail_memory(ctl);
	if (ctl->json == CTL_JSON_SEQ)
		putchar(0x1e);
	puts(text);
	if (fflush(stdout) == EOF) {
		fprintf(stderr, "tdxupdctl: can't write the answer: %m\n");
		return CTL_EXIT_FAILURE;
	}
	return CTL_EXIT_OK;
}

void ctl_say(const struct ctl *ctl, const char *format, ...)
{
	_cleanup_(cleanup_free)
	char *text = NULL;
	_cleanup_(cleanup_free)
	char *wrapped = NULL;
	va_list args;
	int n;

	if (ctl->json != CTL_JSON_OFF || ctl->is_quiet)
		return;
	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0) {
		text = NULL;
		return;
	}
	if (ctl->is_terminal)
		wrapped = text_wrap_lines(text, ctl->width, 0);
	puts(wrapped ? wrapped : text);
	fflush(stdout);
}
