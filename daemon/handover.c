// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Jobs from one daemon to the next, as JSON in a memfd: {jobs [{id, target, ...}]}. When
 * one is handed over, and when it is taken, is manager-handover.c's.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "duration.h"
#include "handover.h"
#include "json.h"

#define BYTES_MAX (256 * 1024)
#define JOBS_MAX  64

/* ---- writing ---- */

static int add_version(struct json_object *object, const char *key, bool is_there,
		       const struct tdxupd_version *version)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];

	return is_there ? json_add_text(object, key, tdxupd_version_format(version, text))
			: 0;
}

static int add_text(struct json_object *object, const char *key, const char *text)
{
	return *text ? json_add_text(object, key, text) : 0;
}

/* By their names: numbers may be others in the next release. */
static int add_accepted(struct json_object *object, uint64_t accepted)
{
	struct json_object *list;
	int r = json_new_array(&list);

	for (int check = 0; r == 0 && check < _TDXUPD_CHECK_MAX; check++)
		if (accepted & UINT64_C(1) << check)
			r = json_append_text(
				list, tdxupd_check_to_string((enum tdxupd_check)check));
	if (r == 0)
		return json_add(object, "accepted", list);
	json_object_put(list);
	return r;
}

static int describe_request(const struct job_request *request, struct json_object *object)
{
	const struct job_terms *terms = &request->terms;
	int r;

	r = add_version(object, "target", request->has_target, &request->target)
		    ?: json_add_bool(object, "is_target_named", request->is_target_named)
		    ?: add_text(object, "request_plan_id", request->plan_id)
		    ?: add_text(object, "token", request->token)
		    ?: json_add_text(object, "guard",
				     gate_policy_to_string(request->guard))
		    ?: json_add_bool(object, "drain", request->drain)
		    ?: json_add_number(object, "starter", request->starter)
		    ?: json_add_text(object, "caller", request->caller)
		    ?: add_accepted(object, terms->accepted)
		    ?: json_add_number(object, "terms_reserve", terms->reserve_updates)
		    ?: add_version(object, "terms_target", terms->has_target,
				   &terms->target);
	if (r == 0 && request->deadline_usec != USEC_INFINITY)
		r = json_add_number(object, "deadline_usec", request->deadline_usec);
	if (r == 0 && request->has_strategy)
		r = json_add_text(object, "strategy",
				  tdxupd_strategy_to_string(request->strategy));
	if (r == 0 && request->has_reserve)
		r = json_add_number(object, "reserve", request->reserve_updates);
	return r;
}

static int describe_job(const struct job *job, struct json_object *list)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r = json_new_object(&object);

	if (r == 0)
		r = json_add_number(object, "id", job->id)
			    ?: json_add_bool(object, "is_shared", job->is_shared)
			    ?: describe_request(&job->request, object)
			    ?: add_version(object, "from", job->has_versions, &job->from)
			    ?: add_version(object, "to", job->has_versions, &job->to)
			    ?: add_text(object, "plan_id", job->plan_id)
			    ?: json_add_number(object, "step_count", job->step_count)
			    ?: json_add_number(object, "attempts", job->attempts);
	return r < 0 ? r : json_append(list, TAKE_PTR(object));
}

