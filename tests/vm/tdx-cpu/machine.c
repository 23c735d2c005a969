// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The one simulated TDX module and loader that all vCPUs call: kernel/tdx-model behind a
 * mutex, a trace of what was called, and a call that can be made to take its time.
 */
#include "machine.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tdx-model-internal.h"
#include "vcpu.h"

#define NO_LEAF ~0ULL

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct tdx_model *model;
static FILE *trace_file;
static uint64_t stall_leaf = NO_LEAF;
static u64 stall_nsec;

static bool read_memory(void *userdata, u64 address, void *ret, size_t count)
{
	(void)userdata;
	return bus_read(address, ret, count);
}

static bool write_memory(void *userdata, u64 address, const void *bytes, size_t count)
{
	(void)userdata;
	return bus_write(address, bytes, count);
}

int machine_power_on(unsigned int vcpu_count, FILE *trace)
{
	static const struct tdx_model_hooks hooks = { .read_memory = read_memory,
						      .write_memory = write_memory };
	int ret = tdx_model_new(vcpu_count, &hooks, NULL, &model);

	if (ret)
		return ret;
	tdx_model_power_on(model);
	trace_file = trace;

	return 0;
}

int machine_set_up(FILE *commands)
{
	char line[1024], answer[1024];
	int ret;

	while (fgets(line, sizeof(line), commands)) {
		line[strcspn(line, "#\n")] = '\0';
		if (!*line)
			continue;
		ret = machine_command(line, answer, sizeof(answer));
		if (ret) {
			fprintf(stderr, "tdx-cpu: %s: %s", line, answer);
			return -EINVAL;
		}
	}
	tdx_model_power_on(model);

	return 0;
}

static void trace(unsigned int vcpu, const struct machine_call *in,
		  const struct machine_call *out, uint64_t status)
{
	if (!trace_file)
		return;
	fprintf(trace_file,
		"lp=%u rax=%" PRIx64 " rcx=%" PRIx64 " rdx=%" PRIx64 " r8=%" PRIx64
		" r9=%" PRIx64 " -> %" PRIx64 " rcx=%" PRIx64 " rdx=%" PRIx64
		" r8=%" PRIx64 "\n",
		vcpu, in->rax, in->rcx, in->rdx, in->r8, in->r9, status, out->rcx,
		out->rdx, out->r8);
	fflush(trace_file);
}

static void spend(u64 nsec)
{
	struct timespec time = { .tv_sec = (time_t)(nsec / 1000000000ULL),
				 .tv_nsec = (long)(nsec % 1000000000ULL) };

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

bool machine_seamcall(unsigned int vcpu, struct machine_call *call)
{
	struct tdx_model_regs regs = { .rcx = call->rcx,
				       .rdx = call->rdx,
				       .r8 = call->r8,
				       .r9 = call->r9,
				       .r10 = call->r10,
				       .r11 = call->r11,
				       .r12 = call->r12 };
	struct machine_call out = *call;
	u64 stall;

	pthread_mutex_lock(&mutex);
	out.rax = tdx_model_cpu_seamcall(model, vcpu, call->rax, &regs);
	out.rcx = regs.rcx, out.rdx = regs.rdx, out.r8 = regs.r8, out.r9 = regs.r9;
	out.r10 = regs.r10, out.r11 = regs.r11, out.r12 = regs.r12;
	trace(vcpu, call, &out, out.rax);
	stall = call->rax == stall_leaf ? stall_nsec : 0;
	pthread_mutex_unlock(&mutex);

	/* After the call has had its effect, as a long one's caller would see it. */
	if (stall)
		spend(stall);
	if (out.rax == TDX_SEAMCALL_VMFAILINVALID)
		return false;
	*call = out;

	return true;
}

/* stall LEAF DURATION */
static int set_stall(char *words)
{
	char *leaf_word = tdx_model_next_word(&words), *time = NULL;
	u64 leaf, nsec;

	if (leaf_word)
		time = tdx_model_next_word(&words);
	if (!time || tdx_model_parse_number(leaf_word, 0xFFFFFF, &leaf) ||
	    tdx_model_parse_duration(time, &nsec))
		return -EINVAL;

	stall_leaf = nsec ? leaf : NO_LEAF;
	stall_nsec = nsec;
	return 0;
}

int machine_command(const char *line, char *ret, size_t size)
{
	char copy[1024];
	char *words = copy, *name;
	int error;

	pthread_mutex_lock(&mutex);
	error = tdx_model_command(model, line, ret, size);
	pthread_mutex_unlock(&mutex);
	if (error != -ENOENT)
		return error;

	snprintf(copy, sizeof(copy), "%s", line);
	name = tdx_model_next_word(&words);
	if (name && !strcmp(name, "stall")) {
		pthread_mutex_lock(&mutex);
		error = set_stall(words);
		pthread_mutex_unlock(&mutex);
	}
	snprintf(ret, size, "%s\n",
		 !error             ? "ok"
		 : error == -EINVAL ? "error EINVAL stall LEAF DURATION"
				    : "error ENOENT no such command");
	return error;
}
