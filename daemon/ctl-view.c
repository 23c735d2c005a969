// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Plans, lists and reference values, made here or asked of the daemon.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "ctl-bus.h"
#include "ctl-text.h"
#include "ctl-view.h"
#include "describe.h"
#include "json.h"
#include "policy.h"

/* Mode 0400 on Linux. */
#define ROOTS_FILE "sys/devices/faux/tdx_host/num_remaining_updates"

/* Has the daemon to be asked? */
static bool is_daemons(const struct ctl *ctl)
{
	if (ctl->remote)
		return true;
	if (ctl->host_file || ctl->images || ctl->mapping || !ctl_bus_is_ours(ctl))
		return false;
	return faccessat(ctl->root_fd, ROOTS_FILE, R_OK, AT_EACCESS) < 0 &&
	       errno == EACCES;
}

/* ---- asking ---- */

/* The arguments of a call: a version and one option, NULL for none. */
struct question {
	const char *target;
	const char *option;
	const char *value;
};

static int append_question(sd_bus_message *call, const void *userdata)
{
	const struct question *question = userdata;
	int r = sd_bus_message_append(call, "s",
				      question->target ? question->target : "");

	if (r < 0)
		return r;
	if (!question->value)
		return sd_bus_message_append(call, "a{sv}", 0);
	return sd_bus_message_append(call, "a{sv}", 1, question->option, "s",
				     question->value);
}

static int append_nothing(sd_bus_message *call, const void *userdata)
{
	(void)userdata;
	return sd_bus_message_append(call, "a{sv}", 0);
}

/* Return: an exit code; -1 nobody is there, and this process may look instead. */
static int ask(struct ctl *ctl, const char *member, ctl_bus_append_fn append,
	       const struct question *question, struct json_object **ret)
{
	struct ctl quiet = *ctl;
	int r;

	if (ctl->remote && (ctl->host_file || ctl->images || ctl->mapping))
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"-H is about another host and the images there; leave "
				"--host-file, --images and --mapping out");
	if (!is_daemons(ctl))
		return -1;
	quiet.is_silent = !ctl->remote;
	r = ctl_bus_ask(&quiet, member, append, question, ret);
	if (r == CTL_EXIT_UNREACHABLE && !ctl->remote)
		return -1;
	/* What the daemon refuses has to be said. */
	return r && quiet.is_silent ? ctl_bus_ask(ctl, member, append, question, ret) : r;
}

static int check_version(struct ctl *ctl, const char *target)
{
	struct tdxupd_version version;

	if (!target || tdxupd_version_parse(target, &version) == 0)
		return CTL_EXIT_OK;
	return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
			"\"%s\" is no version such as 1.5.16", target);
}

/* Over there as here: a host without TDX has no plan, but a reason. */
static int check_plan(struct ctl *ctl, struct json_object *plan)
{
	struct json_object *verdicts = json_get(plan, "verdicts");

	for (size_t i = 0; i < json_count(verdicts); i++) {
		struct json_object *verdict = json_object_array_get_idx(verdicts, i);
		const char *code = json_get_text(verdict, "code");

		if (code && strcmp(code, "tdx-absent") == 0)
			return ctl_facts_fail_state(ctl, TDXUPD_TDX_ABSENT);
		if (code && strcmp(code, "tdx-lost") == 0)
			return ctl_facts_fail_state(ctl, TDXUPD_TDX_LOST);
	}
	return CTL_EXIT_OK;
}

/* ---- hosts ---- */

/* Properties are -1 where the daemon does not know, either. */
static int add_count(struct json_object *host, const char *key,
		     struct json_object *daemon)
{
	struct json_object *value = json_get(daemon, key);

	if (json_get(host, key) || !json_object_is_type(value, json_type_int) ||
	    json_object_get_int64(value) < 0)
		return 0;
	return json_add(host, key, json_object_get(value));
}

static int add_known(struct json_object *host, const char *key, const char *text)
{
	return json_get(host, key) || !text || !*text ? 0
						      : json_add_text(host, key, text);
}

static int add_features(struct json_object *host, struct json_object *daemon)
{
	uint64_t features;

	if (json_get(host, "features0") ||
	    !json_get_number(daemon, "features0", &features) || !features)
		return 0;
	return json_add_hex(host, "features0", features);
}

/* A count that the daemon does not believe is none: the kernel's file says 0 where its
 * probes do not fire. */
static void leave_out(struct json_object *host, struct json_object *daemon)
{
	struct json_object *told = json_get(daemon, "tds_building");

	if (json_object_is_type(told, json_type_int) && json_object_get_int64(told) < 0)
		json_object_object_del(host, "tds_building");
}

