// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a worker does for the manager, and what is made of its answer. When and for whom
 * one is read, reader.c decides.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "catalog-load.h"
#include "catalog-wire.h"
#include "describe.h"
#include "image-place.h"
#include "images-watch.h"
#include "io.h"
#include "json.h"
#include "manager-read.h"
#include "reader.h"
#include "text.h"

#define WHY_BYTES 1024

DEFINE_CLEANUP(struct tdxupd_catalog, catalog, tdxupd_catalog_free)

/* Of one kind or the other. @image: its name; @query: of the history. */
struct reading {
	struct reading *next;
	struct manager *manager;
	struct config *config;
	int watch_fd;
	char *image;
	struct history_query query;
	manager_catalog_fn catalog_done;
	manager_bytes_fn bytes_done;
	void *userdata;
};

/* ---- those under way ---- */

static void unlink_reading(struct reading *reading)
{
	struct reading **link = &reading->manager->readings;

	while (*link && *link != reading)
		link = &(*link)->next;
	if (*link)
		*link = reading->next;
}

static struct reading *reading_free(struct reading *reading)
{
	if (!reading)
		return NULL;
	config_unref(reading->config);
	free(reading->image);
	free(reading);
	return NULL;
}
DEFINE_CLEANUP(struct reading, reading, reading_free)

static struct reading *reading_new(struct manager *manager, struct config *config,
				   void *userdata)
{
	struct reading *reading = calloc(1, sizeof(*reading));

	if (!reading)
		return NULL;
	reading->manager = manager;
	reading->config = config_ref(config);
	reading->watch_fd = -1;
	reading->userdata = userdata;
	return reading;
}

static int add(struct reading *reading, struct reader_request *request)
{
	struct manager *manager = reading->manager;
	int r;

	request->userdata = reading;
	request->fds[0] = manager->root_fd;
	request->fds[1] = reading->watch_fd;
	r = reader_add(manager->reader, request);
	if (r < 0) {
		reading_free(reading);
		return r;
	}
	reading->next = manager->readings;
	manager->readings = reading;
	return 0;
}

void manager_drop_reading(struct manager *manager, const void *userdata)
{
	struct reading **link = &manager->readings;

	while (*link) {
		struct reading *reading = *link;

		if (reading->userdata != userdata) {
			link = &reading->next;
			continue;
		}
		*link = reading->next;
		reader_drop(manager->reader, reading);
		reading_free(reading);
	}
}

void manager_read_done(struct manager *manager)
{
	struct reading *reading;

	manager->reader = reader_free(manager->reader);
	while ((reading = manager->readings)) {
		manager->readings = reading->next;
		reading_free(reading);
	}
}

/* ---- why not ---- */

static char *explain(const struct reading *reading, int r)
{
	const char *images = reading->config->images;
	char type[MOUNT_TYPE_BYTES];
	bool is_remote = image_place_is_remote(reading->manager->root, images, type);

	switch (r) {
	case WORKER_HUNG:
		return text_new("%s: the file system%s%s%s does not answer", images,
				is_remote ? " (" : "", is_remote ? type : "",
				is_remote ? ")" : "");
	case READER_STUCK:
		return text_new("%s: earlier attempts to read still hang in the kernel",
				images);
	case WORKER_CRASHED:
		return text_new("%s: the process that reads it ended unexpectedly",
				images);
	case -EBADMSG:
		return text_new("%s: the process that reads it gave no sound answer",
				images);
	default:
		return text_new("%s: %s", images, strerror(-r));
	}
}

/* ---- catalogs ---- */

static int run_catalog(void *userdata, struct buffer *out)
{
	const struct reading *reading = userdata;
	const struct config *config = reading->config;
	struct tdxupd_catalog *catalog;
	char *why = NULL;
	int r;

	if (reading->watch_fd >= 0)
		images_watch(reading->watch_fd, reading->manager->root, config->images,
			     config->mapping);
	r = tdxupd_catalog_read(reading->manager->root_fd, config->images,
				config->mapping, config->policy,
				TDXUPD_CATALOG_REQUIRE_SAFE | TDXUPD_CATALOG_USE_CACHE |
					TDXUPD_CATALOG_WITH_STORE,
				&catalog, &why);
	if (r == 0)
		catalog_put(out, catalog);
	else if (why)
		buffer_put(out, why, strlen(why));
	return r;
}

/* A sentence of the worker's, or one of ours. */
static char *take_why(const struct reading *reading, int r, const uint8_t *bytes,
		      size_t count)
{
	char raw[WHY_BYTES], why[WHY_BYTES];

	if (!count || r == WORKER_HUNG || r == WORKER_CRASHED || r == READER_STUCK)
		return explain(reading, r);
	if (count >= sizeof(raw))
		count = sizeof(raw) - 1;
	memcpy(raw, bytes, count);
	raw[count] = '\0';
	text_make_printable(why, sizeof(why), raw);
	return strdup(why);
}

