# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Another Debian beside this machine's own, for programs that are too old here or are not
# to be installed: compilers, QEMU, dkms. Sourced after lib-debian.sh.

# Of QEMU one that holds a page of code while it translates it (commit deba78709a, QEMU 8.1):
# with those before it, a CPU may run an int3 that the guest's kernel has just replaced, and
# the guest dies of it.
# root_packages KERNEL RELEASE: what a run with that kernel takes
root_packages() {
	local package
	case $1 in
	6.12)
		for package in qemu-system-{x86,common,data} seabios; do
			echo "$package/bookworm-backports"
		done
		echo "make dkms linux-headers-$2"
		;;
	7.3)
		echo "qemu-system-x86 make linux-headers-$2"
		# The project and what it takes.
		echo meson gcc pkg-config lib{systemd,udev,kmod,json-c,econf,smartcols,archive}-dev libssl-dev
		;;
	debug) echo qemu-system-x86 ;;
	mainline-tdx*)
		# Plugins may write registers and the program counter from QEMU 11 on.
		for package in qemu-system-{x86,common,data} seabios; do
			echo "$package/trixie-backports"
		done
		echo gcc libc6-dev pkg-config lib{glib2.0,ssl,cmocka}-dev
		;;
	esac
}

# root_open BASE SUITE PACKAGE...: sets root to a system of BASE, beside which is SUITE, with
# these packages
root_open() {
	local base=$1 suite=$2
	shift 2
	root=${cache:?}/roots/$base-$(sha256sum <<<"$*" | cut -c 1-16)
	[ ! -e "$root.done" ] || return 0

	debian_system "$root" "$*" "$base" "$suite"
	touch "$root.done"
}

# exec_in_root [DIR=PLACE...] -- COMMAND...: becomes this command, there, with directories of
# this machine in it
exec_in_root() {
	# shellcheck disable=SC2016 # for the shell inside
	exec unshare --mount sh -c '
		set -e
		root=$1
		shift
		mount -t proc proc "$root/proc"
		while [ "$1" != -- ]; do
			mkdir -p "$root${1#*=}"
			mount --bind "${1%%=*}" "$root${1#*=}"
			shift
		done
		shift
		exec env -i PATH=/usr/sbin:/usr/bin LC_ALL=C.UTF-8 chroot "$root" "$@"
	' sh "${root:?}" "$@"
}

# in_root: the same, and comes back
in_root() { (exec_in_root "$@"); }
