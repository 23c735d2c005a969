// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How long an update waits on a host that builds TDs all day, and whom it hurts: churn
 * [RUNS [SEED]] prints one line for each way and load, for people and for gnuplot.
 *
 * Builds come as a Poisson process and last exponentially long, a second in the mean, so
 * that the utilisation is the mean number under build. Time is simulated; what decides in
 * the daemon's two ways is the daemon's own code. The three others are what people write:
 * a look each second, the same with pauses that double up to a minute, no look at all.
 */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "barrier.h"
#include "gate.h"
#include "lease.h"
#include "util.h"

#define SEC        1000000.0
#define BUILD_MEAN 1.0 /* seconds; utilisation = arrivals a second */
#define BUILDS_MAX 256
#define LIMIT      (60.0 * 86400) /* seconds: given up then, and counted so */

/* A script gives the kernel 2 MiB and commits; 25 ms on the simulated host. */
#define UPLOAD_SEC 0.025

/* From the last look to the shutdown of the old module, staged beforehand: see latency. A
 * build may still begin in it, but for those that wait for a lease. */
#define COMMIT_SEC 0.001

enum way {
	POLL,
	BACKOFF,
	BLIND,
	OBSERVE,
	BARRIER,
	DRAIN,
	_WAY_MAX
};

static const char *const names[] = {
	[POLL] = "poll-1s",           [BACKOFF] = "poll-backoff",
	[BLIND] = "just-upload",      [OBSERVE] = "tdxupdd-observing",
	[BARRIER] = "tdxupdd-leases", [DRAIN] = "tdxupdd-drain",
};

/* @held: launches that wait for the barrier, by the time at which they came */
struct world {
	uint64_t random;
	double rate;
	double now;
	double arrival;
	unsigned building;
	double ends[BUILDS_MAX];
	struct lease *leases[BUILDS_MAX];
	struct lease_registry *registry;
	struct barrier barrier;
	double longest_hold;
};

struct outcome {
	double waited;
	unsigned wrong;
	double longest_hold;
};

/* ---- chance ---- */

