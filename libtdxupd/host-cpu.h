/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HOST_CPU_H
#define HOST_CPU_H

#include <stdio.h>

#include "tdxupd.h"

/*
 * Fill in sockets and CPU bugs from /proc/cpuinfo's text.
 *
 * What can't be understood in full stays unknown, as half a list of sockets could hide
 * the one that an image does not support. Return: 0; -EBADMSG: nothing was filled in.
 */
int host_cpu_read(FILE *cpuinfo, struct tdxupd_host *host);
/* CPUID.1 EAX from the numbers that the kernel made of it. */
uint32_t host_cpu_signature(uint32_t family, uint32_t model, uint32_t stepping);

#endif
