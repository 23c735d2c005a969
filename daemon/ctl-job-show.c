// SPDX-License-Identifier: LGPL-2.1-or-later
/* A job on the terminal or as JSON. Which lines it is worth is ctl-progress.c's. */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "clock.h"
#include "ctl-bus.h"
#include "ctl-job-show.h"
#include "ctl-text.h"
#include "json.h"

static void fill_error(struct json_object *job, const char *name, int code)
{
	_cleanup_(cleanup_json)
	struct json_object *error = NULL;
	char reason[64];

	ctl_bus_error_to_reason(name, reason, sizeof(reason));
	if ((json_new_object(&error) ?: json_add_text(error, "reason", reason)
		     ?: json_add_text(error, "message", json_get_text(job, "detail"))
			     ?: json_add_number(error, "exit_code", (uint64_t)code)) == 0)
		json_add(job, "error", TAKE_PTR(error));
}

/* On the error output: whoever reads only that must not miss it. */
static void say_suspects(struct json_object *job)
{
	struct json_object *suspects = json_get(job, "suspects");

	for (size_t i = 0; i < json_count(suspects); i++) {
		struct json_object *text = json_object_array_get_idx(suspects, i);
		char printable[512];

		if (!json_object_is_type(text, json_type_string))
			continue;
		text_make_printable(printable, sizeof(printable),
				    json_object_get_string(text));
		fprintf(stderr, "tdxupdctl: %s\n", printable);
	}
}

/* The job's last word. */
static int say_end(struct ctl *ctl, struct json_object *job)
{
	const char *result = json_get_text(job, "result");
	const char *detail = json_get_text(job, "detail");
	bool is_done = strcmp(result, "done") == 0;
	int code = is_done ? CTL_EXIT_OK : (int)ctl_bus_error_to_exit(result);
	char reason[64];

	if (ctl->json != CTL_JSON_OFF) {
		if (!is_done)
			fill_error(job, result, code);
		ctl_print_json(ctl, job);
		return code;
	}
	say_suspects(job);
	if (is_done)
		return CTL_EXIT_OK;
	ctl_bus_error_to_reason(result, reason, sizeof(reason));
	return ctl_fail_text(ctl, (enum ctl_exit)code, reason,
			     detail && *detail ? detail : result);
}

/* What does not fit goes on below where the sentence began. */
static void print_progress(const struct ctl *ctl, const char *text)
{
	_cleanup_(cleanup_free)
	char *wrapped = NULL;

	if (ctl->is_terminal)
		wrapped = text_wrap_lines(text, ctl->width, CTL_PROGRESS_INDENT);
	fputs(wrapped ? wrapped : text, stdout);
	fflush(stdout);
}

int ctl_job_show(struct ctl *ctl, struct ctl_progress *progress, struct json_object *job,
		 bool *ret_has_ended)
{
	_cleanup_(cleanup_free)
	char *text = ctl_progress_format(progress, job, clock_usec(CLOCK_MONOTONIC));
	const char *result = json_get_text(job, "result");

	if (!text)
		return ctl_fail_memory(ctl);
	*ret_has_ended = result && *result;
	if (ctl->json == CTL_JSON_OFF && !ctl->is_quiet) {
		print_progress(ctl, text);
	} else if (ctl->json == CTL_JSON_SEQ && !*ret_has_ended) {
		ctl_print_json(ctl, job);
	}
	return *ret_has_ended ? say_end(ctl, job) : CTL_EXIT_OK;
}
