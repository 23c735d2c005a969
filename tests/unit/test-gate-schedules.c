// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Random schedules of builds, faults and updates on the code that decides: gate, barrier,
 * leases and trackers, in simulated time. The world knows the truth; the daemon's side
 * sees of it what sources that fail, lose events and come back let it see.
 *
 *   safe: no commit inside a build while an exact source is live
 *   live: with VMMs that cooperate, an update is through within its bound
 *   kind: no launch is held beyond the bound, whatever becomes of the daemon
 *
 * TDXUPD_SCHEDULES and TDXUPD_SEED say how many and which; a failure names its seed.
 */
#include <inttypes.h>

#include "test.h"
#include "barrier.h"
#include "build-tracker.h"
#include "gate.h"
#include "kvm-tracker.h"
#include "lease.h"
#include "util.h"

/* The sanitizers make it ten times slower; the plain build is the one that counts. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SCHEDULES 10000
#endif
#endif
#ifndef SCHEDULES
#define SCHEDULES 100000
#endif
#define MSEC    UINT64_C(1000)
#define SEC     UINT64_C(1000000)
#define NEVER   UINT64_MAX
#define VMS     10 /* at a time; a slot is a TD's identity, used again and again */
#define LINES   256
#define INSTALL (40 * MSEC)

enum vm_state {
	VM_NONE,
	VM_ASKING,   /* waits for its lease: no VM yet */
	VM_SETTING,  /* a VM, TDH.MNG.INIT is to come */
	VM_BUILDING, /* between TDH.MNG.INIT and TDH.MR.FINALIZE */
	VM_FAILED,   /* TDH.MNG.INIT was refused; its key is not free yet */
	VM_RUNNING,
};

struct vm {
	enum vm_state state;
	uint64_t next; /* when it goes on; NEVER while it waits or hangs */
	bool cooperates;
	bool aborts;
	bool hangs;
	bool is_refused;   /* by TDH.MNG.INIT */
	bool is_busy_once; /* TDH.MR.FINALIZE is */
	bool is_elder; /* there when the probes were last in doubt, has not run since */
	uint64_t setting, building, running; /* how long */
	uint64_t asked;
	struct lease *lease; /* the daemon's, NULL where it knows of none */
	unsigned number;
};

enum fault {
	FAULT_KERNEL = 1,
	FAULT_PROBES = 2,
	FAULT_LOSS = 4,
	FAULT_HANG = 8,
	FAULT_RESTART = 16,
	FAULT_ALL = 31
};

struct world {
	uint64_t random, now;
	/* the schedule */
	unsigned faults;
	bool all_cooperate, is_urgent;
	enum gate_policy policy;
	struct barrier_config config;
	uint64_t arrival_mean, arrival, fault_at, job_at;
	/* the truth */
	struct vm vms[VMS];
	unsigned vm_count, created;
	/* what lies between */
	bool is_kernel_live, are_probes_armed;
	char lines[LINES][160];
	uint64_t line_times[LINES];
	size_t line_count;
	bool has_lost_last;
	/* the daemon */
	uint64_t hung_until;
	bool has_elders;
	unsigned long doubts;
	struct barrier barrier;
	struct lease_registry *registry;
	struct build_tracker *builds;
	struct kvm_tracker *kvm;
	bool is_job_waiting;
	uint64_t job_since, commit_end;
	/* the count */
	unsigned commits, updates, held, unsafe;
	uint64_t longest_hold;
};

static const char *failure;

/* ---- chance ---- */

