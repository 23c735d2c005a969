// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Random schedules of builds, faults and updates on the daemon's sources of evidence, its
 * gate, barrier and leases, in simulated time. The world knows the truth; the daemon sees
 * of it what a kernel shows that is blind, partial, late, failing or lying. VMs are in
 * schedule-vms.c, the kernel is in schedule-kernel.c, the daemon in schedule-daemon.c.
 *
 *   safe: no commit inside a build that began before the last look, where an exact source
 *         let it go; a build that begins after it is named
 *   live: with VMMs that cooperate, an update is through within its bound; no job waits
 *         under a gate that is shown open
 *   kind: no launch is held beyond the bound, whatever becomes of the daemon
 *
 * TDXUPD_PART says which part of them, TDXUPD_SCHEDULES and TDXUPD_SEED how many and
 * which, TDXUPD_FAULTS which faults there are (see schedule.h); a failure names its seed.
 */
#include <inttypes.h>

#include "test.h"
#include "schedule.h"

/* In each of four parts. The sanitizers make it ten times slower; the plain build is the
 * one that counts. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SCHEDULES 2500
#endif
#endif
#ifndef SCHEDULES
#define SCHEDULES 25000
#endif
const char *schedule_failure;
static int root_fd;

/* ---- faults ---- */

static void fail_something(struct world *world)
{
	unsigned fault = 1U << between(world, 0, FAULT_KINDS - 1);

	world->fault_at = world->now + between(world, 1, 4 * SEC);
	if (!(world->faults & fault) || world->is_unseen)
		return;
	if (fault == FAULT_KERNEL) {
		world->is_kernel_live = !world->is_kernel_live;
		kernel_changed(world);
	} else if (fault == FAULT_PROBES) {
		world->can_have_probes = !world->can_have_probes;
		kernel_drop_probes(world);
	} else if (fault == FAULT_BLIND) {
		world->are_probes_blind = !world->are_probes_blind;
	} else if (fault == FAULT_HIDE) {
		world->is_event_hidden = world->are_probes_placed;
	} else if (fault == FAULT_HANG) {
		world->hung_until = world->now + between(world, 1, 3 * SEC);
	} else if (fault == FAULT_RESTART) {
		stop_daemon(world);
		if (world->faults & FAULT_NAMESPACE)
			kernel_set_namespace(world, !world->is_cgroup_own);
		start_daemon(world);
		/* Calls that waited fail with the connection: those launches go on. */
		for (size_t i = 0; i < VMS; i++)
			if (world->vms[i].state == VM_ASKING)
				create_vm(world, &world->vms[i]);
		world->hung_until = 0;
		world->job_at = world->now;
	}
}

/* ---- the schedule ---- */

static uint64_t next_time(const struct world *world)
{
	uint64_t next =
		world->arrival < world->fault_at ? world->arrival : world->fault_at;
	uint64_t daemon = barrier_get_next(&world->barrier);

	for (size_t i = 0; i < VMS; i++)
		if (world->vms[i].next < next)
			next = world->vms[i].next;
	if (world->commit_end < daemon)
		daemon = world->commit_end;
	if (world->job_at < daemon)
		daemon = world->job_at;
	if (loop_get_next(world) < daemon)
		daemon = loop_get_next(world);
	if (daemon < world->hung_until)
		daemon = world->hung_until;
	if (daemon < next)
		next = daemon;
	return next > world->now ? next : world->now + 1;
}

static bool is_bound_promised(const struct world *world)
{
	return world->all_cooperate && world->is_kernel_live &&
	       !(world->faults & ~(unsigned)FAULT_RESTART);
}

/* The machine stood still and the clock went on. Bounds are of the time that it ran. */
static void sleep_all(struct world *world, uint64_t usec)
{
	world->now += usec;
	world->job_since += usec;
	world->open_since = NEVER;
	for (size_t i = 0; i < VMS; i++)
		world->vms[i].asked += usec;
}

/* The daemon's turn comes before the clients' own clocks, as its bound is shorter.
 */
