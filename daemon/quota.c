// SPDX-License-Identifier: LGPL-2.1-or-later
/* Who may have one more of what there is a limit on. Pure. */
#include <errno.h>
#include <unistd.h>

#include "quota.h"

bool quota_is_trusted(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

void quota_count(struct quota_use *use, bool is_same_sender, bool is_same_user)
{
	use->all++;
	use->user += is_same_user;
	use->sender += is_same_sender;
}

int quota_check(const struct quota *quota, bool is_trusted, const struct quota_use *use)
{
	size_t room = quota->all - (is_trusted ? 0 : quota->reserve);

	if (use->sender >= quota->per_sender)
		return -EDQUOT;
	if (!is_trusted && use->user >= quota->per_user)
		return -EDQUOT;
	return use->all < room ? 0 : -ENOBUFS;
}
