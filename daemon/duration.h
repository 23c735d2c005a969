/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DURATION_H
#define DURATION_H

#include <stdint.h>

#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_INFINITY UINT64_MAX

/*
 * "90", "5min", "1h 30min", "200ms", "infinity": a number without a unit is seconds, as
 * in systemd.time(7). Return: 0; -EBADMSG; -ERANGE above what fits.
 */
int duration_parse(const char *text, uint64_t *ret_usec);

#define DURATION_TEXT_BYTES 32
/* The two largest units, "1h 30min": for people. @ret: DURATION_TEXT_BYTES. */
const char *duration_format(uint64_t usec, char *ret);

#endif
