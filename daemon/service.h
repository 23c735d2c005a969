/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SERVICE_H
#define SERVICE_H

#include "manager.h"

/*
 * What systemd hears of the manager (sd_notify(3)); nothing where there is no systemd.
 * Also ends a daemon that somebody's question started on a host without TDX, when it has
 * had nothing to do for @idle_usec.
 */
struct service;

int service_new(struct manager *manager, uint64_t idle_usec, struct service **ret);
struct service *service_free(struct service *service);
DEFINE_CLEANUP(struct service, service, service_free)

/* "TDX module 1.5.06; idle": one line. Return: newly allocated; NULL: no memory. */
char *service_describe(const struct manager *manager);

#endif