static void on_catalog(void *userdata, int r, const uint8_t *bytes, size_t count)
{
	_cleanup_(cleanup_reading)
	struct reading *reading = userdata;
	_cleanup_(cleanup_catalog)
	struct tdxupd_catalog *catalog = NULL;
	_cleanup_(cleanup_free)
	char *why = NULL;

	unlink_reading(reading);
	if (r == 0) {
		r = catalog_get(bytes, count, &catalog);
		count = 0;
	}
	if (r < 0)
		why = take_why(reading, r, bytes, count);
	reading->catalog_done(reading->userdata, r, &catalog, why);
}

static int read_catalog(struct reading *reading, manager_catalog_fn done, bool is_urgent,
			const void *share)
{
	struct reader_request request = {
		.run = run_catalog,
		.done = on_catalog,
		.share = share,
		.is_urgent = is_urgent,
	};

	if (!reading)
		return -ENOMEM;
	reading->catalog_done = done;
	return add(reading, &request);
}

int manager_read_catalog(struct manager *manager, struct config *config, bool is_urgent,
			 manager_catalog_fn done, void *userdata)
{
	return read_catalog(reading_new(manager, config, userdata), done, is_urgent,
			    config);
}

int manager_watch_catalog(struct manager *manager, int watch_fd, manager_catalog_fn done,
			  void *userdata)
{
	struct reading *reading = reading_new(manager, manager->config, userdata);

	if (reading)
		reading->watch_fd = watch_fd;
	return read_catalog(reading, done, false, NULL);
}

struct now {
	int r;
	struct tdxupd_catalog *catalog;
};

static void on_catalog_now(void *userdata, int r, struct tdxupd_catalog **catalog,
			   const char *why)
{
	struct now *now = userdata;

	(void)why;
	now->r = r;
	now->catalog = TAKE_PTR(*catalog);
}

int manager_read_catalog_now(struct manager *manager, struct tdxupd_catalog **ret)
{
	struct now now = { 0 };
	struct reading *reading = reading_new(manager, manager->config, &now);
	const struct reader_request request = {
		.run = run_catalog,
		.done = on_catalog,
		.userdata = reading,
		.fds = { manager->root_fd, -1 },
	};
	int r;

	if (!reading)
		return -ENOMEM;
	reading->catalog_done = on_catalog_now;
	r = reader_run_alone(&request);
	if (r < 0) {
		reading_free(reading);
		return r;
	}
	if (now.r == 0)
		*ret = now.catalog;
	return now.r;
}

/* ---- bytes ---- */

static void on_bytes(void *userdata, int r, const uint8_t *bytes, size_t count)
{
	_cleanup_(cleanup_reading)
	struct reading *reading = userdata;

	unlink_reading(reading);
	reading->bytes_done(reading->userdata, r, bytes, count);
}

static int run_image(void *userdata, struct buffer *out)
{
	const struct reading *reading = userdata;
	uint8_t *bytes;
	size_t count;
	int r = catalog_read_bytes(reading->manager->root_fd, reading->config->images,
				   reading->image, TDXUPD_CATALOG_REQUIRE_SAFE, &bytes,
				   &count);

	if (r == 0)
		buffer_put(out, bytes, count);
	return r;
}

int manager_read_image(struct manager *manager, struct config *config, const char *name,
		       manager_bytes_fn done, void *userdata)
{
	struct reading *reading = reading_new(manager, config, userdata);
	struct reader_request request = {
		.run = run_image,
		.done = on_bytes,
		.is_urgent = true,
	};

	if (!reading || !(reading->image = strdup(name))) {
		reading_free(reading);
		return -ENOMEM;
	}
	reading->bytes_done = done;
	return add(reading, &request);
}

static int run_history(void *userdata, struct buffer *out)
{
	const struct reading *reading = userdata;
	struct history_excerpt excerpt;
	struct json_object *json;
	const char *text;
	struct history_query query = reading->query;
	int r;

	/* This machine's journal knows nothing of another root. */
	if (strcmp(reading->manager->root, "/") == 0)
		history_head_find(&query.head);
	r = history_read(reading->manager->root_fd, &query, &excerpt);
	if (r == 0)
		r = describe_history(&excerpt, &json);
	if (r < 0)
		return r;
	text = json_print(json, JSON_C_TO_STRING_PLAIN);
	if (!text)
		return -ENOMEM;
	buffer_put(out, text, strlen(text));
	return 0;
}

int manager_read_history(struct manager *manager, const struct history_query *query,
			 manager_bytes_fn done, void *userdata)
{
	struct reading *reading = reading_new(manager, manager->config, userdata);
	struct reader_request request = { .run = run_history, .done = on_bytes };

	if (!reading)
		return -ENOMEM;
	reading->query = *query;
	reading->bytes_done = done;
	return add(reading, &request);
}
