// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Versions of the TDX module and of P-SEAMLDR: text to numbers, order, numbers to text.
 * Which version may follow which is decided in compat.
 */
#include <errno.h>
#include <stdio.h>

#include "tdxupd.h"
#include "util.h"

/* One decimal number up to 65535; advances *text past it. */
static int parse_part(const char **text, uint16_t *ret)
{
	const char *p = *text;
	uint32_t value = 0;

	if (*p < '0' || *p > '9')
		return -EBADMSG;
	for (; *p >= '0' && *p <= '9'; p++) {
		value = value * 10 + (uint32_t)(*p - '0');
		if (value > UINT16_MAX)
			return -EBADMSG;
	}
	*text = p;
	*ret = (uint16_t)value;
	return 0;
}

_public_ int tdxupd_version_parse(const char *text, struct tdxupd_version *ret)
{
	struct tdxupd_version v;

	if (!text || !ret)
		return -EINVAL;
	if (parse_part(&text, &v.major) < 0 || *text++ != '.')
		return -EBADMSG;
	if (parse_part(&text, &v.minor) < 0 || *text++ != '.')
		return -EBADMSG;
	if (parse_part(&text, &v.update) < 0)
		return -EBADMSG;
	if (*text == '\n')
		text++;
	if (*text)
		return -EBADMSG;
	*ret = v;
	return 0;
}

_public_ int tdxupd_version_compare(const struct tdxupd_version *a,
				    const struct tdxupd_version *b)
{
	if (a->major != b->major)
		return a->major < b->major ? -1 : 1;
	if (a->minor != b->minor)
		return a->minor < b->minor ? -1 : 1;
	if (a->update != b->update)
		return a->update < b->update ? -1 : 1;
	return 0;
}

_public_ const char *tdxupd_version_format(const struct tdxupd_version *v, char *ret)
{
	snprintf(ret, TDXUPD_VERSION_TEXT_BYTES, "%u.%u.%02u", v->major, v->minor,
		 v->update);
	return ret;
}