static uint64_t draw(struct world *world)
{
	uint64_t z = world->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t between(struct world *world, uint64_t low, uint64_t high)
{
	return low + draw(world) % (high - low + 1);
}

static bool chance(struct world *world, unsigned percent)
{
	return draw(world) % 100 < percent;
}

static void expect(bool is_met, const char *what)
{
	if (!is_met && !failure)
		failure = what;
}

/* ---- what the kernel shows ---- */

static void trace(struct world *world, const char *call, const struct vm *vm, bool failed)
{
	size_t i = world->line_count;

	if (!world->are_probes_armed)
		return;
	if (i == LINES) {
		world->has_lost_last = true;
		return;
	}
	world->line_times[i] = world->now;
	snprintf(world->lines[i], sizeof(world->lines[i]),
		 "  a: init: (b-%u  [001] d..1. %" PRIu64 ".%06" PRIu64
		 ": %s: (a+0x1/0x2 <- b) td=0x%zx ret=0x%x",
		 vm->number, world->now / SEC, world->now % SEC, call,
		 (size_t)(vm - world->vms) + 1, failed ? 0x80000203 : 0);
	world->line_count++;
}

static void uevent(struct world *world, const struct vm *vm, bool is_create)
{
	struct kvm_event event = { .is_create = is_create,
				   .pid = (pid_t)vm->number,
				   .created = world->created };

	snprintf(event.vm, sizeof(event.vm), "%u-9", vm->number);
	kvm_tracker_take(world->kvm, &event, world->now);
}

static unsigned count(const struct world *world, enum vm_state from, enum vm_state to)
{
	unsigned n = 0;

	for (size_t i = 0; i < VMS; i++)
		n += world->vms[i].state >= from && world->vms[i].state <= to;
	return n;
}

/* ---- VMs ---- */

static void create_vm(struct world *world, struct vm *vm)
{
	vm->state = VM_SETTING;
	vm->next = world->now + vm->setting;
	world->created++;
	uevent(world, vm, true);
}

static void give_lease_back(struct world *world, struct vm *vm)
{
	if (vm->lease)
		lease_end(world->registry, vm->lease);
	vm->lease = NULL;
}

static void launch(struct world *world, struct vm *vm)
{
	uint64_t longest = (world->config.max_usec - world->config.max_usec / 16) * 7 / 8;

	*vm = (struct vm){
		.number = ++world->vm_count,
		.cooperates = world->all_cooperate || chance(world, 60),
		.aborts = chance(world, 15),
		.is_refused = chance(world, 5),
		.is_busy_once = chance(world, 10),
		.hangs = !world->all_cooperate && chance(world, 3),
		.setting = between(world, 0, longest / 4),
		.building = between(world, 1, longest * 3 / 4),
		.running = between(world, 1, 4 * SEC),
		.asked = world->now,
		.next = NEVER,
	};
	if (chance(world, 10)) /* paused in the middle */
		vm->building = longest * 3 / 4;
	if (chance(world, 10)) /* over before anyone has looked */
		vm->setting = vm->building = between(world, 1, 40);
	if (!vm->cooperates) {
		create_vm(world, vm);
		return;
	}
	/* A daemon that hangs does not even take the call. */
	vm->state = VM_ASKING;
	vm->next = world->now + world->config.max_usec;
	if (world->hung_until <= world->now)
		expect(lease_ask(world->registry, "vm", ":1.1", 1, world->now,
				 &vm->lease) == 0,
		       "a lease was refused");
	if (vm->lease)
		vm->lease->userdata = vm;
}

static void destroy(struct world *world, struct vm *vm)
{
	trace(world, "freeid", vm, false);
	uevent(world, vm, false);
	give_lease_back(world, vm);
	*vm = (struct vm){ .state = VM_NONE, .next = NEVER };
}

static void go_on(struct world *world, struct vm *vm)
{
	switch (vm->state) {
	case VM_ASKING: /* its own clock: it goes without a lease */
		expect(world->now - vm->asked <= world->config.max_usec,
		       "a launch was held beyond the bound");
		expect(world->faults & (FAULT_HANG | FAULT_RESTART),
		       "a client had to count for a daemon that was well");
		give_lease_back(world, vm);
		create_vm(world, vm);
		break;
	case VM_SETTING:
		trace(world, "init", vm, vm->is_refused);
		vm->state = vm->is_refused ? VM_FAILED : VM_BUILDING;
		vm->next = vm->is_refused ? world->now + vm->running
			   : vm->hangs    ? NEVER
					  : world->now + vm->building / 2;
		if (vm->is_refused)
			give_lease_back(world, vm);
		break;
	case VM_BUILDING:
		if (vm->is_busy_once) {
			vm->is_busy_once = false;
			trace(world, "finalize", vm, true);
			vm->next = world->now + vm->building / 2;
			break;
		}
		if (vm->aborts) {
			trace(world, "vpflushdone", vm, false);
			destroy(world, vm);
			break;
		}
		trace(world, "finalize", vm, false);
		vm->state = VM_RUNNING;
		vm->is_elder = false;
		vm->next = world->now + vm->running;
		give_lease_back(world, vm);
		break;
	default:
		trace(world, "vpflushdone", vm, false);
		destroy(world, vm);
	}
}

/* ---- the daemon ---- */

static void start_daemon(struct world *world)
{
	struct lease_limits limits = { .per_sender = 64,
				       .all = 64,
				       .age_usec = 3600 * SEC };

	assert_int_equal(lease_registry_new(&limits, &world->registry), 0);
	assert_int_equal(build_tracker_new(&world->builds), 0);
	assert_int_equal(kvm_tracker_new(SEC, &world->kvm), 0);
	kvm_tracker_doubt(world->kvm, "new", world->now);
	barrier_init(&world->barrier, &world->config);
	world->line_count = 0;
	world->has_elders = false;
	world->are_probes_armed = true;
	world->is_job_waiting = false;
	world->commit_end = NEVER;
}

static void stop_daemon(struct world *world)
{
	lease_registry_free(world->registry);
	build_tracker_free(world->builds);
	kvm_tracker_free(world->kvm);
	for (size_t i = 0; i < VMS; i++)
		world->vms[i].lease = NULL;
}

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
	if (elders == 0 || count(world, VM_BUILDING, VM_RUNNING) == 0)
		build_tracker_settle(world->builds, world->now);
}

