// SPDX-License-Identifier: LGPL-2.1-or-later
/* One line of the history and its place in the chain. Pure: files are history.c's. */
#include <errno.h>
#include <string.h>

#include <json-c/json_tokener.h>

#include "buffer.h"
#include "digest.h"
#include "history-line.h"
#include "json.h"
#include "text.h"

#define FORMAT_VERSION 1

/* How a line ends: `,"chain":"` 96 digits `"}` */
#define CHAIN_KEY   ",\"chain\":\""
#define CHAIN_BYTES (strlen(CHAIN_KEY) + 2 * sizeof(struct tdxupd_digest) + 2)

static const struct number {
	const char *key;
	size_t offset;
} numbers[] = {
	{ "seq", offsetof(struct history_record, sequence) },
	{ "monotonic_usec", offsetof(struct history_record, monotonic_usec) },
	{ "realtime_usec", offsetof(struct history_record, realtime_usec) },
	{ "job", offsetof(struct history_record, job) },
	{ "attempt", offsetof(struct history_record, attempt) },
};

static const struct text {
	const char *key;
	size_t offset;
} texts[] = {
	{ "boot_id", offsetof(struct history_record, boot_id) },
	{ "phase", offsetof(struct history_record, phase) },
	{ "from", offsetof(struct history_record, from) },
	{ "to", offsetof(struct history_record, to) },
	{ "step_to", offsetof(struct history_record, step_to) },
	{ "plan_id", offsetof(struct history_record, plan_id) },
	{ "module", offsetof(struct history_record, module) },
	{ "path", offsetof(struct history_record, path) },
	{ "mrseam", offsetof(struct history_record, mrseam) },
	{ "outcome", offsetof(struct history_record, outcome) },
	{ "reason", offsetof(struct history_record, reason) },
	{ "detail", offsetof(struct history_record, detail) },
	{ "caller", offsetof(struct history_record, caller) },
};

static uint64_t *number_of(const struct history_record *record, size_t i)
{
	return (uint64_t *)((char *)record + numbers[i].offset);
}

static char **text_of(const struct history_record *record, size_t i)
{
	return (char **)((char *)record + texts[i].offset);
}

void history_record_done(struct history_record *record)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(*text_of(record, i));
	*record = (struct history_record){ 0 };
}

/* ---- writing ---- */

/*
 * Not by json-c, which drops what it finds no memory for: the record would say something
 * else, or be none.
 */
static void put_number(struct buffer *out, const char *key, uint64_t number)
{
	buffer_print(out, ",\"%s\":%ju", key, (uintmax_t)number);
}

/* Printable text holds no controls; what is left to be escaped are these two. */
static void put_text(struct buffer *out, const char *key, const char *text)
{
	char part[HISTORY_TEXT_BYTES_MAX];

	if (!text)
		return;
	text_make_printable(part, sizeof(part), text);
	buffer_print(out, ",\"%s\":\"", key);
	for (const char *p = part; *p; p++) {
		if (*p == '"' || *p == '\\')
			buffer_put(out, "\\", 1);
		buffer_put(out, p, 1);
	}
	buffer_put(out, "\"", 1);
}

void history_draft_done(struct history_draft *draft)
{
	free(draft->head);
	free(draft->tail);
	digest_state_free(draft->chain);
	*draft = (struct history_draft){ 0 };
}

/* Up to the times, which are the second and third number and come from the clock. */
static void put_head(struct buffer *out, const struct history_record *record)
{
	buffer_print(out, "{\"v\":%d", FORMAT_VERSION);
	put_number(out, numbers[0].key, record->sequence);
}

static void put_tail(struct buffer *out, const struct history_record *record)
{
	struct history_record *all = (struct history_record *)record;

	for (size_t i = 3; i < ARRAY_SIZE(numbers); i++)
		put_number(out, numbers[i].key, *number_of(all, i));
	if (record->has_remaining)
		put_number(out, "remaining", record->remaining);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		put_text(out, texts[i].key, *text_of(all, i));
}

static int write_part(void (*put)(struct buffer *out,
				  const struct history_record *record),
		      const struct history_record *record, char **ret)
{
	struct buffer out = { 0 };

	put(&out, record);
	return buffer_take(&out, ret, NULL);
}

static int begin_chain(const struct tdxupd_digest *previous, struct history_draft *draft)
{
	_cleanup_(cleanup_free)
	uint8_t *all = NULL;
	size_t bytes = strlen(draft->head);

	all = malloc(sizeof(previous->bytes) + bytes);
	if (!all)
		return -ENOMEM;
	memcpy(all, previous->bytes, sizeof(previous->bytes));
	memcpy(all + sizeof(previous->bytes), draft->head, bytes);
	return digest_begin(all, sizeof(previous->bytes) + bytes, &draft->chain);
}

