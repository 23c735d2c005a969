# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the tests share that run on the CPU of tests/vm/tdx-cpu. TDX is real to their kernel,
# which cannot unload mainline's driver and cannot bring TDX up twice: a test finds the
# machine as the one before it left it, and one that loses TDX is the last of its guest.
# shellcheck source-path=SCRIPTDIR/../guest
. ./lib.sh
: "${device:?}" "${upload:?}" "${signer:?}"
intel=c8572f548869a0beca19376b81c2dffc2a23b5a5f71da0b87579b43f408daa1a33bad9c149eb56c634f883737968a34c

# cpu COMMAND...: to the machine beneath this one; fails where it failed
cpu() { ./tdx-cpu "$@"; }

# seen WHAT: what no host can see: shutdowns, in-build, finalized, wrong-mrtd
seen() { cpu tdr list | grep -oP "(^| )$1 \K[0-9]+"; }

# is_ours: the driver is tdx-host.ko of this project and not mainline's
is_ours() { [ -e "$device/update" ]; }

# is_patched: the kernel has kernel/patches, whosever the driver is
is_patched() { [[ $(uname -r) = *-patched ]]; }

# fault PARAMETER...: of bed-fault.c; no_fault: fails where nothing came of it
fault() { modprobe bed-fault "$@" || fail "no such fault: $*"; }
no_fault() {
	local hit
	hit=$(cat /sys/module/bed_fault/parameters/hit)
	rmmod bed-fault
	[ "$hit" = 1 ]
}

# load: KVM and the driver, where udev has not been faster; room for any number of updates,
# by whoever signed the tests' images
load() {
	modprobe kvm-intel || fail "kvm-intel does not load"
	modprobe tdx-host || fail "tdx-host does not load"
	udevadm settle
	[ -e "$device" ] || fail "the driver found no TDX: $(dmesg | grep -i tdx | tail -n 3)"
	cpu trust none >/dev/null
	cpu trust "$signer" >/dev/null
	cpu trust $intel >/dev/null
	cpu set remaining=100000 >/dev/null || fail "this CPU takes no commands"
}

# start_tdxupdd IMAGES [LINE...]: configured so, whether udev has started it before or not
start_tdxupdd() {
	configure "$@"
	systemctl restart tdxupdd.service || fail "the daemon does not start"
}

# mainline_upload IMAGE: the text of `error` when the upload is over
mainline_upload() {
	upload_stage "$1"
	upload_commit
}

# build NAME PAGES [WORD...]: a TD in the background, as td-build.c has it
build() {
	local name=$1
	shift
	./td-build "$@" >"/run/tests/td-$name" 2>&1 &
	echo $! >"/run/tests/td-$name.pid"
}

# reached NAME STAGE: or the build has failed, and the test with it
reached() {
	until grep -qx "$2" "/run/tests/td-$1"; do
		[ -e "/proc/$(cat "/run/tests/td-$1.pid")" ] ||
			fail "the build of $1 failed: $(cat "/run/tests/td-$1")"
		sleep 0.05
	done
}

# release NAME: it stops holding; let_go NAME: it ends, and its TD with it
release() { kill -USR1 "$(cat "/run/tests/td-$1.pid")"; }
let_go() {
	kill "$(cat "/run/tests/td-$1.pid")" 2>/dev/null
	wait "$(cat "/run/tests/td-$1.pid")" 2>/dev/null
	rm -f "/run/tests/td-$1" "/run/tests/td-$1.pid"
}

# no_td: the machine has none, in any state
has_tds() { [ "$(cpu tdr list | grep -c hkid)" = "$1" ]; }
no_td() { ! cpu tdr list | grep -q hkid; }

# forgive TEXT: what the kernel warned of is what this test is about
forgive() {
	dmesg | grep -q "$1" || fail "the kernel did not say '$1'"
	dmesg --clear
	echo "tdx-vm: begin $(basename "$0")" >/dev/kmsg
}

clean_up() {
	local cpu_file pid_file
	for pid_file in /run/tests/td-*.pid; do
		[ ! -e "$pid_file" ] || kill -KILL "$(cat "$pid_file")" 2>/dev/null
	done
	for cpu_file in /sys/devices/system/cpu/cpu[1-9]*/online; do echo 1 >"$cpu_file"; done
	systemctl stop tdxupdd.service 2>/dev/null
	rmmod bed-fault bed-upload 2>/dev/null
	systemctl reset-failed 2>/dev/null
	cpu fail none >/dev/null
	cpu stall 0 0 >/dev/null
	rm -rf /run/tdxupd /var/lib/tdxupd/* /etc/tdxupd /run/tests/td-*
	eventually no_td
	return 0
}
