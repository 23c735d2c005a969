/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PUBLISHED_H
#define PUBLISHED_H

#include "tdx-model.h"

/* Tell a machine what the published modules are. 0 or -errno. */
int published_tell(struct tdx_model *model);

#endif