static int write_memory(const char *text, int *ret_fd)
{
	static const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	_cleanup_(cleanup_close)
	int fd = memfd_create("tdxupd-jobs", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t bytes = strlen(text);

	if (fd < 0)
		return -errno;
	if (pwrite(fd, text, bytes, 0) != (ssize_t)bytes)
		return -EIO;
	if (fcntl(fd, F_ADD_SEALS, seals) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int handover_write(struct job *const *jobs, size_t count, int *ret_fd)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct json_object *list = NULL;
	const char *text;
	int r;

	r = json_new_object(&object);
	if (r == 0)
		r = json_new_array(&list);
	if (r == 0)
		r = json_add(object, "jobs", list);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (!job_state_is_end(jobs[i]->state))
			r = describe_job(jobs[i], list);
	if (r < 0)
		return r;
	text = json_print(object, JSON_C_TO_STRING_PLAIN);
	return text ? write_memory(text, ret_fd) : -ENOMEM;
}

/* ---- reading ---- */

/* Return: whether it is there and makes sense. */
static bool read_version(struct json_object *object, const char *key,
			 struct tdxupd_version *ret)
{
	const char *text = json_get_text(object, key);

	return text && tdxupd_version_parse(text, ret) == 0;
}

static bool read_text(struct json_object *object, const char *key, char *ret, size_t size)
{
	const char *text = json_get_text(object, key);

	if (text && strlen(text) >= size)
		return false;
	strcpy(ret, text ? text : "");
	return true;
}

static uint32_t read_number(struct json_object *object, const char *key)
{
	uint64_t number = 0;

	(void)json_get_number(object, key, &number);
	return (uint32_t)number;
}

static bool read_accepted(struct json_object *object, uint64_t *ret)
{
	struct json_object *list = json_get(object, "accepted");

	*ret = 0;
	for (size_t i = 0; i < json_count(list); i++) {
		const char *name =
			json_object_get_string(json_object_array_get_idx(list, i));
		int check = (int)tdxupd_check_from_string(name);

		if (check < 0)
			return false;
		*ret |= UINT64_C(1) << check;
	}
	return true;
}

static bool read_request(struct json_object *object, struct job_request *ret)
{
	const char *guard = json_get_text(object, "guard");
	const char *strategy = json_get_text(object, "strategy");
	const char *caller = json_get_text(object, "caller");
	uint64_t reserve;

	ret->has_target = read_version(object, "target", &ret->target);
	ret->is_target_named = json_get_bool(object, "is_target_named");
	ret->drain = json_get_bool(object, "drain");
	ret->starter = read_number(object, "starter");
	ret->terms.reserve_updates = read_number(object, "terms_reserve");
	ret->terms.has_target = read_version(object, "terms_target", &ret->terms.target);
	ret->deadline_usec = USEC_INFINITY;
	(void)json_get_number(object, "deadline_usec", &ret->deadline_usec);
	ret->has_reserve = json_get_number(object, "reserve", &reserve);
	ret->reserve_updates = read_number(object, "reserve");
	ret->has_strategy = strategy;
	if (!guard || (int)(ret->guard = gate_policy_from_string(guard)) < 0 ||
	    (strategy &&
	     (int)(ret->strategy = tdxupd_strategy_from_string(strategy)) < 0) ||
	    (ret->is_target_named && !ret->has_target) ||
	    !read_accepted(object, &ret->terms.accepted) ||
	    !read_text(object, "request_plan_id", ret->plan_id, sizeof(ret->plan_id)) ||
	    !read_text(object, "token", ret->token, sizeof(ret->token)))
		return false;
	ret->caller = caller ? strdup(caller) : NULL;
	return true;
}

static bool read_job(struct json_object *object, struct handover_job *ret)
{
	ret->id = read_number(object, "id");
	ret->is_shared = json_get_bool(object, "is_shared");
	ret->has_versions = read_version(object, "from", &ret->from) &&
			    read_version(object, "to", &ret->to);
	ret->step_count = read_number(object, "step_count");
	ret->attempts = read_number(object, "attempts");
	return ret->id && read_request(object, &ret->request) &&
	       read_text(object, "plan_id", ret->plan_id, sizeof(ret->plan_id));
}

static int parse(const char *text, size_t bytes, struct handover *ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct json_object *list;
	size_t count;
	int r = json_parse(text, bytes, 8, &object);

	if (r < 0)
		return r;
	list = json_get(object, "jobs");
	count = json_count(list);
	if (count == 0 || count > JOBS_MAX)
		return -EBADMSG;
	ret->jobs = calloc(count, sizeof(*ret->jobs));
	if (!ret->jobs)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct json_object *job = json_object_array_get_idx(list, i);

		ret->count++;
		if (!read_job(job, &ret->jobs[i]))
			return -EBADMSG;
	}
	return 0;
}

int handover_read(int fd, struct handover *ret)
{
	_cleanup_(handover_done)
	struct handover handover = { 0 };
	_cleanup_(cleanup_free)
	char *text = NULL;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > BYTES_MAX)
		return -EBADMSG;
	text = calloc(1, (size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	if (pread(fd, text, (size_t)st.st_size, 0) != (ssize_t)st.st_size)
		return -EIO;
	r = parse(text, (size_t)st.st_size, &handover);
	if (r < 0)
		return r;
	*ret = handover;
	handover = (struct handover){ 0 };
	return 0;
}

void handover_done(struct handover *handover)
{
	for (size_t i = 0; i < handover->count; i++)
		job_request_done(&handover->jobs[i].request);
	free(handover->jobs);
	*handover = (struct handover){ 0 };
}