static void read_kernel(struct world *world, struct gate_source *ret)
{
	unsigned n = count(world, VM_BUILDING, VM_BUILDING);

	*ret = (struct gate_source){ .state = GATE_UNKNOWN };
	if (!world->is_kernel_live)
		return;
	ret->state = n ? GATE_CLOSED : GATE_OPEN;
	ret->confidence = GATE_EXACT;
}

static void read_probes(struct world *world, struct gate_source *ret)
{
	const struct gate_blocker *blockers;

	*ret = (struct gate_source){ .state = GATE_UNKNOWN };
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

static bool may_commit(struct world *world)
{
	struct gate_source sources[5] = { 0 };
	bool is_exact = false;
	struct gate_verdict verdict;

	read_kernel(world, &sources[0]);
	read_probes(world, &sources[1]);
	lease_registry_read(world->registry, world->now, &sources[2]);
	sources[3].state =
		count(world, VM_BUILDING, VM_RUNNING) ? GATE_UNKNOWN : GATE_OPEN;
	kvm_tracker_read(world->kvm, world->now, &sources[4]);
	verdict = gate_decide(sources, ARRAY_SIZE(sources), world->policy, false);
	if (verdict.decision != GATE_GO)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		is_exact |= sources[i].state != GATE_UNKNOWN &&
			    sources[i].confidence == GATE_EXACT;
	expect(is_exact || world->policy == GATE_OBSERVED, "went without certainty");
	if (count(world, VM_BUILDING, VM_BUILDING)) {
		expect(!is_exact, "a commit inside a build");
		world->unsafe++;
	}
	return true;
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

static void run_daemon(struct world *world)
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

/* ---- faults ---- */

static void fail_something(struct world *world)
{
	unsigned fault = 1U << between(world, 0, 4);

	world->fault_at = world->now + between(world, 1, 4 * SEC);
	if (!(world->faults & fault))
		return;
	if (fault == FAULT_KERNEL) {
		world->is_kernel_live = !world->is_kernel_live;
	} else if (fault == FAULT_PROBES) {
		world->are_probes_armed = !world->are_probes_armed;
		world->line_count = 0;
		build_tracker_doubt(world->builds, "taken away");
	} else if (fault == FAULT_HANG) {
		world->hung_until = world->now + between(world, 1, 3 * SEC);
	} else if (fault == FAULT_RESTART) {
		stop_daemon(world);
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
	if (kvm_tracker_get_next(world->kvm) < daemon)
		daemon = kvm_tracker_get_next(world->kvm);
	if (daemon < world->hung_until)
		daemon = world->hung_until;
	if (daemon < next)
		next = daemon;
	return next > world->now ? next : world->now + 1;
}

static bool is_bound_promised(const struct world *world)
{
	return world->all_cooperate && !(world->faults & ~(unsigned)FAULT_RESTART);
}

/* The machine stood still and the clock went on. Bounds are of the time that it ran. */
static void sleep_all(struct world *world, uint64_t usec)
{
	world->now += usec;
	world->job_since += usec;
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
			go_on(world, &world->vms[i]);
	if (world->now >= world->arrival) {
		for (size_t i = 0; i < VMS; i++)
			if (world->vms[i].state == VM_NONE) {
				launch(world, &world->vms[i]);
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

static void set_up(struct world *world, uint64_t seed)
{
	*world = (struct world){ .random = seed, .now = SEC };
	for (size_t i = 0; i < VMS; i++)
		world->vms[i].next = NEVER;
	world->all_cooperate = chance(world, 40);
	world->faults = chance(world, 30) ? 0 : (unsigned)draw(world) & FAULT_ALL;
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
	world->is_kernel_live = world->faults & FAULT_KERNEL ? chance(world, 50) : true;
	start_daemon(world);
}

static void run_schedule(struct world *world, uint64_t seed)
{
	set_up(world, seed);
	for (unsigned i = 0; i < 120 && !failure; i++) {
		step(world);
		if (world->is_job_waiting && is_bound_promised(world))
			expect(world->now - world->job_since <= bound(world),
			       "an update missed its bound");
	}
	stop_daemon(world);
}

static void test_random_schedules(void **state)
{
	const char *schedules = getenv("TDXUPD_SCHEDULES"),
		   *first = getenv("TDXUPD_SEED");
	unsigned long n = schedules ? strtoul(schedules, NULL, 10) : SCHEDULES;
	uint64_t seed = first ? strtoull(first, NULL, 10) : 1, longest = 0;
	unsigned long commits = 0, updates = 0, held = 0, unsafe = 0, promised = 0;

	(void)state;
	for (unsigned long i = 0; i < n; i++, seed++) {
		struct world world;

		run_schedule(&world, seed);
		if (failure)
			fail_msg("%s: TDXUPD_SEED=%" PRIu64
				 " TDXUPD_SCHEDULES=1, at %" PRIu64 " us",
				 failure, seed, world.now - SEC);
		commits += world.commits;
		updates += world.updates;
		held += world.held;
		unsafe += world.unsafe;
		promised += is_bound_promised(&world);
		if (world.longest_hold > longest)
			longest = world.longest_hold;
	}
	print_message(
		"%lu schedules, %lu with the bound promised: %lu commits, %lu updates, "
		"%lu launches held, at most %" PRIu64 " ms; %lu commits inside a build, "
		"all on hints alone\n",
		n, promised, commits, updates, held, longest / 1000, unsafe);
	/* A test of nothing would pass too. */
	assert_true(n < 1000 || (commits > n / 2 && held > n / 10 && promised > n / 10));
	assert_true(n < 10000 || unsafe > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_schedules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
