// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Verifying ten thousand images takes a while, and they hardly ever change. The file that
 * keeps what was found is written by whoever lists images and may write there; one that
 * another user could have written, that is cut short, or that another version or another
 * policy left there, is not looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "buffer.h"
#include "build-config.h"
#include "catalog-cache.h"
#include "catalog-record.h"
#include "digest.h"
#include "io.h"
#include "util.h"

#define CACHE_PARENT    "var/cache"
#define CACHE_DIR       "tdxupd"
#define CACHE_NAME      "verified"
#define CACHE_BYTES_MAX (256u << 20)

/*
 * A file that changed just before it was read may change again with the same time stamp:
 * the kernel's clock for them ticks every few milliseconds, other file systems' coarser.
 */
#define SETTLED_SECONDS 2

#define NSEC_PER_SEC UINT64_C(1000000000)

struct header {
	char magic[16];
	char version[16];
	uint64_t check_count;
	struct tdxupd_digest policy;
};

struct index {
	struct record_key key;
	const uint8_t *record;
	size_t bytes;
};

/*
 * @text: the file that was read, for @records to point into
 * @is_stale: what is kept is not what that file holds
 */
struct cache {
	struct header header;
	time_t now;
	size_t text_bytes;
	uint8_t *text;
	size_t count;
	struct index *records;
	struct buffer kept;
	size_t kept_count;
	bool is_stale;
};

DEFINE_CLEANUP(struct cache, cache, cache_free)

struct cache *cache_free(struct cache *cache)
{
	if (!cache)
		return NULL;
	buffer_done(&cache->kept);
	free(cache->records);
	free(cache->text);
	free(cache);
	return NULL;
}

/* ---- for which policy ---- */

static int digest_policy(const struct tdxupd_policy *policy, struct tdxupd_digest *ret)
{
	const struct {
		const void *items;
		size_t count, size;
	} lists[] = {
		{ policy->trusted_signers, policy->trusted_signer_count,
		  sizeof(*policy->trusted_signers) },
		{ policy->allowed_mrseams, policy->allowed_mrseam_count,
		  sizeof(*policy->allowed_mrseams) },
		{ policy->blocked_mrseams, policy->blocked_mrseam_count,
		  sizeof(*policy->blocked_mrseams) },
		{ &policy->accepted, 1, sizeof(policy->accepted) },
	};
	_cleanup_(buffer_done)
	struct buffer text = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		buffer_put(&text, &lists[i].count, sizeof(lists[i].count));
		buffer_put(&text, lists[i].items, lists[i].size * lists[i].count);
	}
	return text.is_short ? -ENOMEM : digest_sha384(text.bytes, text.count, ret);
}

static int make_header(const struct tdxupd_policy *policy, struct header *ret)
{
	*ret = (struct header){
		.magic = "tdxupd-verified",
		.version = TDXUPD_VERSION,
		.check_count = _TDXUPD_CHECK_MAX,
	};
	return digest_policy(policy, &ret->policy);
}

/* ---- reading the file ---- */

/* Root's or our own, and nobody else can write it. */
static bool is_trustworthy(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_uid == 0 || st.st_uid == geteuid()) &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static int read_text(int root_fd, uint8_t **ret, size_t *ret_bytes)
{
	_cleanup_(cleanup_close)
	int dir_fd = io_open_dir(root_fd, CACHE_PARENT "/" CACHE_DIR, 0);
	_cleanup_(cleanup_close)
	int fd = -1;

	if (dir_fd < 0)
		return dir_fd;
	fd = io_open_file_in(dir_fd, CACHE_NAME, 0);
	if (fd < 0)
		return fd;
	if (!is_trustworthy(fd))
		return -EPERM;
	return io_read_file_fd(fd, CACHE_BYTES_MAX, ret, ret_bytes);
}

/* The file: header, records, and a digest of both. */
static int check_text(const struct cache *cache, const uint8_t *text, size_t bytes)
{
	struct tdxupd_digest digest;
	size_t covered;
	int r;

	if (bytes < sizeof(cache->header) + sizeof(digest) ||
	    memcmp(text, &cache->header, sizeof(cache->header)) != 0)
		return -EBADMSG;
	covered = bytes - sizeof(digest);
	r = digest_sha384(text, covered, &digest);
	if (r < 0)
		return r;
	return memcmp(text + covered, &digest, sizeof(digest)) == 0 ? 0 : -EBADMSG;
}

static int compare_index(const void *a, const void *b)
{
	const struct index *one = a, *other = b;

	return memcmp(&one->key, &other->key, sizeof(one->key));
}

static int add_index(struct cache *cache, size_t *size, const struct index *index)
{
	struct index *records;

	if (cache->count == *size) {
		*size = *size ? *size * 2 : 64;
		records = reallocarray(cache->records, *size, sizeof(*records));
		if (!records)
			return -ENOMEM;
		cache->records = records;
	}
	cache->records[cache->count++] = *index;
	return 0;
}

