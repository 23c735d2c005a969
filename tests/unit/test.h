/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every cmocka test needs, in the order cmocka wants it. */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEST_SKIPPED 77 /* meson's exit status for a test that could not run */

#endif
