// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The daemon's deciding side: the real gate, barrier, leases and trackers, on sources
 * that see what the world lets them see. As sources.c has it, each is asked when it
 * matters.
 */
#include <stdlib.h>

#include "test.h"
#include "probe-line.h"
#include "schedule.h"
#include "watch.h"

/* ---- what the probes tell ---- */

static void take_line(struct world *world, const char *line)
{
	struct probe_event event;

	expect(probe_line_parse(line, &event) == 0, "a line could not be read");
	build_tracker_take(world->builds, &event);
}

/* As trace_pipe may give them: neighbours in time in another order, the oldest lost. */
static void drain(struct world *world)
{
	size_t from = 0;

	if ((world->faults & FAULT_LOSS) && world->line_count > 1 && chance(world, 30))
		from = (size_t)between(world, 1, world->line_count - 1);
	if (from)
		take_line(world, "CPU:1 [LOST EVENTS]");
	for (size_t i = from; i < world->line_count; i++) {
		if (i + 1 < world->line_count && chance(world, 30) &&
		    world->line_times[i + 1] - world->line_times[i] < 100) {
			take_line(world, world->lines[i + 1]);
			take_line(world, world->lines[i]);
			i++;
		} else {
			take_line(world, world->lines[i]);
		}
	}
	if (world->has_lost_last)
		take_line(world, "CPU:1 [LOST EVENTS]");
	world->has_lost_last = false;
	world->line_count = 0;
}

/* As watch-probes.c does it. */
static void try_to_settle(struct world *world)
{
	unsigned elders = 0;

	if (!build_tracker_get_doubt(world->builds))
		return;
	if (!world->has_elders ||
	    world->doubts != build_tracker_count_doubts(world->builds)) {
		world->has_elders = true;
		world->doubts = build_tracker_count_doubts(world->builds);
		for (size_t i = 0; i < VMS; i++)
			world->vms[i].is_elder = world->vms[i].state == VM_SETTING ||
						 world->vms[i].state == VM_BUILDING;
	}
	for (size_t i = 0; i < VMS; i++)
		elders += world->vms[i].is_elder;
	if (elders == 0 || count_vms(world, VM_BUILDING, VM_RUNNING) == 0)
		build_tracker_settle(world->builds, world->now);
}

/* ---- the sources ---- */

struct source {
	struct watch base;
	struct world *world;
};

static struct world *world_of(struct watch *watch)
{
	return ((struct source *)watch)->world;
}

static void read_kernel(struct watch *watch, struct gate_source *ret)
{
	struct world *world = world_of(watch);
	unsigned n = count_vms(world, VM_BUILDING, VM_BUILDING);

	if (!world->is_kernel_live)
		return;
	ret->state = n ? GATE_CLOSED : GATE_OPEN;
	ret->confidence = GATE_EXACT;
}

static void read_probes(struct watch *watch, struct gate_source *ret)
{
	struct world *world = world_of(watch);
	const struct gate_blocker *blockers;

	if (!world->are_probes_armed)
		return;
	drain(world);
	try_to_settle(world);
	if (build_tracker_get_doubt(world->builds))
		return;
	ret->state =
		build_tracker_list(world->builds, &blockers) ? GATE_CLOSED : GATE_OPEN;
	ret->confidence = GATE_EXACT;
}

static void read_leases(struct watch *watch, struct gate_source *ret)
{
	struct world *world = world_of(watch);

	lease_registry_read(world->registry, world->now, ret);
}

static void read_population(struct watch *watch, struct gate_source *ret)
{
	if (count_vms(world_of(watch), VM_BUILDING, VM_RUNNING))
		return;
	ret->state = GATE_OPEN;
	ret->confidence = GATE_EXACT;
}

static void read_kvm(struct watch *watch, struct gate_source *ret)
{
	struct world *world = world_of(watch);

	kvm_tracker_read(world->kvm, world->now, ret);
}

static void free_source(struct watch *watch)
{
	free(watch);
}

