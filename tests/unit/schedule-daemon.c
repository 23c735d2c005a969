// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The daemon: the shipped sources of evidence, the gate, the barrier and the leases, and
 * a job that decides when it is told to, and never else. Of uevents and of calls on the
 * bus only what follows from them is real, not how they come.
 */
#include <errno.h>
#include <stdlib.h>

#include "schedule.h"
#include "test.h"
#include "watch.h"

enum {
	KERNEL,
	PROBES,
	LEASES,
};

/* A word that says "go" is looked at again within this, however often a read fails. */
#define PATIENCE_USEC (3 * SEC)

/* ---- leases and KVM ---- */

struct source {
	struct watch base;
	struct world *world;
};

static struct world *world_of(struct watch *watch)
{
	return ((struct source *)watch)->world;
}

static int arm(struct watch *watch, sd_event *event)
{
	(void)watch;
	(void)event;
	return 0;
}

static void read_leases(struct watch *watch, struct gate_source *ret)
{
	struct world *world = world_of(watch);

	lease_registry_read(world->registry, world->now, ret);
}

static int on_kvm_time(sd_event_source *timer, uint64_t usec, void *userdata)
{
	(void)timer;
	(void)usec;
	watch_notify(userdata);
	return 0;
}

/* As watch-kvm.c does it. */
static void read_kvm(struct watch *watch, struct gate_source *ret)
{
	struct world *world = world_of(watch);

	kvm_tracker_read(world->kvm, world->now, ret);
	watch_set_alarm((sd_event *)world, &world->kvm_timer,
			kvm_tracker_get_next(world->kvm), on_kvm_time, watch);
}

static void free_source(struct watch *watch)
{
	free(watch);
}

static const struct watch_ops lease_ops = {
	.name = "leases",
	.arm = arm,
	.read = read_leases,
	.free = free_source,
};

static const struct watch_ops kvm_ops = {
	.name = "kvm",
	.is_fallback = true,
	.arm = arm,
	.read = read_kvm,
	.free = free_source,
};

static void add_own(struct world *world, const struct watch_ops *ops)
{
	struct source *source = calloc(1, sizeof(*source));

	assert_non_null(source);
	source->base.ops = ops;
	source->base.arm_error = -ENODATA;
	source->world = world;
	assert_int_equal(sources_add(&world->sources, &source->base), 0);
}

static void add_sources(struct world *world)
{
	int root_fd = world->root_fd;
	struct watch *watch;

	assert_int_equal(watch_kernel_new(root_fd, &watch), 0);
	assert_int_equal(sources_add(&world->sources, watch), 0);
	assert_int_equal(watch_probes_new(root_fd, &watch), 0);
	assert_int_equal(sources_add(&world->sources, watch), 0);
	add_own(world, &lease_ops);
	assert_int_equal(watch_population_new(root_fd, &watch), 0);
	assert_int_equal(sources_add(&world->sources, watch), 0);
	add_own(world, &kvm_ops);
}

/* ---- the job ---- */

/* Did one let it go that says that it knows? */
static bool is_anybody_sure(const struct world *world)
{
	bool is_exact = false;

	for (size_t i = 0; i < world->sources.count; i++)
		is_exact |= world->sources.watches[i]->is_relied_on &&
			    world->sources.words[i].confidence == GATE_EXACT;
	return is_exact;
}

/* The probes have told of what the kernel leaves out, at a look at which both spoke: a
 * number that nobody has seen beside another contradicts none. */
static void see_through(struct world *world)
{
	const struct gate_source *kernel = &world->sources.words[KERNEL];
	const struct gate_source *probes = &world->sources.words[PROBES];
	unsigned building = count_vms(world, VM_BUILDING, VM_BUILDING);

	if (kernel->state == GATE_UNKNOWN || probes->state != GATE_CLOSED ||
	    probes->count != building)
		return;
	for (size_t i = 0; i < VMS; i++)
		world->vms[i].is_owned_up |= world->vms[i].state == VM_BUILDING;
}

static void display(struct world *world)
{
	sources_read(&world->sources);
	see_through(world);
	world->is_unseen = false;
}

/* A kernel that leaves one out, and nobody who has ever seen it: nobody can know. */
static unsigned count_known_builds(const struct world *world)
{
	unsigned count = 0;

	for (size_t i = 0; i < VMS; i++) {
		const struct vm *vm = &world->vms[i];

		count += vm->state == VM_BUILDING &&
			 (!vm->is_uncounted || vm->is_owned_up);
	}
	return count;
}

static bool may_commit(struct world *world)
{
	struct gate_verdict verdict =
		sources_decide(&world->sources, world->policy, false);
	bool is_exact;

	see_through(world);
	world->is_unseen = false;
	if (verdict.decision != GATE_GO)
		return false;
	is_exact = is_anybody_sure(world);
	expect(is_exact || world->policy == GATE_OBSERVED, "went without certainty");
	if (count_known_builds(world)) {
		expect(!is_exact, "a commit inside a build");
		world->unsafe++;
	}
	return true;
}