static int fill_in(struct json_object *host, struct json_object *daemon)
{
	leave_out(host, daemon);
	return add_known(host, "state", json_get_text(daemon, "tdx_state"))
		       ?: add_known(host, "module_version",
				    json_get_text(daemon, "module_version"))
		       ?: add_known(host, "seamldr_version",
				    json_get_text(daemon, "seamldr_version"))
		       ?: add_known(host, "update_guard",
				    json_get_text(daemon, "update_guard"))
		       ?: add_count(host, "remaining_updates", daemon)
		       ?: add_count(host, "tds_building", daemon)
		       ?: add_features(host, daemon);
}

int ctl_view_host(struct ctl *ctl, struct ctl_facts *facts, struct json_object *daemon,
		  struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *host = NULL;
	int r = ctl->remote ? CTL_EXIT_OK : ctl_facts_read_host(ctl, facts);

	if (r)
		return r;
	r = ctl->remote ? json_new_object(&host) : describe_host(facts->host, &host);
	if (r == 0 && is_daemons(ctl))
		r = fill_in(host, daemon);
	if (r < 0)
		return ctl_fail_memory(ctl);
	*ret = TAKE_PTR(host);
	return CTL_EXIT_OK;
}

/* ---- plans ---- */

static int describe_local(const struct ctl_facts *facts, struct json_object **ret)
{
	return describe_plan(facts->plan, ret) ?: describe_holds(&facts->holds, *ret);
}

char *ctl_view_describe_hold(const char *what, struct json_object *hold)
{
	uint64_t since_usec = 0;

	(void)json_get_number(hold, "since_usec", &since_usec);
	return policy_describe(what, since_usec, json_get_text(hold, "by"),
			       json_get_text(hold, "reason"));
}

static void say_hold(const struct ctl *ctl, const char *what, struct json_object *hold)
{
	_cleanup_(cleanup_free)
	char *text = ctl_view_describe_hold(what, hold);
	_cleanup_(cleanup_free)
	char *wrapped = text ? text_wrap(text, ctl->width) : NULL;

	if (wrapped)
		ctl_say(ctl, "\n%s", wrapped);
}

void ctl_view_say_holds(const struct ctl *ctl, struct json_object *view)
{
	struct json_object *pin = json_get(view, "pin");
	struct json_object *held = json_get(view, "held");
	const char *version = json_get_text(pin, "version");
	char pinned[64];

	if (ctl->has_no_legend)
		return;
	snprintf(pinned, sizeof(pinned), "%s is pinned", version ? version : "");
	if (version && *version)
		say_hold(ctl, pinned, pin);
	if (held)
		say_hold(ctl, "All updates are held", held);
}

int ctl_view_plan(struct ctl *ctl, const char *target, struct json_object **ret)
{
	const struct question question = { target, "strategy", ctl->strategy };
	_cleanup_(cleanup_json)
	struct json_object *plan = NULL;
	struct ctl_facts facts = { 0 };
	int r = check_version(ctl, target);

	if (r)
		return r;
	r = ask(ctl, "Plan", append_question, &question, &plan);
	if (r < 0) {
		r = ctl_facts_make_plan(ctl, target, &facts);
		if (r == CTL_EXIT_OK && describe_local(&facts, &plan) < 0)
			r = ctl_fail_memory(ctl);
		ctl_facts_done(&facts);
	}
	r = r ? r : check_plan(ctl, plan);
	if (r == CTL_EXIT_OK)
		*ret = TAKE_PTR(plan);
	return r;
}

char *ctl_view_explain(struct json_object *plan)
{
	const char *why = json_get_text(plan, "why");
	const char *advice = json_get_text(plan, "advice");
	char *text;

	if (asprintf(&text, "%s%s%s", why ? why : "no path leads there",
		     advice ? ". " : "", advice ? advice : "") < 0)
		return NULL;
	return text;
}

int ctl_view_copy_word(struct json_object *plan, struct json_object *into)
{
	static const char *const keys[] = { "result", "reason", "why", "advice" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(keys); i++)
		r = json_add_text(into, keys[i], json_get_text(plan, keys[i]));
	return r;
}

int ctl_view_exit(struct json_object *plan)
{
	const char *result = json_get_text(plan, "result");

	if (result && strcmp(result, "current") == 0)
		return CTL_EXIT_OK;
	if (result && strcmp(result, "update") == 0)
		return CTL_EXIT_AVAILABLE;
	return (int)ctl_bus_error_to_exit(json_get_text(plan, "failure"));
}

/* ---- lists ---- */

static bool has_entry(struct json_object *catalog, const char *version)
{
	struct json_object *entries = json_get(catalog, "entries");

	for (size_t i = 0; i < json_count(entries); i++) {
		const char *other =
			json_get_text(json_object_array_get_idx(entries, i), "version");

		if (other && version && strcmp(other, version) == 0)
			return true;
	}
	return false;
}

static int add_missing(struct json_object *list, struct json_object *catalog)
{
	struct json_object *releases = json_get(catalog, "releases");
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	for (size_t i = 0; r == 0 && i < json_count(releases); i++) {
		struct json_object *release = json_object_array_get_idx(releases, i);

		if (!has_entry(catalog, json_get_text(release, "version")))
			r = json_append(array, json_object_get(release));
	}
	return r < 0 ? r : json_add(list, "missing", TAKE_PTR(array));
}

