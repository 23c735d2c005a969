/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JOB_H
#define JOB_H

#include <systemd/sd-event.h>

#include "backoff.h"
#include "config.h"
#include "failure.h"
#include "gate.h"
#include "job-pace.h"
#include "job-state.h"
#include "sources.h"
#include "tdxupd.h"

#define JOB_TOKEN_BYTES 65

/*
 * What the configuration said when an update was asked for. The job keeps what widens,
 * and a Target= that is older than the job is no word against it.
 * @accepted: Accept...=, as in struct tdxupd_policy
 */
struct job_terms {
	uint64_t accepted;
	uint32_t reserve_updates;
	bool has_target;
	struct tdxupd_version target;
};

/*
 * What somebody asked for.
 * @is_target_named: by them, rather than by Target=
 * @plan_id: the plan that was shown to them, empty where none was
 * @token: the caller's name for this request, empty for none: sent again, it is not asked
 *	for again, even when the job has ended
 * @deadline_usec: CLOCK_MONOTONIC, USEC_INFINITY for none
 * @starter: whose request it is, (uid_t)-1 for nobody's
 * @caller: who, for the record; may be NULL
 */
struct job_request {
	bool has_target;
	bool is_target_named;
	struct tdxupd_version target;
	char plan_id[TDXUPD_PLAN_ID_BYTES];
	char token[JOB_TOKEN_BYTES];
	uint64_t deadline_usec;
	enum gate_policy guard;
	bool has_strategy;
	enum tdxupd_strategy strategy;
	bool has_reserve;
	uint32_t reserve_updates;
	bool drain;
	struct job_terms terms;
	uid_t starter;
	char *caller;
};

/* Ask for whatever the configuration says. */
void job_request_init(struct job_request *request, const struct config *config);
void job_request_done(struct job_request *request);
/*
 * What forbids as @config says now, what widens as it was asked for. Its lists are still
 * the configuration's: only to be read, and not longer than that lives.
 */
struct tdxupd_policy job_request_policy(const struct job_request *request,
					const struct config *config);
/* Would one run serve both? Then the second request joins the first. */
bool job_request_is_same(const struct job_request *a, const struct job_request *b);
/* Is @b what the user who asked for @a has asked for again? How long they are ready to
 * wait is no part of that. */
bool job_request_is_repeated(const struct job_request *a, const struct job_request *b);

struct job;
struct host_files;

/* An image on the way, as it was when the way was chosen. */
struct job_step {
	struct tdxupd_version version;
	struct tdxupd_digest mrseam;
	struct tdxupd_digest signer;
};

/* Why a job has ended with the daemon. */
#define STOPPED_TEXT "the daemon was told to stop"

/*
 * What a job works with and whom it tells; outlives it.
 * @is_stopping: begin nothing new
 * @is_loss_told: that TDX is lost was said, and is so since
 * @is_handing_over: and leave what is not committed as it is, for the next daemon
 * @sees_writes: whoever writes to `loading` or `update`, job_on_write() is called
 * @files: what snapshots of the host are read from
 * @config, @holds: as they are now, always
 * @read_catalog: read the images as they are now, then call job_on_catalog()
 * @read_image: read that file, then call job_on_image()
 * @stop_reading: neither is to be called any more
 * @record: a state is about to be taken; what it returns stops a commit
 * @changed: after each change of anything that is shown
 * @shut: the gate seems open: hold launches as of now, before the last look. Return:
 *	whether that took anything, so that it has to be looked at again
 * @reopen: that look found it closed
 * @mark: a commit is about to be made that only this process knows of, or is over
 * @voided: the module is another one than the job's plan was made for, and not by the job
 * @confirmed: what came of a commit is known
 * @ended: once, last; may free the job
 */
