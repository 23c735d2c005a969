/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GATE_H
#define GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a source can tell of TDs under build. */
enum gate_state {
	GATE_OPEN,
	GATE_CLOSED,
	GATE_UNKNOWN,
	_GATE_STATE_MAX,
	_GATE_STATE_INVALID = -22,
};

/*
 * How far a source's word goes. A source says this of each state, not once for all: an
 * empty misc cgroup is exact, a full one tells nothing; a build lease that is held is
 * exact, none held says nothing of VMMs that take no leases.
 */
enum gate_confidence {
	GATE_EXACT,
	GATE_HINT,
	_GATE_CONFIDENCE_MAX,
	_GATE_CONFIDENCE_INVALID = -22,
};

/* Guard= of the configuration. */
enum gate_policy {
	GATE_STRICT,
	GATE_OBSERVED,
	GATE_OFF,
	_GATE_POLICY_MAX,
	_GATE_POLICY_INVALID = -22,
};

enum gate_decision {
	GATE_GO,
	GATE_WAIT,
	GATE_UNDECIDED, /* nothing says that it is safe: never a go */
	_GATE_DECISION_MAX,
	_GATE_DECISION_INVALID = -22,
};

/* Whom a closed source names: who is empty and pid 0 where it only counts. */
struct gate_blocker {
	char who[64];
	pid_t pid;
	uint64_t since_usec; /* CLOCK_MONOTONIC, 0 where nobody saw it begin */
};

/*
 * One source's word at one moment.
 * @is_veto: it knows nothing of TDs, but of those who want no update now. Closed it holds
 *	whatever the policy, open it counts for nothing
 * @count: TDs under build, where closed
 * @has_tds, @tds: how many TDs the machine has, under build or not, as far as the source
 *	knows: population counts them, others know whence each comes
 * @reason: why it is unknown
 * @is_doubtful: unknown for a while, because a build may have begun unseen: what others
 *	only hint at does not outweigh that
 * @blockers: owned by the source, at most @count
 */
struct gate_source {
	const char *name;
	bool is_veto;
	enum gate_state state;
	enum gate_confidence confidence;
	uint32_t count;
	bool has_tds;
	uint64_t tds;
	char reason[256];
	bool is_doubtful;
	const struct gate_blocker *blockers;
	size_t blocker_count;
};

#define GATE_SOURCES_MAX 8

/* @blocking: bit i is set where source i is what keeps the gate from opening. */
struct gate_verdict {
	enum gate_decision decision;
	uint32_t blocking;
};

/*
 * May the update go? Pure. @has_module_guard: update_guard reads `module`, so the module
 * itself refuses an update that would hurt a build and loses nothing by it.
 */
struct gate_verdict gate_decide(const struct gate_source *sources, size_t count,
				enum gate_policy policy, bool has_module_guard);

const char *gate_state_to_string(enum gate_state state);
const char *gate_confidence_to_string(enum gate_confidence confidence);
const char *gate_policy_to_string(enum gate_policy policy);
enum gate_policy gate_policy_from_string(const char *text);
const char *gate_decision_to_string(enum gate_decision decision);

#endif
