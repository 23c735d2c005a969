// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl attest show, export: what quotes of this host carry now and what they will
 * carry after an update, so that verifiers can be told first. Decides nothing for a
 * verifier. Needs no daemon.
 *
 * A running TD keeps the TEE_TCB_SVN and the MRSEAM that it was launched under;
 * TEE_TCB_SVN_2 follows the module that runs.
 */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "ctl-facts.h"
#include "ctl-table.h"
#include "ctl.h"
#include "describe.h"
#include "json.h"

static const struct ctl_column columns[] = {
	{ .name = "FACT" },
	{ .name = "VALUE", .is_wrapped = true },
};

/* ---- values ---- */

/* Bytes 0 and 1 of TEE_TCB_SVN: minor and major SVN of the module. */
static int add_svn(struct json_object *object, uint16_t svn)
{
	char text[8];

	snprintf(text, sizeof(text), "%02x%02x", svn & 0xff, svn >> 8);
	return json_add_text(object, "tee_tcb_svn_begins", text);
}

/* {version, mrseam, svn, tee_tcb_svn_begins, signer, attributes} */
static int describe_values(const struct tdxupd_entry *entry, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	_cleanup_(cleanup_json)
	struct json_object *image = NULL;
	int r;

	r = describe_image(entry->image, &image) ?: json_new_object(&object)
		?: describe_version(object, "version", &entry->version)
		?: json_add_text(object, "mrseam", json_get_text(image, "mrseam"))
		?: json_add_text(object, "svn", json_get_text(image, "svn"))
		?: add_svn(object, entry->image->svn)
		?: json_add_text(object, "signer", json_get_text(image, "signer"))
		?: json_add_text(object, "attributes",
				 json_get_text(image, "attributes"));
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

static const struct tdxupd_entry *find_running(const struct ctl_facts *facts)
{
	for (size_t i = 0; i < facts->catalog->entry_count; i++) {
		const struct tdxupd_entry *entry = &facts->catalog->entries[i];

		if (entry->has_version && entry->image &&
		    tdxupd_report_is_passed(entry->report) &&
		    tdxupd_version_compare(&entry->version,
					   &facts->host->module_version) == 0)
			return entry;
	}
	return NULL;
}

static const struct tdxupd_entry *find_next(const struct ctl_facts *facts)
{
	const struct tdxupd_plan *plan = facts->plan;

	return plan->step_count
		       ? plan->candidates[plan->steps[plan->step_count - 1]].entry
		       : NULL;
}

/* {now, next}; what is not known, or not going to change, is absent */
static int describe_attest(const struct ctl_facts *facts, struct json_object **ret)
{
	const struct tdxupd_entry *running = find_running(facts);
	const struct tdxupd_entry *next = find_next(facts);
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct json_object *values = NULL;
	int r = json_new_object(&object);

	if (r == 0 && running)
		r = describe_values(running, &values) ?: json_add(object, "now", values);
	if (r == 0 && next)
		r = describe_values(next, &values) ?: json_add(object, "next", values);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

/* ---- show ---- */

static int add_values(struct ctl_table *table, const char *title,
		      struct json_object *values)
{
	static const struct {
		const char *name;
		const char *key;
	} facts[] = {
		{ "  MRSEAM", "mrseam" },
		{ "  SVN", "svn" },
		{ "  TEE_TCB_SVN", "tee_tcb_svn_begins" },
		{ "  Signer", "signer" },
		{ "  Attributes", "attributes" },
	};
	const char *head[] = { title, json_get_text(values, "version") };
	int r = ctl_table_add(table, head, "bold");

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(facts); i++) {
		const char *cells[] = { facts[i].name,
					json_get_text(values, facts[i].key) };

		r = cells[1] ? ctl_table_add(table, cells, NULL) : 0;
	}
	return r;
}

static int print_values(struct ctl *ctl, struct json_object *attest)
{
	struct json_object *now = json_get(attest, "now");
	struct json_object *next = json_get(attest, "next");
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;
	int r = ctl_table_new(ctl, columns, ARRAY_SIZE(columns), false, &table);

	if (r == 0 && now)
		r = add_values(table, "Now", now);
	if (r == 0 && next)
		r = add_values(table, "After the update", next);
	if (r < 0)
		return ctl_fail_memory(ctl);
	if (!now)
		ctl_say(ctl, "Now: unknown, the image of what runs is not here.");
	r = ctl->is_quiet ? CTL_EXIT_OK : ctl_table_print(table);
	if (!ctl->has_no_legend)
		ctl_say(ctl, "\nTDs that run keep the MRSEAM and TEE_TCB_SVN of their "
			     "launch; TEE_TCB_SVN_2\nof all of them moves with the "
			     "update.");
	return r;
}

/* ---- CoRIM ---- */

static int add_digest(struct json_object *measurements, const char *key,
		      const char *digest)
{
	_cleanup_(cleanup_json)
	struct json_object *measurement = NULL;
	_cleanup_(cleanup_json)
	struct json_object *value = NULL;
	_cleanup_(cleanup_json)
	struct json_object *digests = NULL;
	char text[128];
	int r;

	snprintf(text, sizeof(text), "sha-384;%s", digest ? digest : "");
	r = json_new_object(&measurement) ?: json_new_object(&value)
		?: json_new_array(&digests) ?: json_append_text(digests, text)
		?: json_add(value, "digests", TAKE_PTR(digests))
		?: json_add_text(measurement, "key", key)
		?: json_add(measurement, "value", TAKE_PTR(value));
	return r < 0 ? r : json_append(measurements, TAKE_PTR(measurement));
}

/* Verifiers accept an SVN or later. */
static int add_min_svn(struct json_object *measurements, const char *svn)
{
	_cleanup_(cleanup_json)
	struct json_object *measurement = NULL;
	_cleanup_(cleanup_json)
	struct json_object *value = NULL;
	int r;

	r = json_new_object(&measurement) ?: json_new_object(&value)
		?: json_add_number(value, "min-svn", svn ? strtoul(svn, NULL, 16) : 0)
		?: json_add_text(measurement, "key", "svn")
		?: json_add(measurement, "value", TAKE_PTR(value));
	return r < 0 ? r : json_append(measurements, TAKE_PTR(measurement));
}

static int describe_environment(const char *version, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *environment = NULL;
	_cleanup_(cleanup_json)
	struct json_object *class = NULL;
	int r;

	r = json_new_object(&environment) ?: json_new_object(&class)
		?: json_add_text(class, "vendor", "Intel Corporation")
		?: json_add_text(class, "model", "TDX module")
		?: json_add_text(class, "version", version)
		?: json_add(environment, "class", TAKE_PTR(class));
	if (r < 0)
		return r;
	*ret = TAKE_PTR(environment);
	return 0;
}

static int append_triple(struct json_object *triples, struct json_object *values)
{
	_cleanup_(cleanup_json)
	struct json_object *triple = NULL;
	_cleanup_(cleanup_json)
	struct json_object *measurements = NULL;
	struct json_object *environment = NULL;
	int r;

	if (!values)
		return 0;
	r = json_new_object(&triple) ?: json_new_array(&measurements)
		?: describe_environment(json_get_text(values, "version"), &environment)
		?: json_add(triple, "environment", environment)
		?: add_digest(measurements, "mrseam", json_get_text(values, "mrseam"))
		?: add_digest(measurements, "signer", json_get_text(values, "signer"))
		?: add_min_svn(measurements, json_get_text(values, "svn"))
		?: json_add(triple, "measurements", TAKE_PTR(measurements));
	return r < 0 ? r : json_append(triples, TAKE_PTR(triple));
}

/*
 * A CoMID in JSON, shaped as draft-ietf-rats-corim has it: reference-value triples of an
 * environment and its measurements. Not signed, not CBOR: tools for that exist.
 */
static int describe_corim(struct json_object *attest, const char *plan_id,
			  struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *corim = NULL;
	_cleanup_(cleanup_json)
	struct json_object *identity = NULL;
	_cleanup_(cleanup_json)
	struct json_object *triples = NULL;
	_cleanup_(cleanup_json)
	struct json_object *references = NULL;
	char tag[64];
	int r;

	snprintf(tag, sizeof(tag), "tdxupd-%s", plan_id);
	r = json_new_object(&corim) ?: json_new_object(&identity)
		?: json_new_object(&triples) ?: json_new_array(&references)
		?: json_add_text(identity, "id", tag)
		?: json_add_number(identity, "version", 0)
		?: json_add_text(corim, "lang", "en")
		?: json_add(corim, "tag-identity", TAKE_PTR(identity))
		?: append_triple(references, json_get(attest, "now"))
		?: append_triple(references, json_get(attest, "next"))
		?: json_add(triples, "reference-values", TAKE_PTR(references))
		?: json_add(corim, "triples", TAKE_PTR(triples));
	if (r < 0)
		return r;
	*ret = TAKE_PTR(corim);
	return 0;
}

/* ---- verbs ---- */

int ctl_attest_show(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_facts facts = { 0 };
	_cleanup_(cleanup_json)
	struct json_object *attest = NULL;
	int r = ctl_facts_make_plan(ctl, argc > 1 ? argv[1] : NULL, &facts);

	if (r == CTL_EXIT_OK) {
		if (describe_attest(&facts, &attest) < 0)
			r = ctl_fail_memory(ctl);
		else if (ctl->json == CTL_JSON_OFF)
			r = print_values(ctl, attest);
		else
			r = ctl_print_json(ctl, attest);
	}
	ctl_facts_done(&facts);
	return r;
}

int ctl_attest_export(struct ctl *ctl, int argc, char **argv)
{
	struct ctl pretty = *ctl;
	struct ctl_facts facts = { 0 };
	_cleanup_(cleanup_json)
	struct json_object *attest = NULL;
	_cleanup_(cleanup_json)
	struct json_object *corim = NULL;
	int r = ctl_facts_make_plan(ctl, argc > 1 ? argv[1] : NULL, &facts);

	/* JSON is what this is for, whether or not it was asked for. */
	if (ctl->json == CTL_JSON_OFF)
		pretty.json = CTL_JSON_PRETTY;
	if (r == CTL_EXIT_OK)
		r = describe_attest(&facts, &attest) < 0 ||
				    describe_corim(attest, facts.plan->id, &corim) < 0
			    ? ctl_fail_memory(ctl)
			    : ctl_print_json(&pretty, corim);
	ctl_facts_done(&facts);
	return r;
}
