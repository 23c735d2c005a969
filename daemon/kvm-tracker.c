// SPDX-License-Identifier: LGPL-2.1-or-later
/* What KVM's uevents tell of VMs that may be TDs under build. Pure: clocks passed in. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kvm-tracker.h"
#include "util.h"

/* Young ones at a time. More than that in one settle time is a doubt, not an error. */
#define VMS_MAX 1024

struct kvm_tracker {
	uint64_t settle_usec;
	bool has_created;
	uint64_t created;
	uint64_t doubt_since_usec;
	char doubt[96];
	size_t count;
	struct vm {
		char name[KVM_VM_NAME_BYTES];
		pid_t pid;
		uint64_t since_usec;
	} vms[VMS_MAX];
	char names[VMS_MAX][KVM_VM_NAME_BYTES];
	struct gate_blocker blockers[VMS_MAX];
};

/* ---- events ---- */

static bool read_number(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (!text || !*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || value > (UINT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
	}
	if (value > max)
		return false;
	*ret = value;
	return true;
}

/* The last part of "/kvm/4242-11". It becomes a part of a path: digits and '-' only. */
static bool read_vm(const char *path, char *ret)
{
	const char *name = strrchr(path, '/');

	if (!name || !name[1] || strlen(name + 1) >= KVM_VM_NAME_BYTES ||
	    strspn(name + 1, "0123456789-") != strlen(name + 1))
		return false;
	strcpy(ret, name + 1);
	return true;
}

int kvm_event_parse(const struct kvm_event_text *text, struct kvm_event *ret)
{
	struct kvm_event event = { 0 };
	uint64_t pid;

	if (!text->event || !read_number(text->pid, INT32_MAX, &pid) ||
	    !read_number(text->created, UINT64_MAX, &event.created))
		return -EBADMSG;
	event.pid = (pid_t)pid;
	event.is_create = strcmp(text->event, "create") == 0;
	if (!event.is_create && strcmp(text->event, "destroy") != 0)
		return -EBADMSG;
	if (text->stats_path && !read_vm(text->stats_path, event.vm))
		return -EBADMSG;
	*ret = event;
	return 0;
}

/* ---- VMs ---- */

int kvm_tracker_new(uint64_t settle_usec, struct kvm_tracker **ret)
{
	struct kvm_tracker *tracker = calloc(1, sizeof(*tracker));

	if (!tracker)
		return -ENOMEM;
	tracker->settle_usec = settle_usec;
	*ret = tracker;
	return 0;
}

void kvm_tracker_set_settle(struct kvm_tracker *tracker, uint64_t settle_usec)
{
	tracker->settle_usec = settle_usec;
}

struct kvm_tracker *kvm_tracker_free(struct kvm_tracker *tracker)
{
	free(tracker);
	return NULL;
}

/* When what began at @since_usec is old enough; SettleSec=infinity: never. */
static uint64_t settles_at(const struct kvm_tracker *tracker, uint64_t since_usec)
{
	if (tracker->settle_usec > UINT64_MAX - since_usec)
		return UINT64_MAX;
	return since_usec + tracker->settle_usec;
}

static void drop(struct kvm_tracker *tracker, size_t i)
{
	tracker->vms[i] = tracker->vms[--tracker->count];
}

static void drop_settled(struct kvm_tracker *tracker, uint64_t now_usec)
{
	for (size_t i = tracker->count; i-- > 0;)
		if (now_usec >= settles_at(tracker, tracker->vms[i].since_usec))
			drop(tracker, i);
	if (now_usec >= settles_at(tracker, tracker->doubt_since_usec))
		tracker->doubt[0] = '\0';
}

static void add(struct kvm_tracker *tracker, const struct kvm_event *event,
		uint64_t now_usec)
{
	struct vm *vm;

	drop_settled(tracker, now_usec);
	if (tracker->count == VMS_MAX) {
		kvm_tracker_doubt(tracker, "more new VMs than can be watched", now_usec);
		return;
	}
	vm = &tracker->vms[tracker->count++];
	*vm = (struct vm){ .pid = event->pid, .since_usec = now_usec };
	memcpy(vm->name, event->vm, sizeof(vm->name));
}

/* Of two with one name it is the older: its end may be told after the other has begun,
 * for whoever reads a VM's statistics keeps it a little longer. */
static void remove_gone(struct kvm_tracker *tracker, const struct kvm_event *event)
{
	size_t oldest = tracker->count;

	for (size_t i = 0; i < tracker->count; i++)
		if (tracker->vms[i].pid == event->pid &&
		    strcmp(tracker->vms[i].name, event->vm) == 0 &&
		    (oldest == tracker->count ||
		     tracker->vms[i].since_usec < tracker->vms[oldest].since_usec))
			oldest = i;
	if (oldest < tracker->count)
		drop(tracker, oldest);
}

void kvm_tracker_take(struct kvm_tracker *tracker, const struct kvm_event *event,
		      uint64_t now_usec)
{
	uint64_t expected = tracker->created + (event->is_create ? 1 : 0);

	/* Uevents of concurrent VMs may overtake each other: only a gap is a loss. */
	if (tracker->has_created && event->created > expected)
		kvm_tracker_doubt(tracker, "VMs were created unseen", now_usec);
	if (!tracker->has_created || event->created > tracker->created)
		tracker->created = event->created;
	tracker->has_created = true;
	if (event->is_create)
		add(tracker, event, now_usec);
	else
		remove_gone(tracker, event);
}

void kvm_tracker_doubt(struct kvm_tracker *tracker, const char *why, uint64_t now_usec)
{
	snprintf(tracker->doubt, sizeof(tracker->doubt), "%s", why);
	tracker->doubt_since_usec = now_usec;
}

size_t kvm_tracker_list_young(struct kvm_tracker *tracker, uint64_t now_usec,
			      const char (**ret_names)[KVM_VM_NAME_BYTES])
{
	drop_settled(tracker, now_usec);
	for (size_t i = 0; i < tracker->count; i++)
		memcpy(tracker->names[i], tracker->vms[i].name, KVM_VM_NAME_BYTES);
	*ret_names = (const char(*)[KVM_VM_NAME_BYTES])tracker->names;
	return tracker->count;
}

void kvm_tracker_forget(struct kvm_tracker *tracker, const char *vm)
{
	for (size_t i = tracker->count; i-- > 0;)
		if (vm[0] && strcmp(tracker->vms[i].name, vm) == 0)
			drop(tracker, i);
}

static void name_blockers(struct kvm_tracker *tracker, struct gate_source *ret)
{
	for (size_t i = 0; i < tracker->count; i++) {
		struct gate_blocker *blocker = &tracker->blockers[i];

		*blocker = (struct gate_blocker){
			.pid = tracker->vms[i].pid,
			.since_usec = tracker->vms[i].since_usec,
		};
		snprintf(blocker->who, sizeof(blocker->who), "new VM %s",
			 tracker->vms[i].name);
	}
	ret->state = GATE_CLOSED;
	ret->count = (uint32_t)tracker->count;
	ret->blockers = tracker->blockers;
	ret->blocker_count = tracker->count;
}

void kvm_tracker_read(struct kvm_tracker *tracker, uint64_t now_usec,
		      struct gate_source *ret)
{
	*ret = (struct gate_source){ .state = GATE_OPEN, .confidence = GATE_HINT };
	drop_settled(tracker, now_usec);
	if (tracker->count) {
		name_blockers(tracker, ret);
	} else if (tracker->doubt[0]) {
		ret->state = GATE_UNKNOWN;
		ret->is_doubtful = true;
		snprintf(ret->reason, sizeof(ret->reason), "%s", tracker->doubt);
	}
}

uint64_t kvm_tracker_get_next(const struct kvm_tracker *tracker)
{
	uint64_t next = UINT64_MAX;

	if (tracker->doubt[0])
		next = settles_at(tracker, tracker->doubt_since_usec);
	for (size_t i = 0; i < tracker->count; i++) {
		uint64_t at = settles_at(tracker, tracker->vms[i].since_usec);

		if (at < next)
			next = at;
	}
	return next;
}
