// SPDX-License-Identifier: LGPL-2.1-or-later
/* VMs that start, build their TD, give up, hang and end. */
#include <stdio.h>

#include "schedule.h"

static void uevent(struct world *world, const struct vm *vm, bool is_create)
{
	struct kvm_event event = { .is_create = is_create,
				   .pid = (pid_t)vm->number,
				   .created = world->created };

	snprintf(event.vm, sizeof(event.vm), "%u-9", vm->number);
	kvm_tracker_take(world->kvm, &event, world->now);
	world->has_kvm_news = true;
}

unsigned count_vms(const struct world *world, enum vm_state from, enum vm_state to)
{
	unsigned n = 0;

	for (size_t i = 0; i < VMS; i++)
		n += world->vms[i].state >= from && world->vms[i].state <= to;
	return n;
}

void create_vm(struct world *world, struct vm *vm)
{
	vm->state = VM_SETTING;
	vm->next = world->now + vm->setting;
	world->created++;
	uevent(world, vm, true);
}

static void give_lease_back(struct world *world, struct vm *vm)
{
	if (!vm->lease)
		return;
	lease_end(world->registry, vm->lease);
	vm->lease = NULL;
	world->has_lease_news = true;
}

void launch_vm(struct world *world, struct vm *vm)
{
	uint64_t longest = (world->config.max_usec - world->config.max_usec / 16) * 7 / 8;

	*vm = (struct vm){
		.number = ++world->vm_count,
		.cooperates = world->all_cooperate || chance(world, 60),
		.aborts = chance(world, 15),
		.is_refused = chance(world, 5),
		.is_busy_once = chance(world, 10),
		.is_unlisted = (world->faults & FAULT_SHORT) && chance(world, 20),
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
		expect(lease_ask(world->registry, "vm", ":1.1", 0, 1, world->now,
				 &vm->lease) == 0,
		       "a lease was refused");
	if (vm->lease)
		vm->lease->userdata = vm;
}

static void destroy(struct world *world, struct vm *vm)
{
	kernel_trace(world, PROBE_FREEID, vm, false);
	uevent(world, vm, false);
	give_lease_back(world, vm);
	*vm = (struct vm){ .state = VM_NONE, .next = NEVER };
}

/* What nobody can know who has not looked by then is no matter of the daemon's: each of
 * these is asked only of one that has what it takes to find it out. */
static void deceive(struct world *world, struct vm *vm)
{
	const struct gate_source *probes = &world->sources.words[1];
	bool can_hear = world->are_probes_placed && !world->are_probes_blind &&
			!world->is_event_hidden && !world->is_unseen;

	if ((world->faults & FAULT_FLICKER) && can_hear && probes->has_tds &&
	    !world->is_cgroup_own && chance(world, 20))
		vm->is_unheard = world->is_unseen = true;
	else if ((world->faults & FAULT_LIE) && world->is_kernel_live && can_hear &&
		 probes->confidence == GATE_EXACT && chance(world, 20))
		vm->is_uncounted = world->is_unseen = true;
}

static void begin_build(struct world *world, struct vm *vm)
{
	deceive(world, vm);
	kernel_trace(world, PROBE_INIT, vm, false);
	kernel_trace(world, PROBE_INIT_RETURN, vm, vm->is_refused);
	vm->began = world->now;
	vm->state = vm->is_refused ? VM_FAILED : VM_BUILDING;
	vm->next = vm->is_refused ? world->now + vm->running
		   : vm->hangs    ? NEVER
				  : world->now + vm->building / 2;
	if (vm->is_refused)
		give_lease_back(world, vm);
}

void go_on_with_vm(struct world *world, struct vm *vm)
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
		begin_build(world, vm);
		break;
	case VM_BUILDING:
		if (vm->is_busy_once) {
			vm->is_busy_once = false;
			kernel_trace(world, PROBE_FINALIZE, vm, true);
			vm->next = world->now + vm->building / 2;
			break;
		}
		if (vm->aborts) {
			kernel_trace(world, PROBE_VPFLUSHDONE, vm, false);
			destroy(world, vm);
			break;
		}
		kernel_trace(world, PROBE_FINALIZE, vm, false);
		vm->state = VM_RUNNING;
		vm->next = world->now + vm->running;
		give_lease_back(world, vm);
		break;
	default:
		kernel_trace(world, PROBE_VPFLUSHDONE, vm, false);
		destroy(world, vm);
	}
	kernel_changed(world);
}
