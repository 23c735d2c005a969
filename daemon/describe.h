/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include <stddef.h>

#include <json-c/json_object.h>

#include "gate.h"
#include "tdxupd.h"

/*
 * Facts as JSON: the one form in which D-Bus methods return them, tdxupdctl --json prints
 * them and tdxupdctl's tables are made. Members are snake_case; versions are text as the
 * kernel prints it, digests and masks hex text; what is unknown is absent. Members are
 * only ever added.
 *
 * Each returns 0, or -ENOMEM and leaves @ret alone; a value outside its enum is -EINVAL.
 */

/* Adds a version to @object. */
int describe_version(struct json_object *object, const char *key,
		     const struct tdxupd_version *version);

/* {state, module_version, seamldr_version, remaining_updates, features0, update_guard,
 * tds_building, tds, has_fw_upload, has_trigger, sockets [{id, signature}], has_cpu_bug,
 * cpus {online, present, possible}, boot_id} */
int describe_host(const struct tdxupd_host *host, struct json_object **ret);

/* {code, severity, title, found, wanted, advice, override, text} */
int describe_verdict(const struct tdxupd_verdict *verdict, struct json_object **ret);

/* An array of verdicts. */
int describe_report(const struct tdxupd_report *report, struct json_object **ret);

/* {container, bytes, module_pages, mrseam, signer, file_digest, svn, date, is_debug,
 * attributes, module_hv, min_update_hv, no_downgrade, cpus []} */
int describe_image(const struct tdxupd_image *image, struct json_object **ret);

/* {version, min_module_version, min_seamldr_versions [], features0, claimed_features0,
 * recorded_features0, is_from_record, strict_compat_versions []}; claimed_features0 is
 * the mapping file's where that is outdated, recorded_features0 the record's where both
 * differ */
int describe_release(const struct tdxupd_release *release, struct json_object **ret);

/* {identity, dispute, mrseam, svn, module_hv, crypto_context, advisories [{id,
 * fixed_in}], newest_known}: what a plan takes to be running, and what is on record of
 * that */
int describe_running(const struct tdxupd_plan *plan, struct json_object **ret);

/* The names of the advisories that affect a module. */
int describe_advisories(const struct tdxupd_known_module *known,
			struct json_object **ret);

/* Remarks on mapping and records, [{code, text}]. */
int describe_notes(const struct tdxupd_catalog *catalog, struct json_object **ret);

/* {name, version, is_known, is_sound, image, release, advisories [], crypto_context,
 * verdicts} */
int describe_entry(const struct tdxupd_entry *entry, struct json_object **ret);

/* {left_out, left_outs [{name, why}], has_mapping, notes, entries, releases} */
int describe_catalog(const struct tdxupd_catalog *catalog, struct json_object **ret);

/* {id, result, from, to, running, steps [{name, version, mrseam, svn, build_harm,
 * is_strict_compat}], candidates, verdicts,
 * advice, reason, why, failure}; verdicts are those that hold for every image; where the
 * result is blocked, reason says so in a word and why in a sentence, and failure is the
 * error that an update would end with */
int describe_plan(const struct tdxupd_plan *plan, struct json_object **ret);

struct history_excerpt;

/* {records [{sequence, realtime_usec, boot_id, job, attempt, phase, module, from, to,
 * step_to, plan_id, path, mrseam, outcome, reason, detail, caller, remaining_updates}],
 * left_out, chain {lines, is_whole, breaks, first_break}} */
int describe_history(const struct history_excerpt *excerpt, struct json_object **ret);

struct holds;
/* Adds to a plan what the administrator says beside it: pin as describe_pin(), and held,
 * as describe_hold(), where no update may be made at all. */
int describe_holds(const struct holds *holds, struct json_object *plan);

struct hold;

/* {what, reason, since_usec, by, until_usec, is_automatic} */
int describe_hold(const struct hold *hold, struct json_object **ret);

struct pin;

/* {version, reason, since_usec, by}; no object where nothing is pinned */
int describe_pin(const struct pin *pin, struct json_object **ret);

/* {now, next}, each {version, mrseam, svn, tee_tcb_svn_begins, signer, mrsigner_seam,
 * attributes, is_allowed}; what is not known, or is not going to change, is absent */
int describe_attest(const struct tdxupd_plan *plan, const struct tdxupd_catalog *catalog,
		    const struct tdxupd_policy *policy, struct json_object **ret);
/* The same as a CoMID. */
int describe_corim(struct json_object *attest, const char *plan_id,
		   struct json_object **ret);

/* {decision, policy, sources [{name, state, confidence, is_blocking, count, reason,
 * blockers [{who, pid, since_usec}]}]} */
int describe_gate(const struct gate_source *sources, size_t count,
		  enum gate_policy policy, const struct gate_verdict *verdict,
		  struct json_object **ret);

struct last_update;

/* {id, result, ended_usec, from, to, detail}; no object where there was none */
int describe_last_update(const struct last_update *last, struct json_object **ret);

struct job;

/* {id, target, from, to, plan_id, state, state_since, attempt, progress, next_attempt,
 * blockers [{source, who, pid, since_usec}], cancellable, outcome, result, detail}: the
 * properties of org.tdxupd1.Job */
int describe_job(const struct job *job, struct json_object **ret);

#endif
