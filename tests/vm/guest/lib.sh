# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the tests in the guest share. A test begins with a guest without the module and may
# leave what it likes: clean_up() comes after it.

device=/sys/devices/faux/tdx_host
upload=/sys/class/firmware/tdx_module
control=/sys/kernel/debug/tdx_host_sim/control
signer=$(cat /tests/signer)

fail() { echo "FAIL: $*"; exit 1; }
skip() { echo "SKIP: $*"; exit 77; }
# note WORD...: told with the result of a test that passes, too
note() { echo "NOTE: $*"; }

# equals WHAT WANTED GOT
equals() { [ "$2" = "$3" ] || fail "$1: wanted '$2', got '$3'"; }

# load [COMMAND...]: the simulated machine, set up with these commands before it binds; it
# trusts whom the tests' images are signed by. With $mainline, under a kernel that has
# mainline's files and no others.
mainline=
load() {
	local setup="trust $signer" command version mrseam
	# Firmware loads the very modules that the images are.
	while read -r _ version mrseam; do
		setup+=";known $mrseam version=$version"
	done </tests/host.list
	for command; do
		setup+=";$command"
	done
	modprobe tdx-host-sim ${mainline:+mainline=1} "setup=\"$setup\"" || fail "tdx-host-sim does not load"
	udevadm settle
}

unload() { rmmod tdx-host-sim || fail "tdx-host-sim does not unload"; }

# sim COMMAND...: its answer; fails where it failed
sim() {
	local code=0
	{
		echo "$*" >&3 || code=1
		cat <&3
	} 3<>"$control" 2>/dev/null
	return $code
}

# attribute NAME: what a read of this file of the device gives, or the errno's name
attribute() { ./poke read "$device/$1"; }

# stage IMAGE: into the trigger's staging area
stage() { equals "staging $1" "$(stat -c %s "$1")" "$(./poke copy "$1" "$device/image")"; }

# trigger: 2, which is the length of what was written, or the errno's name
trigger() { ./poke write "$device/update" 0 $'1\n'; }

# upload_stage IMAGE; upload_commit: the text of `error` when the upload is over
upload_stage() {
	echo 1 >"$upload/loading"
	equals "data of $1" "$(stat -c %s "$1")" "$(./poke copy "$1" "$upload/data")"
}

upload_commit() {
	echo 0 >"$upload/loading"
	eventually grep -qx idle "$upload/status"
	cat "$upload/error"
}

# eventually COMMAND...: until it succeeds; a guest that hangs is the harness's business
eventually() {
	until "$@" >/dev/null 2>&1; do sleep 0.05; done
}

# lost: what is true of a host whose module is gone
expect_lost() {
	equals "version of a lost module" ENXIO "$(attribute version)"
	equals "features of a lost module" ENXIO "$(attribute features0)"
	equals "another update" ENXIO "$(stage images/1.5.16 && trigger)"
	dmesg | tail -n 20 | grep -q "TDX is lost until reboot" || fail "the log does not say so"
}

# expect_alive VERSION
expect_alive() { equals version "$1" "$(attribute version)"; }

clean_up() {
	local code=0
	echo 1 >/sys/devices/system/cpu/cpu1/online
	systemctl stop tdxupdd.service 2>/dev/null
	systemctl reset-failed 2>/dev/null
	if [ -e /sys/module/tdx_host_sim ]; then
		rmmod tdx-host-sim || code=1
	fi
	rm -rf /run/tdxupd /var/lib/tdxupd/* /etc/tdxupd
	return $code
}