struct job_context {
	bool is_stopping;
	bool is_loss_told;
	bool is_handing_over;
	bool sees_writes;
	sd_event *event;
	int root_fd;
	struct host_files *files;
	struct sources *sources;
	struct config *const *config;
	const struct holds *holds;
	int (*read_catalog)(void *userdata, struct job *job);
	int (*read_image)(void *userdata, struct job *job, const char *name);
	void (*stop_reading)(void *userdata, struct job *job);
	int (*record)(void *userdata, const struct job *job, enum job_state after);
	void (*changed)(void *userdata, struct job *job);
	bool (*shut)(void *userdata);
	void (*reopen)(void *userdata);
	void (*mark)(void *userdata, bool is_committing);
	void (*voided)(void *userdata, struct job *job);
	void (*confirmed)(void *userdata, struct job *job);
	void (*ended)(void *userdata, struct job *job);
	void *userdata;
};

/*
 * One request on its way. The first part is what is shown; the second, what job-run.c
 * works with.
 * @config: as it was when the step under way was planned; @context has the one that
 *	forbids
 * @is_shared: users other than its starter have joined it
 * @phase: the last state that was no end: how far it got
 * @step_count, @steps_left: hops of the path, and those of them that are not made yet
 * @steps: those @steps_left, the next one first; NULL before the first plan
 * @from, @to: of the whole job; @step_to: of the hop under way
 * @attempts: commits tried
 * @committed_usec: CLOCK_MONOTONIC, not later than the last of them
 * @retry_usec: the earliest that an open gate leads out of backoff
 * @harm: what the step under way does to a TD under build that it hits
 * @strict_compat: whether that pair is on Intel's list
 * @catalog: that @entry is of, whose bytes are being read while planning; else NULL
 * @suspects: builds that an update of this job may have hit, a sentence each
 * @before: the snapshot that the commit rests on
 * @after: the one that its outcome was read from, for whoever is told of that
 */
struct job {
	const struct job_context *context;
	uint32_t id;
	struct job_request request;
	bool is_shared;
	struct config *config;
	enum job_state state;
	enum job_state phase;
	uint64_t state_since_usec;
	bool has_versions;
	struct tdxupd_version from;
	struct tdxupd_version to;
	struct tdxupd_version step_to;
	enum tdxupd_build_harm harm;
	enum tdxupd_strict_compat strict_compat;
	char plan_id[TDXUPD_PLAN_ID_BYTES];
	unsigned step_count;
	unsigned steps_left;
	struct job_step *steps;
	unsigned attempts;
	uint64_t committed_usec;
	uint64_t next_attempt_usec;
	uint64_t retry_usec;
	enum failure failure;
	enum tdxupd_outcome outcome; /* _TDXUPD_OUTCOME_INVALID before the first */
	char *detail;
	size_t suspect_count;
	char **suspects;

	struct tdxupd_catalog *catalog;
	const struct tdxupd_entry *entry;
	char *image_name;
	struct tdxupd_image *image;
	struct tdxupd_host *before;
	struct tdxupd_host *after;
	struct tdxupd_upload *upload;
	bool is_last_step;
	bool has_module_guard;
	struct gate_verdict verdict;
	struct backoff backoff;
	struct job_pace pace;
	uint64_t poll_usec;
	unsigned looks; /* for the outcome, in vain */
	sd_event_source *timer;
	sd_event_source *deadline;
};

/* @config and @request are taken by copy and reference. Return: 0; -ENOMEM. */
int job_new(const struct job_context *context, uint32_t id, struct config *config,
	    const struct job_request *request, struct job **ret);
struct job *job_free(struct job *job);
DEFINE_CLEANUP(struct job, job, job_free)

/*
 * The one place where a job's state changes: looks the event up, logs, records and tells.
 * Return: true when the state changed; false when the event can't happen here, or when it
 * could not be recorded and must not go unrecorded.
 */
bool job_set(struct job *job, enum job_event event);
/* Log and show the state that followed @before. */
void job_tell(struct job *job, enum job_state before);
/* Say what came of it; the first failure stays. @detail is taken over, may be NULL. */
void job_set_failure(struct job *job, enum failure failure, char *detail);
/* Return: 0; -ENOMEM; -ENOSPC there are enough to know. */
int job_add_suspect(struct job *job, const char *text);
bool job_can_cancel(const struct job *job);
/* Of 100, and 100 only when done: how far along, not how long. It does not fall, but for
 * an image that has to be staged again. */
unsigned job_get_progress(const struct job *job);
/* "" while running, "done", or the name of the error. */
const char *job_get_result(const struct job *job);

#endif