static double draw(struct world *world)
{
	uint64_t z = world->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

static double draw_span(struct world *world, double mean)
{
	return -log(draw(world)) * mean;
}

/* ---- builds ---- */

static uint64_t usec(const struct world *world)
{
	return (uint64_t)(world->now * SEC) + 1;
}

static void begin(struct world *world, struct lease *lease)
{
	if (world->building == BUILDS_MAX)
		abort();
	world->leases[world->building] = lease;
	world->ends[world->building++] = world->now + draw_span(world, BUILD_MEAN);
}

static void end(struct world *world, unsigned i)
{
	if (world->leases[i])
		lease_end(world->registry, world->leases[i]);
	world->building--;
	world->ends[i] = world->ends[world->building];
	world->leases[i] = world->leases[world->building];
}

static void arrive(struct world *world, bool takes_leases)
{
	struct lease *lease;

	world->arrival = world->now + draw_span(world, 1 / world->rate);
	if (!takes_leases)
		begin(world, NULL);
	else if (lease_ask(world->registry, "vm", ":1.1", 0, 1, usec(world), &lease) < 0)
		abort();
}

static void grant_leases(struct world *world)
{
	struct lease *lease;

	while (!barrier_is_shut(&world->barrier, usec(world)) &&
	       (lease = lease_get_first_waiting(world->registry))) {
		double held = (double)(usec(world) - lease->asked_usec) / SEC;

		if (held > world->longest_hold)
			world->longest_hold = held;
		lease_grant(lease, usec(world));
		begin(world, lease);
	}
}

static unsigned first_end(const struct world *world)
{
	unsigned first = 0;

	for (unsigned i = 1; i < world->building; i++)
		if (world->ends[i] < world->ends[first])
			first = i;
	return first;
}

/* On to the next event or to @until, whichever comes first. */
static void step(struct world *world, double until, bool takes_leases)
{
	unsigned first = first_end(world);
	double next = world->building ? world->ends[first] : INFINITY;

	if (until <= next && until <= world->arrival) {
		world->now = until;
	} else if (next <= world->arrival) {
		world->now = next;
		end(world, first);
	} else {
		world->now = world->arrival;
		arrive(world, takes_leases);
	}
}

static void run_until(struct world *world, double until)
{
	while (world->now < until)
		step(world, until, false);
}

/* ---- the ways ---- */

/* The look, and the upload after it, in which a build may begin. */
static void poll_and_upload(struct world *world, double pause, double pause_max)
{
	while (world->building && world->now < LIMIT) {
		run_until(world, world->now + pause);
		pause = pause * 2 < pause_max ? pause * 2 : pause_max;
	}
	run_until(world, world->now + UPLOAD_SEC);
}

static bool is_open(struct world *world)
{
	struct gate_source sources[2] = { 0 };

	sources[0].state = world->building ? GATE_CLOSED : GATE_OPEN;
	sources[0].confidence = GATE_EXACT;
	lease_registry_read(world->registry, usec(world), &sources[1]);
	return gate_decide(sources, ARRAY_SIZE(sources), GATE_STRICT, false).decision ==
	       GATE_GO;
}

static void wait_for_gap(struct world *world, bool has_barrier, bool is_urgent)
{
	if (has_barrier)
		barrier_want(&world->barrier, usec(world), is_urgent);
	while (!is_open(world) && world->now < LIMIT) {
		uint64_t next = barrier_get_next(&world->barrier);

		step(world, next == UINT64_MAX ? INFINITY : (double)next / SEC,
		     has_barrier);
		barrier_tick(&world->barrier, usec(world));
		grant_leases(world);
	}
	if (!has_barrier)
		run_until(world, world->now + COMMIT_SEC);
}

/* As many under build as there are at any time: a Poisson number. */
static void set_up(struct world *world, enum way way, double utilisation, uint64_t seed)
{
	struct lease_limits limits = { .quota = { .per_sender = BUILDS_MAX,
						  .all = BUILDS_MAX },
				       .age_usec = (uint64_t)(900 * SEC) };
	struct barrier_config times = { .drain_after_usec = (uint64_t)(60 * SEC),
					.max_usec = (uint64_t)(5 * SEC) };
	double product = 1;

	*world = (struct world){ .random = seed, .rate = utilisation / BUILD_MEAN };
	barrier_init(&world->barrier, &times);
	if (lease_registry_new(&limits, &world->registry) < 0)
		abort();
	world->arrival = draw_span(world, 1 / world->rate);
	while ((product *= draw(world)) > exp(-utilisation))
		arrive(world, way == BARRIER || way == DRAIN);
	world->arrival = draw_span(world, 1 / world->rate);
	grant_leases(world);
}

static struct outcome run(enum way way, double utilisation, uint64_t seed)
{
	struct outcome outcome;
	struct world world;

	set_up(&world, way, utilisation, seed);
	if (way == POLL)
		poll_and_upload(&world, 1, 1);
	else if (way == BACKOFF)
		poll_and_upload(&world, 1, 60);
	else if (way == BLIND)
		run_until(&world, UPLOAD_SEC);
	else
		wait_for_gap(&world, way != OBSERVE, way == DRAIN);
	outcome = (struct outcome){
		.waited = world.now,
		.wrong = world.building,
		.longest_hold = world.longest_hold,
	};
	lease_registry_free(world.registry);
	return outcome;
}

/* ---- the table ---- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * What the theory says of the mean wait, where it does; see docs/gate.md. The number
 * under build is a Poisson number: a look finds none with probability e^-u. Whoever is
 * told waits from a moment like any other to the first gap: the sum of u^k / (k * k!).
 */
static double expect(enum way way, double utilisation)
{
	double sum = 0, term = 1;

	if (way == POLL)
		return exp(utilisation) - 1 + UPLOAD_SEC;
	if (way == BLIND)
		return UPLOAD_SEC;
	if (way != OBSERVE)
		return NAN;
	for (unsigned k = 1; k < 100; k++) {
		term *= utilisation / k;
		sum += term / k;
	}
	return sum * BUILD_MEAN + COMMIT_SEC;
}

static void report(enum way way, double utilisation, unsigned runs, uint64_t seed)
{
	double *waits = calloc(runs, sizeof(*waits));
	double sum = 0, longest_hold = 0, wrong = 0, theory = expect(way, utilisation);
	char expected[32] = "-";

	if (!waits)
		abort();
	for (unsigned i = 0; i < runs; i++) {
		struct outcome outcome = run(way, utilisation, seed + i * 977);

		waits[i] = outcome.waited;
		sum += outcome.waited;
		wrong += outcome.wrong;
		if (outcome.longest_hold > longest_hold)
			longest_hold = outcome.longest_hold;
	}
	qsort(waits, runs, sizeof(*waits), compare);
	if (!isnan(theory))
		snprintf(expected, sizeof(expected), "%.2f", theory);
	printf("%-18s %4.0f %12.2f %12.2f %12.2f %12s %8.3f %6.2f\n", names[way],
	       utilisation, sum / runs, waits[runs / 2], waits[runs * 99 / 100], expected,
	       wrong / runs, longest_hold);
	fflush(stdout);
	free(waits);
}

int main(int argc, char **argv)
{
	static const double utilisations[] = { 1, 3, 5, 8 };
	unsigned runs = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 300;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

	if (!runs)
		return 2;
	printf("# %u runs each, seed %" PRIu64 "; times in seconds\n", runs, seed);
	printf("# %-16s %4s %12s %12s %12s %12s %8s %6s\n", "way", "load", "mean",
	       "median", "p99", "theory", "wrong", "held");
	for (int way = 0; way < _WAY_MAX; way++)
		for (size_t i = 0; i < ARRAY_SIZE(utilisations); i++)
			report((enum way)way, utilisations[i], runs, seed);
	return 0;
}
