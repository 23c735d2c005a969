/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intel's published images, which are not part of this repository. They are looked for in
 * $TDXUPD_IMAGES, else in ../shared/tdx-modules beside the source tree.
 */
#ifndef REALIMAGE_H
#define REALIMAGE_H

/*
 * Return: a descriptor of the directory, close() it. Where there is none, says so and
 * ends the program as skipped: a test of real images that did not see any has shown
 * nothing.
 */
int realimage_open_or_skip(void);

#endif
