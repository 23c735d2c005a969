# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What tests share that have the daemon at work, in its unit: sourced after lib.sh. The
# runner lets it start in tests that speak of tdxupdd, and in no other.
: "${signer:?}"

[ -x /usr/bin/tdxupdctl ] || skip "the project is not installed"

# Of everything that goes wrong here the journal tells more than that it did not come true.
tell_more() {
	[ $? != 0 ] || return
	tdxupdctl list --why
	attribute last_status
	journalctl -b -o cat --no-pager -u "tdx*" | tail -n 40
}
trap tell_more EXIT

# configure IMAGES [LINE...]: where the images are, and more of [Update]
configure() {
	local images=$1
	shift
	mkdir -p /etc/tdxupd
	printf '[Update]\nImagesDirectory=%s\n' "$images" >/etc/tdxupd/tdxupd.conf
	[ $# = 0 ] || printf '%s\n' "$@" >>/etc/tdxupd/tdxupd.conf
}

# eventually COMMAND...: minutes, on a machine however slow: then the test fails with what
# the daemon says, which it could not do once the harness has ended the guest
eventually() {
	local i
	for ((i = 0; i < 120; i++)); do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.5
	done
	fail "this never came true: $*; $(property GateSources)"
}

property() {
	busctl get-property org.tdxupd1 /org/tdxupd1 org.tdxupd1.Manager "$1" | cut -d ' ' -f 2-
}

state_of() {
	busctl --json=short get-property org.tdxupd1 /org/tdxupd1 org.tdxupd1.Manager GateSources |
		jq -r ".data[] | select(.[0] == \"$1\") | .[1]"
}

is_state() { [ "$(state_of "$1")" = "$2" ]; }

has_waiting_job() {
	busctl --json=short call org.tdxupd1 /org/tdxupd1 org.tdxupd1.Manager ListJobs |
		jq -e '.data[0][] | select(.[2] == "waiting")'
}

# has_ended UNIT: which has been started with --no-block
has_ended() { ! systemctl is-active "$1" | grep -q activating; }

# told: the last thing that the history says, as "FROM TO PHASE OUTCOME"
told() {
	tdxupdctl history --json |
		jq -r '.records | last | "\(.from) \(.to) \(.phase) \(.outcome)"'
}