int history_draft_make(const struct history_record *record,
		       const struct tdxupd_digest *previous, struct history_draft *ret)
{
	_cleanup_(history_draft_done)
	struct history_draft draft = { .sequence = record->sequence };
	int r;

	r = write_part(put_head, record, &draft.head)
		?: write_part(put_tail, record, &draft.tail)
		?: begin_chain(previous, &draft);
	if (r < 0)
		return r;
	*ret = draft;
	draft = (struct history_draft){ 0 };
	return 0;
}

int history_draft_finish(struct history_draft *draft, uint64_t monotonic_usec,
			 uint64_t realtime_usec, char **ret,
			 struct tdxupd_digest *ret_chain)
{
	_cleanup_(cleanup_free)
	char *body = text_new("%s,\"monotonic_usec\":%llu,\"realtime_usec\":%llu%s",
			      draft->head, (unsigned long long)monotonic_usec,
			      (unsigned long long)realtime_usec, draft->tail);
	size_t known = strlen(draft->head);
	char hex[TDXUPD_DIGEST_TEXT_BYTES];
	struct tdxupd_digest chain;
	char *line;
	int r;

	if (!body)
		return -ENOMEM;
	if (strlen(body) + CHAIN_BYTES + 1 > HISTORY_LINE_BYTES_MAX)
		return -EFBIG;
	r = digest_end(draft->chain, body + known, strlen(body) - known, &chain);
	if (r < 0)
		return r;
	line = text_new("%s" CHAIN_KEY "%s\"}\n", body,
			tdxupd_digest_format(&chain, hex));
	if (!line)
		return -ENOMEM;
	*ret = line;
	*ret_chain = chain;
	return 0;
}

int history_line_make(const struct history_record *record,
		      const struct tdxupd_digest *previous, char **ret,
		      struct tdxupd_digest *ret_chain)
{
	_cleanup_(history_draft_done)
	struct history_draft draft = { 0 };
	int r = history_draft_make(record, previous, &draft);

	return r < 0 ? r
		     : history_draft_finish(&draft, record->monotonic_usec,
					    record->realtime_usec, ret, ret_chain);
}

/* ---- reading ---- */

/* @bytes of @body are the line up to its chain. */
static int link_to(const struct tdxupd_digest *previous, const char *body, size_t bytes,
		   struct tdxupd_digest *ret)
{
	size_t count = sizeof(previous->bytes) + bytes;
	_cleanup_(cleanup_free)
	uint8_t *all = malloc(count);

	if (!all)
		return -ENOMEM;
	memcpy(all, previous->bytes, sizeof(previous->bytes));
	memcpy(all + sizeof(previous->bytes), body, bytes);
	return digest_sha384(all, count, ret);
}

/* Finds the chain at the line's end. @ret_body: bytes before it. */
static int split(const char *line, size_t bytes, size_t *ret_body,
		 struct tdxupd_digest *ret_chain)
{
	char hex[TDXUPD_DIGEST_TEXT_BYTES];
	size_t body;

	if (bytes <= CHAIN_BYTES || bytes > HISTORY_LINE_BYTES_MAX)
		return -EBADMSG;
	body = bytes - CHAIN_BYTES;
	if (memcmp(line + body, CHAIN_KEY, strlen(CHAIN_KEY)) != 0 ||
	    memcmp(line + bytes - 2, "\"}", 2) != 0)
		return -EBADMSG;
	memcpy(hex, line + body + strlen(CHAIN_KEY), sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	*ret_body = body;
	return tdxupd_digest_parse(hex, ret_chain);
}

static int take(struct json_object *object, struct history_record *record)
{
	uint64_t version;

	if (!json_get_number(object, "v", &version) || version == 0)
		return -EBADMSG;
	if (version > FORMAT_VERSION)
		return -EPROTO;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!json_get_number(object, numbers[i].key, number_of(record, i)))
			return -EBADMSG;
	record->has_remaining = json_get_number(object, "remaining", &record->remaining);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *text = json_get_text(object, texts[i].key);

		if (text && !(*text_of(record, i) = strdup(text)))
			return -ENOMEM;
	}
	return record->boot_id && record->phase ? 0 : -EBADMSG;
}

int history_line_parse(const char *line, size_t bytes,
		       const struct tdxupd_digest *previous, struct history_record *ret,
		       struct tdxupd_digest *ret_chain)
{
	_cleanup_(history_record_done)
	struct history_record record = { 0 };
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct tdxupd_digest chain, expected;
	size_t body;
	int r;

	r = split(line, bytes, &body, &chain);
	if (r == 0)
		r = json_parse(line, bytes, 4, &object);
	if (r == 0)
		r = take(object, &record);
	if (r == 0 && previous)
		r = link_to(previous, line, body, &expected);
	if (r < 0)
		return r;
	if (previous && !tdxupd_digest_is_equal(&chain, &expected))
		return -EBADE;
	*ret = record;
	record = (struct history_record){ 0 };
	*ret_chain = chain;
	return 0;
}
