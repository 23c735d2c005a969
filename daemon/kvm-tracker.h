/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KVM_TRACKER_H
#define KVM_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gate.h"

#define KVM_VM_NAME_BYTES 24

/* The properties of a `change` uevent of misc/kvm, NULL where one is missing. */
struct kvm_event_text {
	const char *event;
	const char *pid;
	const char *created;
	const char *stats_path;
};

/*
 * A VM came or went; virt/kvm/kvm_main.c:kvm_uevent_notify_change(). Nothing in it tells
 * a TD from any other VM.
 * @created: VMs ever created on this host, this one included
 * @vm: "PID-FD", its directory in debugfs; empty where debugfs is absent
 */
struct kvm_event {
	bool is_create;
	pid_t pid;
	uint64_t created;
	char vm[KVM_VM_NAME_BYTES];
};

/* Return: 0; -EBADMSG not what KVM sends. */
int kvm_event_parse(const struct kvm_event_text *text, struct kvm_event *ret);

/*
 * VMs so young that they may be TDs under build: younger than the settle time and not
 * seen to run. A hint, no more: a build may take longer.
 */
struct kvm_tracker;

int kvm_tracker_new(uint64_t settle_usec, struct kvm_tracker **ret);
/* For those that are watched already, too. */
void kvm_tracker_set_settle(struct kvm_tracker *tracker, uint64_t settle_usec);
struct kvm_tracker *kvm_tracker_free(struct kvm_tracker *tracker);

void kvm_tracker_take(struct kvm_tracker *tracker, const struct kvm_event *event,
		      uint64_t now_usec);
/* VMs may have come unseen up to now: unknown until they would be old enough. */
void kvm_tracker_doubt(struct kvm_tracker *tracker, const char *why, uint64_t now_usec);
/* VMs that have not settled: @ret_names points to @count names, the tracker's. */
size_t kvm_tracker_list_young(struct kvm_tracker *tracker, uint64_t now_usec,
			      const char (**ret_names)[KVM_VM_NAME_BYTES]);
/* @vm has run, which no TD does before it is finalised. */
void kvm_tracker_forget(struct kvm_tracker *tracker, const char *vm);
void kvm_tracker_read(struct kvm_tracker *tracker, uint64_t now_usec,
		      struct gate_source *ret);
/* When its word will change with nothing happening; UINT64_MAX never. */
uint64_t kvm_tracker_get_next(const struct kvm_tracker *tracker);

#endif
