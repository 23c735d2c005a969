/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KMOD_LOAD_H
#define KMOD_LOAD_H

/*
 * Load a kernel module and what it needs, by libkmod, as udev would: with its options of
 * modprobe.d, and not where modprobe.d or the kernel's command line forbid it.
 * @modules: where the modules of the running kernel are, NULL for the usual place
 * @config: directories and files of modprobe.d up to NULL, NULL for the usual ones
 *
 * Return: 1 it was loaded; 0 it was there, or is built in; -ENOENT this kernel has no
 * such module; -ECANCELED modprobe.d forbids it; else what the kernel answered.
 */
int kmod_load(const char *modules, const char *const *config, const char *name);
/* What such an error means and what helps; static text, NULL where it is no more than the
 * errno. */
const char *kmod_load_explain(int error);

#endif