static int make_index(struct cache *cache, const uint8_t *text, size_t bytes)
{
	struct record_reader reader = {
		.bytes = text + sizeof(cache->header),
		.left = bytes - sizeof(cache->header) - sizeof(struct tdxupd_digest),
	};
	size_t size = 0;

	while (reader.left) {
		struct index index = { .record = reader.bytes };
		int r = record_get(&reader, &index.key, NULL, NULL);

		if (r < 0)
			return r;
		index.bytes = (size_t)(reader.bytes - index.record);
		r = add_index(cache, &size, &index);
		if (r < 0)
			return r;
	}
	if (cache->count)
		qsort(cache->records, cache->count, sizeof(*cache->records),
		      compare_index);
	return 0;
}

static int read_file(struct cache *cache, int root_fd)
{
	_cleanup_(cleanup_free)
	uint8_t *text = NULL;
	size_t bytes = 0;
	int r = read_text(root_fd, &text, &bytes);

	if (r == 0)
		r = check_text(cache, text, bytes);
	if (r == 0)
		r = make_index(cache, text, bytes);
	if (r < 0) {
		log_debug(CACHE_PARENT "/" CACHE_DIR "/" CACHE_NAME ": %s",
			  io_strerror(r));
		cache->count = 0;
		cache->is_stale = true;
		return r == -ENOMEM ? r : 0;
	}
	cache->text = TAKE_PTR(text);
	cache->text_bytes = bytes;
	return 0;
}

int cache_new(int root_fd, const struct tdxupd_policy *policy, time_t now,
	      struct cache **ret)
{
	_cleanup_(cleanup_cache)
	struct cache *cache = calloc(1, sizeof(*cache));
	int r;

	if (!cache)
		return -ENOMEM;
	cache->now = now;
	r = make_header(policy, &cache->header);
	if (r == 0)
		r = read_file(cache, root_fd);
	if (r < 0)
		return r;
	buffer_put(&cache->kept, &cache->header, sizeof(cache->header));
	*ret = TAKE_PTR(cache);
	return 0;
}

/* ---- records ---- */

static uint64_t to_nsec(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * NSEC_PER_SEC + (uint64_t)time->tv_nsec;
}

static struct record_key make_key(const struct stat *st, const struct stat *partner)
{
	struct record_key key = {
		.device = st->st_dev,
		.inode = st->st_ino,
		.bytes = (uint64_t)st->st_size,
		.mtime_nsec = to_nsec(&st->st_mtim),
		.ctime_nsec = to_nsec(&st->st_ctim),
	};

	if (partner) {
		key.partner_inode = partner->st_ino;
		key.partner_bytes = (uint64_t)partner->st_size;
		key.partner_mtime_nsec = to_nsec(&partner->st_mtim);
		key.partner_ctime_nsec = to_nsec(&partner->st_ctim);
	}
	return key;
}

int cache_find(struct cache *cache, const struct stat *st, const struct stat *partner,
	       struct tdxupd_entry *entry)
{
	const struct index wanted = { .key = make_key(st, partner) };
	const struct index *found = NULL;
	struct record_reader reader;
	struct record_key key;
	int r;

	if (cache->count)
		found = bsearch(&wanted, cache->records, cache->count,
				sizeof(*cache->records), compare_index);
	if (!found)
		return 0;
	reader = (struct record_reader){ .bytes = found->record, .left = found->bytes };
	r = record_get(&reader, &key, &entry->image, &entry->report);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	buffer_put(&cache->kept, found->record, found->bytes);
	cache->kept_count++;
	return 1;
}

static bool is_settled(const struct cache *cache, const struct stat *st)
{
	return st->st_ctim.tv_sec <= cache->now - SETTLED_SECONDS &&
	       st->st_mtim.tv_sec <= cache->now - SETTLED_SECONDS;
}

int cache_add(struct cache *cache, const struct stat *st, const struct stat *partner,
	      const struct tdxupd_entry *entry)
{
	const struct record_key key = make_key(st, partner);

	if (!is_settled(cache, st) || (partner && !is_settled(cache, partner)))
		return 0;
	record_put(&cache->kept, &key, entry->image, entry->report);
	cache->kept_count++;
	cache->is_stale = true;
	return cache->kept.is_short ? -ENOMEM : 0;
}

/* ---- writing the file ---- */

static int open_for_writing(int root_fd)
{
	_cleanup_(cleanup_close)
	int parent_fd = io_open_dir(root_fd, CACHE_PARENT, 0);

	if (parent_fd < 0)
		return parent_fd;
	if (mkdirat(parent_fd, CACHE_DIR, 0755) < 0 && errno != EEXIST)
		return -errno;
	return io_open_dir(parent_fd, CACHE_DIR, 0);
}

static int save(struct cache *cache, int root_fd)
{
	_cleanup_(cleanup_close)
	int dir_fd = open_for_writing(root_fd);
	struct tdxupd_digest digest;
	int r;

	if (dir_fd < 0)
		return dir_fd;
	r = digest_sha384(cache->kept.bytes, cache->kept.count, &digest);
	if (r < 0)
		return r;
	buffer_put(&cache->kept, &digest, sizeof(digest));
	if (cache->kept.is_short)
		return -ENOMEM;
	return io_replace_file_in(dir_fd, CACHE_NAME, cache->kept.bytes,
				  cache->kept.count);
}

void cache_save(struct cache *cache, int root_fd)
{
	int r;

	if (!cache->is_stale && cache->kept_count == cache->count)
		return;
	r = save(cache, root_fd);
	if (r < 0)
		log_debug("what was verified is not kept: %s", io_strerror(r));
}