static void try_to_commit(struct world *world)
{
	if (!world->is_job_waiting || !may_commit(world))
		return;
	world->commits++;
	world->is_job_waiting = false;
	sources_attend(&world->sources, false);
	world->commit_at = world->now;
	world->commit_end = world->now + INSTALL;
	barrier_commit(&world->barrier, world->now);
}

/* The job first, then whoever displays. */
static void on_changed(void *userdata)
{
	struct world *world = userdata;

	try_to_commit(world);
	display(world);
}

static void begin_to_wait(struct world *world)
{
	world->job_at = NEVER;
	world->is_job_waiting = true;
	world->job_since = world->now;
	world->open_since = NEVER;
	sources_attend(&world->sources, true);
	on_changed(world);
}

/* What anybody is shown, the job goes by. */
static void check_patience(struct world *world)
{
	enum gate_decision shown = gate_decide(world->sources.words, world->sources.count,
					       world->policy, false)
					   .decision;

	if (!world->is_job_waiting || shown != GATE_GO) {
		world->open_since = NEVER;
		return;
	}
	if (world->open_since == NEVER)
		world->open_since = world->now;
	expect(world->now - world->open_since <= PATIENCE_USEC,
	       "a job waits under an open gate");
}

/* ---- on and off ---- */

void start_daemon(struct world *world)
{
	struct lease_limits limits = { .quota = { .per_sender = 64, .all = 64 },
				       .age_usec = 3600 * SEC };

	assert_int_equal(lease_registry_new(&limits, &world->registry), 0);
	assert_int_equal(kvm_tracker_new(SEC, &world->kvm), 0);
	kvm_tracker_doubt(world->kvm, "new", world->now);
	world->sources.changed = on_changed;
	world->sources.userdata = world;
	add_sources(world);
	sources_arm(&world->sources, (sd_event *)world);
	barrier_init(&world->barrier, &world->config);
	world->is_barrier_shut = false;
	world->is_job_waiting = false;
	world->open_since = NEVER;
	world->commit_end = NEVER;
	display(world);
}

void stop_daemon(struct world *world)
{
	lease_registry_free(world->registry);
	world->kvm_timer = sd_event_source_disable_unref(world->kvm_timer);
	kvm_tracker_free(world->kvm);
	sources_done(&world->sources);
	kernel_drop_probes(world);
	for (size_t i = 0; i < VMS; i++) {
		world->vms[i].lease = NULL;
		world->vms[i].is_owned_up = false;
	}
}

/* ---- a turn ---- */

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
		world->has_lease_news = true;
		create_vm(world, vm);
	}
}

static bool is_named(struct world *world, const struct vm *vm)
{
	for (size_t i = 0; i < world->sources.count; i++) {
		const struct gate_blocker *blockers = NULL;
		size_t count =
			watch_list_overlap(world->sources.watches[i], world->commit_at,
					   world->now, &blockers);

		for (size_t j = 0; j < count; j++)
			if (blockers[j].pid == (pid_t)vm->number || !blockers[j].pid)
				return true;
	}
	return false;
}

/* A build that began after the last look is hit: whoever let the update go says so. */
static void name_suspects(struct world *world)
{
	if (!is_anybody_sure(world))
		return;
	for (size_t i = 0; i < VMS; i++) {
		const struct vm *vm = &world->vms[i];

		if (vm->state != VM_BUILDING || vm->began < world->commit_at ||
		    vm->is_unheard || vm->is_uncounted)
			continue;
		world->hits++;
		expect(is_named(world, vm), "a build that was hit is named nowhere");
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

static void run_barrier(struct world *world)
{
	bool is_shut;

	if (world->is_job_waiting)
		barrier_want(&world->barrier, world->now, world->is_urgent);
	barrier_tick(&world->barrier, world->now);
	is_shut = barrier_is_shut(&world->barrier, world->now);
	world->has_lease_news |= is_shut != world->is_barrier_shut;
	world->is_barrier_shut = is_shut;
	grant_leases(world);
}

/* As the lease desk's bell and the uevents' socket have it. */
static void hear(struct world *world)
{
	bool has_news = world->has_lease_news || world->has_kvm_news;

	world->has_lease_news = world->has_kvm_news = false;
	if (has_news)
		watch_notify(world->sources.watches[LEASES]);
}

void run_daemon(struct world *world)
{
	if (world->now < world->hung_until)
		return;
	if (chance(world, 10))
		display(world);
	if (world->now >= world->commit_end)
		end_update(world);
	if (world->now >= world->job_at)
		begin_to_wait(world);
	run_barrier(world);
	hear(world);
	loop_run(world);
	check_patience(world);
}
