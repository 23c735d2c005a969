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
	probe_reader_take(&world->reader, line, strlen(line), world->builds);
}

/* As trace_pipe may give them: neighbours in time in another order, the oldest lost. */
static void drain(struct world *world)
{
	size_t from = 0;

	if ((world->faults & FAULT_LOSS) && world->line_count > 1 && chance(world, 30))
		from = (size_t)between(world, 1, world->line_count - 1);
	if (from)
		take_line(world, "CPU:1 [LOST EVENTS]\n");
	for (size_t i = from; i < world->line_count; i++) {
		if (i + 1 < world->line_count && chance(world, 30) &&
		    world->line_times[i + 1] > world->line_times[i] &&
		    world->line_times[i + 1] - world->line_times[i] < 100) {
			take_line(world, world->lines[i + 1]);
			take_line(world, world->lines[i]);
			i++;
		} else {
			take_line(world, world->lines[i]);
		}
	}
	if (world->has_lost_last)
		take_line(world, "CPU:1 [LOST EVENTS]\n");
	world->has_lost_last = false;
	world->line_count = 0;
}

static void sing(struct world *world, enum probe_call call)
{
	const struct probe_event event = { .kind = PROBE_EVENT_CALL,
					   .call = call,
					   .td = 99,
					   .pid = 7,
					   .usec = world->now };

	if (!world->are_probes_blind)
		probe_canary_take(&world->reader.canary, &event);
}

static void rearm(struct world *world, const char *why)
{
	build_tracker_doubt(world->builds, why);
	world->reader = (struct probe_reader){ 0 };
	world->counts = (struct probe_counts){ 0 };
	world->line_count = 0;
	world->has_lost_last = false;
	world->is_event_hidden = false;
}

/* As watch-probes.c does it, with the parts that it is made of. */
static bool look(struct world *world)
{
	enum probe_look result;

	probe_canary_begin(&world->reader.canary, world->now);
	sing(world, PROBE_CANARY);
	sing(world, PROBE_CANARY_RETURN);
	drain(world);
	if (!probe_canary_is_seen(&world->reader.canary)) {
		build_tracker_doubt(world->builds, "blind");
		return false;
	}
	result = probe_reader_judge(&world->reader, &world->counts);
	if (result == PROBE_LOOK_HIDDEN)
		rearm(world, "hidden");
	return result == PROBE_LOOK_ALL;
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
	if (elders && (world->is_cgroup_own || count_vms(world, VM_BUILDING, VM_RUNNING)))
		return;
	build_tracker_settle(world->builds, world->now);
	if (!world->is_cgroup_own)
		build_tracker_set_population(world->builds,
					     count_vms(world, VM_BUILDING, VM_RUNNING));
}

static bool does_read_fail(struct world *world)
{
	return (world->faults & FAULT_READ) && chance(world, 10);
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

	if (!world->is_kernel_live || does_read_fail(world))
		return;
	ret->count = n;
	ret->state = n ? GATE_CLOSED : GATE_OPEN;
	ret->confidence = GATE_EXACT;
}

static void read_probes(struct watch *watch, struct gate_source *ret)
{
	struct world *world = world_of(watch);
	const struct gate_blocker *blockers;

	if (!world->are_probes_armed || !look(world))
		return;
	try_to_settle(world);
	if (build_tracker_get_doubt(world->builds))
		return;
	ret->count = (uint32_t)build_tracker_list(world->builds, &blockers);
	ret->state = ret->count ? GATE_CLOSED : GATE_OPEN;
	ret->confidence = GATE_EXACT;
	ret->has_tds = build_tracker_count_tds(world->builds, &ret->tds);
}

static void read_leases(struct watch *watch, struct gate_source *ret)
{
	struct world *world = world_of(watch);

	lease_registry_read(world->registry, world->now, ret);
}

static void read_population(struct watch *watch, struct gate_source *ret)
{
	struct world *world = world_of(watch);

	/* watch-population.c takes nothing from a part of the machine. */
	if (world->is_cgroup_own || does_read_fail(world))
		return;
	ret->has_tds = true;
	ret->tds = count_vms(world, VM_BUILDING, VM_RUNNING);
	if (ret->tds)
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

/* Did one let it go that says that it knows? */
static bool is_anybody_sure(struct world *world)
{
	bool is_exact = false;

	for (size_t i = 0; i < world->sources.count; i++)
		is_exact |= world->sources.watches[i]->is_relied_on &&
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
	world->reader = (struct probe_reader){ 0 };
	world->counts = (struct probe_counts){ 0 };
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

static bool is_named(struct world *world, const struct vm *vm)
{
	const struct gate_blocker *blockers;
	size_t count = build_tracker_list_overlap(world->builds, world->commit_at,
						  world->now, true, &blockers);

	for (size_t i = 0; i < count; i++)
		if (blockers[i].pid == (pid_t)vm->number || !blockers[i].pid)
			return true;
	return false;
}

/* A build that began after the last look is hit: whoever let the update go says so. Only
 * the probes have names, or say that they lost track; see watch-*.c for the others. */
static void name_suspects(struct world *world)
{
	if (!world->sources.watches[1]->is_relied_on)
		return;
	look(world);
	for (size_t i = 0; i < VMS; i++) {
		const struct vm *vm = &world->vms[i];

		if (vm->state != VM_BUILDING || vm->began < world->commit_at)
			continue;
		world->hits++;
		expect(is_named(world, vm) || !world->are_probes_armed,
		       "a build that was hit is named nowhere");
	}
}

static void end_update(struct world *world)
{
	name_suspects(world);
	barrier_end(&world->barrier);
	world->commit_end = NEVER;
	world->updates++;
	world->job_at = world->now + between(world, 0, 5 * SEC);
}

void run_daemon(struct world *world)
{
	if (world->now < world->hung_until)
		return;
	/* Somebody displays, and a job that waits looks by the clock. */
	if (world->faults & (FAULT_BLIND | FAULT_HIDE) || chance(world, 20))
		sources_read(&world->sources);
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
		world->commit_at = world->now;
		world->commit_end = world->now + INSTALL;
		barrier_commit(&world->barrier, world->now);
	}
}
