/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CATALOG_WIRE_H
#define CATALOG_WIRE_H

#include "buffer.h"
#include "tdxupd.h"

/*
 * A catalog as bytes and back, between two processes of one program. Who reads believes
 * no byte: counts, numbers, names, the order that look-ups rely on, and that what could
 * not be parsed is refused. That an image is what its entry says is found out when it is
 * loaded.
 */
void catalog_put(struct buffer *out, const struct tdxupd_catalog *catalog);
/* Return: 0, tdxupd_catalog_free() it; -EBADMSG; -ENOMEM. */
int catalog_get(const uint8_t *bytes, size_t count, struct tdxupd_catalog **ret);

#endif