static const struct watch_ops all_ops[] = {
	{ .name = "kernel", .read = read_kernel, .free = free_source },
	{ .name = "probes", .read = read_probes, .free = free_source },
	{ .name = "leases", .read = read_leases, .free = free_source },
	{ .name = "population",
	  .is_fallback = true,
	  .read = read_population,
	  .free = free_source },
	{ .name = "kvm", .is_fallback = true, .read = read_kvm, .free = free_source },
};

static void add_sources(struct world *world)
{
	for (size_t i = 0; i < ARRAY_SIZE(all_ops); i++) {
		struct source *source = calloc(1, sizeof(*source));

		assert_non_null(source);
		source->base.ops = &all_ops[i];
		source->world = world;
		assert_int_equal(sources_add(&world->sources, &source->base), 0);
	}
}

/* Of those that were asked: a word that is left from another time says nothing. */
static bool is_anybody_sure(struct world *world)
{
	bool is_exact = false;

	sources_read(&world->sources);
	for (size_t i = 0; i < world->sources.count; i++)
		is_exact |= world->sources.words[i].state != GATE_UNKNOWN &&
			    world->sources.words[i].confidence == GATE_EXACT;
	return is_exact;
}

static bool may_commit(struct world *world)
{
	bool is_exact;

	if (sources_decide(&world->sources, world->policy, false).decision != GATE_GO)
		return false;
	is_exact = is_anybody_sure(world);
	expect(is_exact || world->policy == GATE_OBSERVED, "went without certainty");
	if (count_vms(world, VM_BUILDING, VM_BUILDING)) {
		expect(!is_exact, "a commit inside a build");
		world->unsafe++;
	}
	return true;
}

/* ---- on and off ---- */

void start_daemon(struct world *world)
{
	struct lease_limits limits = { .quota = { .per_sender = 64, .all = 64 },
				       .age_usec = 3600 * SEC };

	assert_int_equal(lease_registry_new(&limits, &world->registry), 0);
	assert_int_equal(build_tracker_new(&world->builds), 0);
	assert_int_equal(kvm_tracker_new(SEC, &world->kvm), 0);
	kvm_tracker_doubt(world->kvm, "new", world->now);
	add_sources(world);
	barrier_init(&world->barrier, &world->config);
	world->line_count = 0;
	world->has_elders = false;
	world->are_probes_armed = true;
	world->is_job_waiting = false;
	world->commit_end = NEVER;
}

void stop_daemon(struct world *world)
{
	lease_registry_free(world->registry);
	build_tracker_free(world->builds);
	kvm_tracker_free(world->kvm);
	sources_done(&world->sources);
	for (size_t i = 0; i < VMS; i++)
		world->vms[i].lease = NULL;
}

static void grant_leases(struct world *world)
{
	struct lease *lease;

	while (!barrier_is_shut(&world->barrier, world->now) &&
	       (lease = lease_get_first_waiting(world->registry))) {
		struct vm *vm = lease->userdata;
		uint64_t held = world->now - vm->asked;

		if (held)
			world->held++;
		if (held > world->longest_hold)
			world->longest_hold = held;
		expect(held <= world->config.max_usec,
		       "a launch was held beyond the bound");
		lease_grant(lease, world->now);
		create_vm(world, vm);
	}
}

static void end_update(struct world *world)
{
	barrier_end(&world->barrier);
	world->commit_end = NEVER;
	world->updates++;
	world->job_at = world->now + between(world, 0, 5 * SEC);
}

void run_daemon(struct world *world)
{
	if (world->now < world->hung_until)
		return;
	if (world->now >= world->commit_end)
		end_update(world);
	if (world->now >= world->job_at) {
		world->job_at = NEVER;
		world->is_job_waiting = true;
		world->job_since = world->now;
	}
	if (world->is_job_waiting)
		barrier_want(&world->barrier, world->now, world->is_urgent);
	barrier_tick(&world->barrier, world->now);
	grant_leases(world);
	if (world->is_job_waiting && may_commit(world)) {
		world->commits++;
		world->is_job_waiting = false;
		world->commit_end = world->now + INSTALL;
		barrier_commit(&world->barrier, world->now);
	}
}
