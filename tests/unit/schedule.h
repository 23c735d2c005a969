/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SCHEDULE_H
#define SCHEDULE_H

/* What test-gate-schedules.c plays: VMs, a kernel, and the daemon that looks at them. */
#include <systemd/sd-event.h>

#include "barrier.h"
#include "gate.h"
#include "kvm-tracker.h"
#include "lease.h"
#include "probe-state.h"
#include "sources.h"

#define MSEC    UINT64_C(1000)
#define SEC     UINT64_C(1000000)
#define NEVER   UINT64_MAX
#define VMS     10  /* at a time; a slot is a TD's identity, used again and again */
#define LINES   256 /* of the trace */
#define INSTALL (40 * MSEC)

enum vm_state {
	VM_NONE,
	VM_ASKING,   /* waits for its lease: no VM yet */
	VM_SETTING,  /* a VM, TDH.MNG.INIT is to come */
	VM_BUILDING, /* between TDH.MNG.INIT and TDH.MR.FINALIZE */
	VM_FAILED,   /* TDH.MNG.INIT was refused; its key is not free yet */
	VM_RUNNING,
};

/*
 * @is_unlisted: an older VM holds its name, so debugfs shows none of it
 * @is_unheard: it began while somebody had the probes off, between two looks
 * @is_uncounted: the kernel's own number leaves it out
 * @is_owned_up: and the daemon saw that it does
 */
struct vm {
	enum vm_state state;
	uint64_t next; /* when it goes on; NEVER while it waits or hangs */
	bool cooperates;
	bool aborts;
	bool hangs;
	bool is_refused;   /* by TDH.MNG.INIT */
	bool is_busy_once; /* TDH.MR.FINALIZE is */
	bool is_unlisted;
	bool is_unheard;
	bool is_uncounted;
	bool is_owned_up;
	uint64_t setting, building, running; /* how long */
	uint64_t asked;
	uint64_t began;      /* its build */
	struct lease *lease; /* the daemon's, NULL where it knows of none */
	unsigned number;
};

enum fault {
	FAULT_KERNEL = 1, /* tds_building comes late, goes, and comes again */
	FAULT_PROBES = 2, /* probes can be placed late, are taken away */
	FAULT_LOSS = 4,
	FAULT_HANG = 8,
	FAULT_RESTART = 16,
	FAULT_BLIND = 32,      /* probes do not run: ftrace_enabled, kprobes/enabled */
	FAULT_HIDE = 64,       /* they run, and a filter or a list of pids hides events */
	FAULT_NAMESPACE = 128, /* the number of TDs is of a part of the machine */
	FAULT_READ = 256,      /* reads fail now and then */
	FAULT_FLICKER = 512,   /* probes are off and on again between two looks */
	FAULT_SHORT = 1024,    /* debugfs does not show each VM */
	FAULT_LIE = 2048,      /* tds_building leaves some out */
	FAULT_ALL = 4095
};

#define FAULT_KINDS 12

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
	/* what lies between: see schedule-kernel.c */
	bool is_kernel_live, has_kernel_news, can_have_probes, are_probes_placed;
	bool are_probes_blind, is_event_hidden, is_cgroup_own;
	bool is_unseen; /* what the daemon could not know before its next look */
	bool are_files_old;
	struct probe_counts counts;
	char lines[LINES][160];
	uint64_t line_times[LINES];
	size_t line_count;
	bool has_lost_last;
	/* the daemon */
	int root_fd;
	uint64_t hung_until;
	struct barrier barrier;
	struct lease_registry *registry;
	bool has_lease_news, has_kvm_news;
	struct kvm_tracker *kvm;
	sd_event_source *kvm_timer;
	struct sources sources;
	bool is_job_waiting, is_barrier_shut;
	uint64_t job_since, open_since, commit_at, commit_end;
	/* the count */
	unsigned commits, updates, held, unsafe, hits;
	uint64_t longest_hold;
};

/* What went wrong first, NULL while nothing has. */
extern const char *schedule_failure;
/* The one that is played: the system calls and the event loop know no other. */
extern struct world *schedule_world;

static inline uint64_t draw(struct world *world)
{
	uint64_t z = world->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline uint64_t between(struct world *world, uint64_t low, uint64_t high)
{
	return low + draw(world) % (high - low + 1);
}

static inline bool chance(struct world *world, unsigned percent)
{
	return draw(world) % 100 < percent;
}

static inline void expect(bool is_met, const char *what)
{
	if (!is_met && !schedule_failure)
		schedule_failure = what;
}

/* ---- VMs ---- */

/* VMs in one of these states. */
unsigned count_vms(const struct world *world, enum vm_state from, enum vm_state to);
/* A VMM starts, and asks for a lease first if it is one that does. */
void launch_vm(struct world *world, struct vm *vm);
/* It need not wait for a lease any longer. */
void create_vm(struct world *world, struct vm *vm);
/* What comes next for it. */
void go_on_with_vm(struct world *world, struct vm *vm);

/* ---- the kernel ---- */

/* The directory that stands for the machine. */
int kernel_open(void);
void kernel_close(void);
/* Somebody gives the daemon another cgroup namespace, before it starts. */
void kernel_set_namespace(struct world *world, bool is_own);
void kernel_trace(struct world *world, enum probe_call call, const struct vm *vm,
		  bool failed);
/* The numbers in its files are other ones now. */
void kernel_changed(struct world *world);
/* Somebody takes the probes away. */
void kernel_drop_probes(struct world *world);

/* ---- the event loop ---- */

/* All that is due. */
void loop_run(struct world *world);
/* When it has something to do. */
uint64_t loop_get_next(const struct world *world);
void loop_forget(void);

/* ---- the daemon ---- */

void start_daemon(struct world *world);
void stop_daemon(struct world *world);
/* All that is due, unless it hangs. */
void run_daemon(struct world *world);

#endif
