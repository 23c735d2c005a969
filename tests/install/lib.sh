# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The project as it gets installed, in a directory of its own. Sourced; the caller runs
# under `set -euo pipefail` from meson, which sets TDXUPD_BUILD.

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# install_tree: fills $work/tree
install_tree() {
	if ! DESTDIR=$work/tree meson install -C "$TDXUPD_BUILD" --no-rebuild --quiet \
		>"$work/log" 2>&1; then
		cat "$work/log"
		exit 1
	fi
}

# need PROGRAM...
need() {
	local program
	for program; do
		command -v "$program" >/dev/null || { echo "$program is not installed"; exit 77; }
	done
}

# check WHAT COMMAND...: the command has to succeed and to say nothing
check() {
	local what=$1 output
	shift
	if ! output=$("$@" 2>&1) || [ -n "$output" ]; then
		printf 'FAILED: %s\n%s\n' "$what" "$output"
		# shellcheck disable=SC2034 # the exit status of the caller
		failed=1
	fi
}

# same WHAT EXPECTED-FILE FILE
same() {
	check "$1" diff -u "$2" "$3"
}
