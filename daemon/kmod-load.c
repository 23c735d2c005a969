// SPDX-License-Identifier: LGPL-2.1-or-later
/* Loads one kernel module, and tells why it could not. Which one is driver.c's choice. */
#include <errno.h>
#include <libkmod.h>
#include <stdbool.h>
#include <string.h>

#include "kmod-load.h"
#include "util.h"

DEFINE_CLEANUP(struct kmod_ctx, kmod_ctx, kmod_unref)
DEFINE_CLEANUP(struct kmod_list, kmod_list, kmod_module_unref_list)
DEFINE_CLEANUP(struct kmod_module, kmod_module, kmod_module_unref)

/* `tdx-host` and `tdx_host` are one module. */
static bool is_same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(strchr("-_", *a) && strchr("-_", *b)))
			return false;
	return *a == *b;
}

/* `install NAME COMMAND` in modprobe.d: most of those say /bin/false, and none is to run
 * with this program's privileges. */
static int refuse_command(struct kmod_module *module, const char *command, void *data)
{
	(void)module;
	(void)command;
	(void)data;
	return -ECANCELED;
}

static int find(struct kmod_ctx *ctx, const char *name, struct kmod_module **ret)
{
	_cleanup_(cleanup_kmod_list)
	struct kmod_list *list = NULL;
	struct kmod_module *module;
	int r;

	r = kmod_module_new_from_lookup(ctx, name, &list);
	if (r < 0)
		return r;
	if (!list)
		return -ENOENT;
	module = kmod_module_get_module(list);
	/* An alias that makes another module of it is somebody's trick. */
	if (!is_same_name(kmod_module_get_name(module), name)) {
		kmod_module_unref(module);
		return -ECANCELED;
	}
	*ret = module;
	return 0;
}

int kmod_load(const char *modules, const char *const *config, const char *name)
{
	_cleanup_(cleanup_kmod_ctx)
	struct kmod_ctx *ctx = kmod_new(modules, config);
	_cleanup_(cleanup_kmod_module)
	struct kmod_module *module = NULL;
	int r;

	if (!ctx)
		return -ENOMEM;
	/* What is wrong is said by whoever called. */
	kmod_set_log_priority(ctx, 0);
	r = find(ctx, name, &module);
	if (r < 0)
		return r;
	r = kmod_module_get_initstate(module);
	if (r == KMOD_MODULE_LIVE || r == KMOD_MODULE_BUILTIN)
		return 0;
	r = kmod_module_probe_insert_module(module, KMOD_PROBE_APPLY_BLACKLIST_ALL, NULL,
					    refuse_command, NULL, NULL);
	if (r > 0)
		return -ECANCELED; /* which list forbids it */
	return r < 0 ? r : 1;
}

const char *kmod_load_explain(int error)
{
	switch (error) {
	case -ENOENT:
		return "this kernel has no such module; one that has is 7.2 or later "
		       "with "
		       "CONFIG_TDX_HOST_SERVICES";
	case -ECANCELED:
		return "modprobe.d or the kernel's command line forbid it";
	case -ENODEV:
		return "the kernel found no TDX to drive; `dmesg | grep -i tdx` says why";
	case -EPERM:
		return "the kernel takes no modules now (kernel lockdown without a "
		       "signature, or kernel.modules_disabled=1)";
	case -EKEYREJECTED:
	case -ENOKEY:
		return "the kernel does not trust the module's signature (secure boot); "
		       "enrol the key that it is signed with";
	case -ENOEXEC:
		return "the module was built for another kernel";
	default:
		return NULL;
	}
}