static void step(struct world *world)
{
	world->now = next_time(world);
	if (!is_bound_promised(world) && chance(world, 1))
		sleep_all(world, between(world, 1, 5 * SEC));
	run_daemon(world);
	for (size_t i = 0; i < VMS; i++)
		if (world->vms[i].next <= world->now)
			go_on_with_vm(world, &world->vms[i]);
	if (world->now >= world->arrival) {
		for (size_t i = 0; i < VMS; i++)
			if (world->vms[i].state == VM_NONE) {
				launch_vm(world, &world->vms[i]);
				break;
			}
		world->arrival = world->now + between(world, 1, 2 * world->arrival_mean);
	}
	if (world->now >= world->fault_at)
		fail_something(world);
	run_daemon(world);
}

static uint64_t bound(const struct world *world)
{
	return (world->is_urgent ? 0 : world->config.drain_after_usec) +
	       world->config.max_usec;
}

static unsigned long get_number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

static unsigned draw_faults(struct world *world)
{
	unsigned possible = (unsigned)get_number("TDXUPD_FAULTS", FAULT_ALL);

	return chance(world, 30) ? 0 : (unsigned)draw(world) & possible;
}

static void set_up(struct world *world, uint64_t seed)
{
	*world = (struct world){ .random = seed, .now = SEC, .root_fd = root_fd };
	for (size_t i = 0; i < VMS; i++)
		world->vms[i].next = NEVER;
	world->all_cooperate = chance(world, 40);
	world->faults = draw_faults(world);
	if (world->all_cooperate && chance(world, 60))
		world->faults &= FAULT_RESTART;
	world->is_urgent = chance(world, 30);
	world->policy = chance(world, 80) ? GATE_STRICT : GATE_OBSERVED;
	world->config.max_usec = between(world, 200 * MSEC, 5 * SEC);
	world->config.drain_after_usec = between(world, 0, 3 * SEC);
	world->arrival_mean = world->config.max_usec / between(world, 1, 20);
	world->arrival = world->now + 1;
	world->fault_at = world->faults ? world->now + between(world, 1, 2 * SEC) : NEVER;
	world->job_at = world->now + between(world, 0, 3 * SEC);
	world->is_kernel_live =
		world->all_cooperate ? chance(world, 80) : chance(world, 30);
	world->can_have_probes = world->faults & FAULT_PROBES ? chance(world, 50) : true;
	kernel_set_namespace(world,
			     (world->faults & FAULT_NAMESPACE) && chance(world, 50));
	kernel_changed(world);
	start_daemon(world);
}

static void run_schedule(struct world *world, uint64_t seed)
{
	schedule_world = world;
	set_up(world, seed);
	for (unsigned i = 0; i < 100 && !schedule_failure; i++) {
		step(world);
		if (world->is_job_waiting && is_bound_promised(world))
			expect(world->now - world->job_since <= bound(world),
			       "an update missed its bound");
	}
	stop_daemon(world);
	kernel_set_namespace(world, false);
	loop_forget();
	schedule_world = NULL;
}

static void test_random_schedules(void **state)
{
	unsigned long n = get_number("TDXUPD_SCHEDULES", SCHEDULES);
	uint64_t seed = get_number("TDXUPD_SEED",
				   1 + (get_number("TDXUPD_PART", 1) - 1) * SCHEDULES);
	uint64_t longest = 0;
	unsigned long commits = 0, updates = 0, held = 0, unsafe = 0, promised = 0,
		      hits = 0;

	(void)state;
	root_fd = kernel_open();
	for (unsigned long i = 0; i < n; i++, seed++) {
		struct world world;

		run_schedule(&world, seed);
		if (schedule_failure)
			fail_msg("%s: TDXUPD_SEED=%" PRIu64
				 " TDXUPD_SCHEDULES=1, at %" PRIu64 " us",
				 schedule_failure, seed, world.now - SEC);
		commits += world.commits;
		updates += world.updates;
		held += world.held;
		unsafe += world.unsafe;
		hits += world.hits;
		promised += is_bound_promised(&world);
		if (world.longest_hold > longest)
			longest = world.longest_hold;
	}
	kernel_close();
	print_message(
		"%lu schedules, %lu with the bound promised: %lu commits, %lu updates, "
		"%lu launches held, at most %" PRIu64 " ms; %lu commits inside a build, "
		"all on hints alone; %lu builds begun after the last look, all named\n",
		n, promised, commits, updates, held, longest / 1000, unsafe, hits);
	/* A test of nothing would pass too. */
	assert_true(n < 1000 || (commits > n / 2 && held > n / 10 && promised > n / 10));
	assert_true(n < 10000 || (unsafe > 0 && hits > 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_schedules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
