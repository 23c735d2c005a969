/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
#ifndef TDX_MODEL_COMMAND_H
#define TDX_MODEL_COMMAND_H

#include "tdx-model-internal.h"

/* @cursor: the words not yet taken; @why: a sentence for "error", static text */
struct tdx_model_command {
	struct tdx_model *model;
	struct tdx_model_text *text;
	char *cursor;
	const char *why;
	bool is_foreign;
};

int tdx_model_refuse(struct tdx_model_command *command, int error, const char *why);
/* The next KEY=VALUE: 1, 0 at the end, -EINVAL. */
int tdx_model_take_option(struct tdx_model_command *command, char **ret_key,
			  char **ret_value);
int tdx_model_command_td(struct tdx_model_command *command);
int tdx_model_command_tdr(struct tdx_model_command *command);

#endif