static int make_list(const struct ctl *ctl, struct json_object *plan,
		     struct json_object *catalog, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *list = NULL;
	uint64_t left_out = 0;
	int r;

	json_get_number(catalog, "left_out", &left_out);
	r = json_new_object(&list)
		    ?: json_add(list, "candidates",
				json_object_get(json_get(plan, "candidates")))
		    ?: json_add_text(list, "from", json_get_text(plan, "from"))
		    ?: json_add(list, "running",
				json_object_get(json_get(plan, "running")))
		    ?: json_add_number(list, "left_out", left_out)
		    ?: json_add(list, "left_outs",
				json_object_get(json_get(catalog, "left_outs")))
		    ?: json_add(list, "notes", json_object_get(json_get(catalog, "notes")))
		    ?: json_add(list, "pin", json_object_get(json_get(plan, "pin")))
		    ?: json_add(list, "held", json_object_get(json_get(plan, "held")))
		    ?: ctl_view_copy_word(plan, list);
	if (r == 0 && ctl->is_all)
		r = add_missing(list, catalog);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(list);
	return 0;
}

int ctl_view_list(struct ctl *ctl, struct json_object **ret)
{
	const struct question question = { NULL, NULL, NULL };
	_cleanup_(cleanup_json)
	struct json_object *plan = NULL;
	_cleanup_(cleanup_json)
	struct json_object *catalog = NULL;
	struct ctl_facts facts = { 0 };
	int r = ask(ctl, "Plan", append_question, &question, &plan);

	if (r == CTL_EXIT_OK)
		r = ask(ctl, "ListImages", append_nothing, NULL, &catalog);
	if (r < 0) {
		json_object_put(TAKE_PTR(plan));
		r = ctl_facts_make_plan(ctl, NULL, &facts);
		if (r == CTL_EXIT_OK && (describe_local(&facts, &plan) < 0 ||
					 describe_catalog(facts.catalog, &catalog) < 0))
			r = ctl_fail_memory(ctl);
	}
	r = r ? r : check_plan(ctl, plan);
	if (r == CTL_EXIT_OK &&
	    (make_list(ctl, plan, catalog, ret) < 0 ||
	     (*facts.remote && json_add_text(*ret, "remote", facts.remote) < 0)))
		r = ctl_fail_memory(ctl);
	ctl_facts_done(&facts);
	return r;
}

/* ---- reference values ---- */

static int describe_facts(const struct ctl_facts *facts, const char *format,
			  struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *attest = NULL;
	int r = describe_attest(facts->plan, facts->catalog, facts->config->policy,
				&attest);

	if (r < 0)
		return r;
	if (strcmp(format, "comid") == 0)
		return describe_corim(attest, facts->plan->id, ret);
	*ret = TAKE_PTR(attest);
	return 0;
}

static int ask_attest(struct ctl *ctl, const char *target, const char *format,
		      struct json_object **ret)
{
	const struct question question = { target, "format", format };
	struct ctl_facts facts = { 0 };
	int r;

	r = ask(ctl, "GetReferenceValues", append_question, &question, ret);
	if (r >= 0)
		return r;
	r = ctl_facts_make_plan(ctl, target, &facts);
	if (r == CTL_EXIT_OK && describe_facts(&facts, format, ret) < 0)
		r = ctl_fail_memory(ctl);
	ctl_facts_done(&facts);
	return r;
}

static bool is_of(struct json_object *values, const struct tdxupd_version *target)
{
	const char *text = json_get_text(values, "version");
	struct tdxupd_version version;

	return text && tdxupd_version_parse(text, &version) == 0 &&
	       tdxupd_version_compare(&version, target) == 0;
}

/* Whoever names a version wants its values and no others. */
static int check_values(struct ctl *ctl, const char *target)
{
	_cleanup_(cleanup_json)
	struct json_object *plain = NULL;
	struct tdxupd_version version;
	int r = ask_attest(ctl, target, "plain", &plain);

	if (r || tdxupd_version_parse(target, &version) < 0)
		return r;
	if (is_of(json_get(plain, "now"), &version) ||
	    is_of(json_get(plain, "next"), &version))
		return CTL_EXIT_OK;
	return ctl_fail(
		ctl, CTL_EXIT_NO_IMAGE, "no-such-version",
		"there is no genuine image of %s here, so what quotes would carry "
		"is not known",
		target);
}

int ctl_view_attest(struct ctl *ctl, const char *target, const char *format,
		    struct json_object **ret)
{
	int r = check_version(ctl, target);

	if (r == CTL_EXIT_OK && target)
		r = check_values(ctl, target);
	return r ? r : ask_attest(ctl, target, format, ret);
}
