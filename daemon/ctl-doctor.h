/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include "ctl-facts.h"

enum doctor_state {
	DOCTOR_OK,
	DOCTOR_WARN, /* works without, less well */
	DOCTOR_BAD,  /* no update until this is put right */
	DOCTOR_UNKNOWN,
	_DOCTOR_STATE_MAX,
	_DOCTOR_STATE_INVALID = -22,
};
const char *doctor_state_to_string(enum doctor_state state);

/* @found: what is so; @next: what to do about it, empty where nothing is to be done */
struct doctor_finding {
	enum doctor_state state;
	char found[512];
	char next[512];
};

/*
 * What the checks look at. @config_why, @catalog_why: why the configuration or the images
 * can't be read, NULL where they can; @plan: NULL where none can be made; @daemon: its
 * properties, NULL where it does not run
 */
struct doctor_patient {
	int root_fd;
	const struct ctl_facts *facts;
	char *config_why;
	char *catalog_why;
	struct json_object *plan;
	struct json_object *daemon;
};

/* @code: what doctor leaves with where this is the first that is bad */
struct doctor_check {
	const char *name;
	enum ctl_exit code;
	void (*look)(const struct doctor_patient *patient, struct doctor_finding *ret);
};

/* What a check found. @next and @format are ours. */
void doctor_say(struct doctor_finding *ret, enum doctor_state state, const char *next,
		const char *format, ...) _printf_(4, 5);

void doctor_look_at_config(const struct doctor_patient *patient,
			   struct doctor_finding *ret);
void doctor_look_at_holds(const struct doctor_patient *patient,
			  struct doctor_finding *ret);
void doctor_look_at_images(const struct doctor_patient *patient,
			   struct doctor_finding *ret);
void doctor_look_at_plan(const struct doctor_patient *patient,
			 struct doctor_finding *ret);
void doctor_look_at_units(const struct doctor_patient *patient,
			  struct doctor_finding *ret);
void doctor_look_at_daemon(const struct doctor_patient *patient,
			   struct doctor_finding *ret);
void doctor_look_at_lacks(const struct doctor_patient *patient,
			  struct doctor_finding *ret);
void doctor_look_at_sources(const struct doctor_patient *patient,
			    struct doctor_finding *ret);
void doctor_look_at_gate(const struct doctor_patient *patient,
			 struct doctor_finding *ret);

/* In the order in which one puts a host right: hardware first. */
extern const struct doctor_check doctor_checks[];
extern const size_t doctor_check_count;

#endif
