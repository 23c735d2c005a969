/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DRIVER_H
#define DRIVER_H

#include "config.h"

/* Whether the CPUs offer TDX: 1, 0, or a negative errno where that can't be told. */
int driver_is_tdx_offered(int root_fd);

/*
 * The kernel module that LoadDriver= wants loaded on this host.
 * @ret_module: static text, NULL where nothing is to be loaded
 * @ret_why: why not, static text, where @ret_module is NULL
 *
 * Return: 0; -EPERM the simulation is wanted where TDX may be; another errno: it can't be
 * told whether the CPUs offer TDX.
 */
int driver_choose(int root_fd, enum load_driver policy, const char **ret_module,
		  const char **ret_why);

#endif
