// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The upper half of tdxupdctl doctor: images, units, the daemon and what it knows of TDs
 * under build. Nothing is changed.
 */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "ctl-blockers.h"
#include "ctl-doctor.h"
#include "io.h"
#include "json.h"

/* ---- configuration, images, holds and plan ---- */

void doctor_look_at_config(const struct doctor_patient *patient,
			   struct doctor_finding *ret)
{
	if (patient->config_why)
		doctor_say(
			ret, DOCTOR_BAD,
			"Correct it; tdxupdd does not start with it, and one that runs "
			"goes on with what it read before.",
			"%s", patient->config_why);
	else
		doctor_say(ret, DOCTOR_OK, "", "tdxupd.conf makes sense");
}

void doctor_look_at_images(const struct doctor_patient *patient,
			   struct doctor_finding *ret)
{
	static const char look[] = "`tdxupdctl catalog check` says what each file is.";
	const struct tdxupd_catalog *catalog = patient->facts->catalog;
	const char *reason = json_get_text(patient->plan, "reason");
	size_t sound = 0;

	if (patient->config_why) {
		doctor_say(ret, DOCTOR_UNKNOWN, "",
			   "tdxupd.conf, which says where they are, can't be read");
		return;
	}
	if (!catalog) {
		doctor_say(
			ret, DOCTOR_BAD,
			*patient->facts->remote
				? "Keep the images on a local disk, or see why it does "
				  "not answer."
				: "",
			"%s",
			patient->catalog_why ? patient->catalog_why
					     : "the images can't be read");
		return;
	}
	for (size_t i = 0; i < catalog->entry_count; i++)
		sound += tdxupd_report_is_passed(catalog->entries[i].report);
	if (reason && strcmp(reason, "no-image") == 0)
		doctor_say(ret, DOCTOR_BAD, json_get_text(patient->plan, "advice"), "%s",
			   json_get_text(patient->plan, "why"));
	else if (sound && *patient->facts->remote)
		doctor_say(ret, DOCTOR_WARN,
			   "Keep the images on a local disk: while this one does not "
			   "answer no update can be planned.",
			   "%zu of %zu are sound; they are on a remote file system (%s)",
			   sound, catalog->entry_count, patient->facts->remote);
	else if (sound == 0)
		doctor_say(ret, DOCTOR_BAD, look, "none of %zu image%s is sound",
			   catalog->entry_count, catalog->entry_count == 1 ? "" : "s");
	else if (sound < catalog->entry_count)
		doctor_say(ret, DOCTOR_WARN, look, "%zu of %zu images are sound", sound,
			   catalog->entry_count);
	else
		doctor_say(ret, DOCTOR_OK, "", "%zu, all sound", sound);
}

/* What the daemon goes by; without one, what the next one will. */
void doctor_look_at_holds(const struct doctor_patient *patient,
			  struct doctor_finding *ret)
{
	const struct ctl_facts *facts = patient->facts;
	const char *pin = json_get_text(json_get(patient->daemon, "pin"), "version");
	size_t count = patient->daemon ? json_count(json_get(patient->daemon, "holds"))
				       : facts->holds.count + facts->holds.has_unlisted;
	char own[TDXUPD_VERSION_TEXT_BYTES];

	if (!patient->daemon && facts->holds.pin.is_set)
		pin = tdxupd_version_format(&facts->holds.pin.version, own);
	if (facts->holds_note)
		doctor_say(
			ret, DOCTOR_BAD,
			"`tdxupdctl unhold all` writes it anew: hold again what has to "
			"be held.",
			"%s", facts->holds_note);
	else if (!patient->daemon && facts->are_holds_hidden)
		doctor_say(ret, DOCTOR_UNKNOWN, "Run this as root, or start tdxupdd.",
			   "only root may read them");
	else if (count || (pin && *pin))
		doctor_say(ret, DOCTOR_WARN,
			   "`tdxupdctl holds` and `tdxupdctl status` say why.",
			   "%zu hold%s%s%s%s", count, count == 1 ? "" : "s",
			   pin && *pin ? ", and " : "", pin && *pin ? pin : "",
			   pin && *pin ? " is pinned" : "");
	else
		doctor_say(ret, DOCTOR_OK, "", "nothing is held or pinned");
}

void doctor_look_at_plan(const struct doctor_patient *patient, struct doctor_finding *ret)
{
	const char *result = json_get_text(patient->plan, "result");
	const char *to = json_get_text(patient->plan, "to");
	const char *why = json_get_text(patient->plan, "why");
	const char *advice = json_get_text(patient->plan, "advice");

	if (!result)
		doctor_say(ret, DOCTOR_UNKNOWN, "",
			   "no plan can be made before the rest is right");
	else if (to && strcmp(result, "update") == 0)
		doctor_say(ret, DOCTOR_OK, "`tdxupdctl update` does it.",
			   "%s is available", to);
	else if (strcmp(result, "current") == 0)
		doctor_say(ret, DOCTOR_OK, "",
			   "nothing to do: nothing newer here is for this host");
	else
		doctor_say(ret, DOCTOR_WARN, advice ? advice : "", "%s",
			   why ? why : "no path leads to anything newer");
}

/* ---- units ---- */

static bool has_unit(int root_fd, const char *name)
{
	static const char *const directories[] = { "etc/systemd/system",
						   "run/systemd/system",
						   "usr/local/lib/systemd/system",
						   "usr/lib/systemd/system" };
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		snprintf(path, sizeof(path), "%s/%s", directories[i], name);
		if (io_is_present(root_fd, path))
			return true;
	}
	return false;
}

