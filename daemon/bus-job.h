/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUS_JOB_H
#define BUS_JOB_H

#include "bus.h"

#define BUS_JOB_INTERFACE "org.tdxupd1.Job"
#define BUS_JOB_PREFIX    BUS_PATH "/job"

#define BUS_JOB_PATH_BYTES 40
/* "/org/tdxupd1/job/_7", or "/" for no job. @ret: BUS_JOB_PATH_BYTES. */
const char *bus_job_path(uint32_t id, char *ret);
int bus_job_add(struct bus *bus);
/* PropertiesChanged of all that is shown. */
void bus_job_tell(struct bus *bus, const struct job *job);

#endif
