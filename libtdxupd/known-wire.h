/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KNOWN_WIRE_H
#define KNOWN_WIRE_H

#include "catalog-record.h"

/* What a record takes at least. */
#define KNOWN_RECORD_BYTES (20 * sizeof(uint64_t) + sizeof(struct tdxupd_digest))

/* A record of a module as bytes and back, as a part of catalog-wire.h's. */
void known_put(struct buffer *out, const struct tdxupd_known_module *known);
void known_get(struct record_reader *reader, struct tdxupd_known_module *ret);

#endif