void doctor_look_at_units(const struct doctor_patient *patient,
			  struct doctor_finding *ret)
{
	static const char *const units[] = { "tdxupdd.service", "tdx-update.service",
					     "tdx-update-boot.service",
					     "tdx-update.timer" };
	static const char enabled[] = "etc/systemd/system/%s.wants/%s";
	bool has_boot, has_timer;
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (has_unit(patient->root_fd, units[i]))
			continue;
		doctor_say(ret, DOCTOR_WARN,
			   "Install the whole package; until then `tdxupdctl update "
			   "--direct` works.",
			   "%s is not installed", units[i]);
		return;
	}
	snprintf(path, sizeof(path), enabled, "multi-user.target", units[2]);
	has_boot = io_is_present(patient->root_fd, path);
	snprintf(path, sizeof(path), enabled, "timers.target", units[3]);
	has_timer = io_is_present(patient->root_fd, path);
	doctor_say(ret, has_boot ? DOCTOR_OK : DOCTOR_WARN,
		   has_boot
			   ? ""
			   : "`systemctl enable tdx-update.service` repeats an update at "
			     "boot; without, a reboot brings the old module back.",
		   "updates at boot %s, regular updates %s", has_boot ? "on" : "off",
		   has_timer ? "on" : "off");
}

void doctor_look_at_daemon(const struct doctor_patient *patient,
			   struct doctor_finding *ret)
{
	const char *state = json_get_text(patient->daemon, "state");

	if (!patient->daemon && patient->config_why)
		doctor_say(ret, DOCTOR_WARN, "",
			   "tdxupdd does not run, and can't before tdxupd.conf is right");
	else if (!patient->daemon)
		doctor_say(ret, DOCTOR_WARN,
			   "`systemctl start tdxupdd`; it also starts with the first "
			   "request.",
			   "tdxupdd does not run");
	else
		doctor_say(ret, DOCTOR_OK, "", "tdxupdd runs and is %s",
			   state ? state : "there");
}

/* Its own eyes: root's are in other namespaces and have other limits. */
void doctor_look_at_lacks(const struct doctor_patient *patient,
			  struct doctor_finding *ret)
{
	struct json_object *lacks = json_get(patient->daemon, "lacks");
	size_t count = json_count(lacks);

	if (!patient->daemon)
		doctor_say(ret, DOCTOR_UNKNOWN, "", "tdxupdd knows what it lacks");
	else if (count == 0)
		doctor_say(ret, DOCTOR_OK, "", "tdxupdd has what it needs");
	else
		doctor_say(ret, DOCTOR_WARN,
			   count > 1 ? "`tdxupdctl status` shows all that it lacks." : "",
			   "%s",
			   json_object_get_string(json_object_array_get_idx(lacks, 0)));
}

/* ---- the gate ---- */

/* Sources that are sure, or those that know nothing, by name. */
static size_t list_sources(struct json_object *sources, bool is_sure, char *ret,
			   size_t size)
{
	size_t found = 0, used = 0;

	*ret = 0;
	for (size_t i = 0; i < json_count(sources); i++) {
		struct json_object *source = json_object_array_get_idx(sources, i);
		const char *name = json_get_text(source, "name");
		const char *state = json_get_text(source, "state");
		const char *confidence = json_get_text(source, "confidence");
		bool is_unknown = !state || strcmp(state, "unknown") == 0;
		bool is_exact = confidence && strcmp(confidence, "exact") == 0;

		if (!name || strcmp(name, "inhibitors") == 0 ||
		    (is_sure ? is_unknown || !is_exact : !is_unknown))
			continue;
		if (used < size)
			used += (size_t)snprintf(ret + used, size - used, "%s%s",
						 found ? ", " : "", name);
		found++;
	}
	return found;
}

void doctor_look_at_sources(const struct doctor_patient *patient,
			    struct doctor_finding *ret)
{
	struct json_object *sources = json_get(patient->daemon, "gate_sources");
	char sure[64], lost[64];
	size_t sure_count = list_sources(sources, true, sure, sizeof(sure));
	size_t lost_count = list_sources(sources, false, lost, sizeof(lost));

	if (!patient->daemon)
		doctor_say(ret, DOCTOR_UNKNOWN, "", "tdxupdd asks them");
	else
		doctor_say(ret, sure_count ? DOCTOR_OK : DOCTOR_WARN,
			   lost_count ? "`tdxupdctl blockers` says what each lacks." : "",
			   "sure of TDs under build: %s%s%s", sure_count ? sure : "none",
			   lost_count ? "; not working here: " : "", lost);
}

void doctor_look_at_gate(const struct doctor_patient *patient, struct doctor_finding *ret)
{
	const char *decision = json_get_text(patient->daemon, "gate_decision");

	if (!decision)
		doctor_say(ret, DOCTOR_UNKNOWN, "", "tdxupdd decides it");
	else if (strcmp(decision, "go") == 0)
		doctor_say(ret,
			   ctl_blockers_is_sure(patient->daemon) ? DOCTOR_OK
								 : DOCTOR_WARN,
			   "", "%s",
			   ctl_blockers_is_sure(patient->daemon)
				   ? "open: no TD is being built"
				   : "open by Guard=, not because anything is sure that "
				     "no TD is being built");
	else if (strcmp(decision, "wait") == 0)
		doctor_say(ret, DOCTOR_OK, "", "closed for now: a TD is being built");
	else
		doctor_say(ret, DOCTOR_WARN,
			   "`tdxupdctl blockers` says what each source lacks. Updates "
			   "wait for "
			   "certainty, or until no TD exists.",
			   "nobody can tell whether a TD is being built");
}
