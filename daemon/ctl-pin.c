// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl pin, unpin: the one version where updates may end.
 */
#include "ctl-bus.h"
#include "ctl-holds.h"
#include "ctl.h"
#include "tdxupd.h"

int ctl_pin(struct ctl *ctl, int argc, char **argv)
{
	struct tdxupd_version version;
	_cleanup_(cleanup_free)
	char *note = NULL;
	int r;

	(void)argc;
	if (tdxupd_version_parse(argv[1], &version) < 0)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"\"%s\" is no version such as 1.5.16", argv[1]);
	r = ctl_bus_forbid(ctl, "Pin", &note, "ss", argv[1],
			   ctl->why_text ? ctl->why_text : "");
	if (r == CTL_EXIT_OK)
		ctl_say(ctl,
			"Pinned%s%s; `tdxupdctl plan` says how to get there, `tdxupdctl "
			"unpin` ends it.",
			*note ? ", but " : "", note);
	return r;
}

int ctl_unpin(struct ctl *ctl, int argc, char **argv)
{
	bool has_changed;
	int r = ctl_bus_permit(ctl, "Unpin", &has_changed, "");

	(void)argc;
	(void)argv;
	return r ? r
		 : ctl_holds_say_changed(
			   ctl, has_changed,
			   has_changed ? "Nothing is pinned any longer."
				       : "Nothing was pinned; nothing was changed.");
}
