// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One of the daemon's gate sources on its own, for the guest: watch-source
 * probes|kvm|population ROOT [SETTLE-SECONDS] prints its word and again after each
 * change, as somebody who waits, until SIGTERM.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sources.h"

#define SETTLE_SEC 2

/* As a job that waits: it decides, and what it was told shows in the words. */
static void print_word(void *userdata)
{
	struct sources *sources = userdata;
	const struct gate_source *source = &sources->words[0];

	sources_decide(sources, GATE_OBSERVED, false);
	printf("%s %s %u%s%s%s%s\n", gate_state_to_string(source->state),
	       gate_confidence_to_string(source->confidence), source->count,
	       source->blocker_count ? " " : "",
	       source->blocker_count ? source->blockers[0].who : "",
	       *source->reason ? " " : "", source->reason);
	fflush(stdout);
}

static int add_signal(sd_event *event)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
}

static int new_watch(const char *name, int root, uint64_t settle_usec, struct watch **ret)
{
	if (strcmp(name, "kvm") == 0)
		return watch_kvm_new(root, settle_usec, ret);
	if (strcmp(name, "population") == 0)
		return watch_population_new(root, ret);
	return watch_probes_new(root, ret);
}

int main(int argc, char **argv)
{
	struct sources sources = { .changed = print_word, .userdata = &sources };
	struct watch *watch = NULL;
	sd_event *event = NULL;
	uint64_t settle_usec =
		(argc == 4 ? strtoul(argv[3], NULL, 10) : SETTLE_SEC) * 1000000;
	int root, r;

	root = argc >= 3 ? open(argv[2], O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (root < 0 || sd_event_new(&event) < 0 || add_signal(event) < 0)
		return 2;
	r = new_watch(argv[1], root, settle_usec, &watch);
	if (r < 0 || sources_add(&sources, watch) < 0)
		return 2;
	sources_arm(&sources, event);
	sources_attend(&sources, true);
	print_word(&sources);
	r = sd_event_loop(event);
	sources_done(&sources);
	sd_event_unref(event);
	return r < 0;
}
