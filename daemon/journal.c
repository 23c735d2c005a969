// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is said to the journal of each milestone, with fields to look for it by. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>

#include "duration.h"
#include "history-head.h"
#include "journal.h"
#include "text.h"

static const struct milestone {
	int priority;
	const char *message_id;
} milestones[_JOB_STATE_MAX] = {
	[JOB_QUEUED] = { LOG_INFO, NULL },
	[JOB_PLANNING] = { LOG_INFO, NULL },
	[JOB_STAGING] = { LOG_INFO, NULL },
	[JOB_WAITING] = { LOG_INFO, MESSAGE_WAITING },
	[JOB_COMMITTING] = { LOG_NOTICE, MESSAGE_COMMITTING },
	[JOB_CONFIRMING] = { LOG_INFO, NULL },
	[JOB_BACKOFF] = { LOG_NOTICE, MESSAGE_BUSY },
	[JOB_DONE] = { LOG_NOTICE, MESSAGE_UPDATED },
	[JOB_FAILED] = { LOG_ERR, MESSAGE_FAILED },
	[JOB_CANCELLED] = { LOG_NOTICE, MESSAGE_CANCELLED },
	[JOB_EXPIRED] = { LOG_WARNING, MESSAGE_EXPIRED },
	[JOB_LOST] = { LOG_CRIT, MESSAGE_LOST },
	[JOB_UNKNOWN] = { LOG_CRIT, MESSAGE_UNKNOWN },
};

/* Of the log's level, so to say: the one thing that is the process's and nobody else's.
 */
static bool is_silent;

void journal_be_silent(void)
{
	is_silent = true;
}

/* systemd.exec(5): JOURNAL_STREAM names the journal's socket by device and inode. */
static bool is_stderr_the_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	if (is_silent)
		return true;
	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device &&
	       st.st_ino == inode;
}

/* Callers' own words are in some of it, and journals are read on terminals. */
static void make_printable(char *text)
{
	_cleanup_(cleanup_free)
	char *copy = strdup(text);

	text_make_printable(text, strlen(text) + 1, copy);
}

static void send_id(int priority, const char *message_id, char *text)
{
	make_printable(text);
	if (!is_stderr_the_journal())
		fprintf(stderr, "tdxupdd: %s\n", text);
	else if (message_id)
		sd_journal_send("MESSAGE=%s", text, "PRIORITY=%d", priority,
				"MESSAGE_ID=%s", message_id, NULL);
	else
		sd_journal_send("MESSAGE=%s", text, "PRIORITY=%d", priority, NULL);
}

void journal_say(int priority, const char *message_id, const char *format, ...)
{
	_cleanup_(cleanup_free)
	char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n >= 0)
		send_id(priority, message_id, text);
	else
		text = NULL;
}

void journal_say_module(int priority, const char *message_id, const char *from,
			const char *to, const char *format, ...)
{
	_cleanup_(cleanup_free)
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (!text)
		return;
	if (!is_stderr_the_journal())
		fprintf(stderr, "tdxupdd: %s\n", text);
	else
		sd_journal_send("MESSAGE=%s", text, "PRIORITY=%d", priority,
				"TDXUPD_FROM=%s", from, "TDXUPD_TO=%s", to,
				message_id ? "MESSAGE_ID=%s" : NULL, message_id, NULL);
}

static char *describe(const struct job *job, enum job_state before)
{
	char from[TDXUPD_VERSION_TEXT_BYTES] = "?", to[TDXUPD_VERSION_TEXT_BYTES] = "?";
	const char *detail = job->detail ? job->detail : "";

	if (job->has_versions) {
		tdxupd_version_format(&job->from, from);
		tdxupd_version_format(&job->to, to);
	}
	return text_new("job %u (%s to %s): %s -> %s%s%s", job->id, from, to,
			job_state_to_string(before), job_state_to_string(job->state),
			*detail ? ": " : "", detail);
}

void journal_say_job(const struct job *job, enum job_state before)
{
	const struct milestone *milestone = &milestones[job->state];
	char from[TDXUPD_VERSION_TEXT_BYTES] = "", to[TDXUPD_VERSION_TEXT_BYTES] = "";
	const char *reason = failure_to_string(job->failure);
	_cleanup_(cleanup_free)
	char *text = describe(job, before);

	if (!text)
		return;
	make_printable(text);
	if (!is_stderr_the_journal()) {
		fprintf(stderr, "tdxupdd: %s\n", text);
		return;
	}
	if (job->has_versions) {
		tdxupd_version_format(&job->from, from);
		tdxupd_version_format(&job->to, to);
	}
	sd_journal_send("MESSAGE=%s", text, "PRIORITY=%d", milestone->priority,
			"TDXUPD_JOB=%u", job->id, "TDXUPD_FROM=%s", from, "TDXUPD_TO=%s",
			to, "TDXUPD_PHASE=%s", job_state_to_string(job->state),
			"TDXUPD_REASON=%s", reason ? reason : "",
			milestone->message_id ? "MESSAGE_ID=%s" : NULL,
			milestone->message_id, NULL);
}

void journal_say_head(const struct history_head *head)
{
	char chain[TDXUPD_DIGEST_TEXT_BYTES];

	if (is_silent || !is_stderr_the_journal())
		return;
	sd_journal_send("MESSAGE=the history has %ju lines", (uintmax_t)head->sequence,
			"PRIORITY=%d", LOG_INFO, "MESSAGE_ID=" MESSAGE_HISTORY_LINE,
			"TDXUPD_HISTORY_LINE=%ju", (uintmax_t)head->sequence,
			"TDXUPD_HISTORY_CHAIN=%s",
			tdxupd_digest_format(&head->chain, chain), NULL);
}
