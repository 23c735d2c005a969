# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What silences those who watch for builds: sourced by with-silencers, whose table names it.
# shellcheck disable=SC2034 # for the table

trace=/sys/kernel/tracing
ours=$trace/instances/tdxupd
kprobes=/sys/kernel/debug/kprobes/enabled
sysctl=/proc/sys/kernel/ftrace_enabled

# refuse WORD...: the kernel does not allow this way
refuse() { echo "$*" >>/run/tests/refused; }

# each VALUE FILE...: into all of them
each() {
	local value=$1 file
	shift
	for file; do
		(echo "$value" >"$file") 2>/run/tests/each ||
			refuse "$(sed 's/.*: line [0-9]*: //' /run/tests/each)"
	done
	return 0
}

# definitions FUNCTION: of the daemon's probes on it
definitions() { grep "tdxupd/[^ ]* [^ ]*$1 " $trace/kprobe_events; }

# delete_probe FUNCTION: as whoever cleans up tracing does
delete_probe() {
	local event
	for event in $(definitions "$1" | grep -o 'tdxupd/[^ ]*'); do
		echo 0 >"$ours/events/$event/enable"
		echo "-:$event" >>$trace/kprobe_events || refuse "$event can't be removed"
	done
}

# replace_probe FUNCTION: its name is then on one that nobody calls
replace_probe() {
	local lines line
	lines=$(definitions "$1" | sed "s/[^ ]*$1/ftrace_dump/")
	delete_probe "$1"
	while read -r line; do echo "$line" >>$trace/kprobe_events; done <<<"$lines"
	each 1 "$ours/events/tdxupd/enable"
}

remove_instance() {
	each 0 $ours/events/enable
	rmdir $ours 2>/dev/null || refuse "$ours is in use"
}

# steal: reads the daemon's events from under its nose
steal() {
	while :; do
		dd if=$ours/per_cpu/cpu0/trace_pipe_raw iflag=nonblock bs=4096 count=64
		dd if=$ours/per_cpu/cpu1/trace_pipe_raw iflag=nonblock bs=4096 count=64
		sleep 0.01
	done >/dev/null 2>&1 &
	thief=$!
}

# empty_buffer: before the daemon could read that a build began
empty_buffer() {
	local pid
	pid=$(systemctl show --property MainPID --value tdxupdd.service)
	kill -STOP "$pid"
	begin
	each '' $ours/trace
	kill -CONT "$pid"
}

systemd_version() { systemctl --version | sed -n 's/^systemd \([0-9]*\).*/\1/p'; }

# own_zero [MODE]: the daemon sees the cgroup of a part of the machine, in which there is no
# TD. The number is made up, as this kernel has none; where it stands is systemd's work.
own_zero() {
	local dir=/run/systemd/system/tdxupdd.service.d
	mkdir -p $dir
	echo "tdx 0" >/run/tests/misc.current
	{
		echo "[Service]"
		if [ "$(systemd_version)" -ge 257 ]; then
			echo "ProtectControlGroups=${1:-strict}"
		else
			echo TemporaryFileSystem=/sys/fs/cgroup
		fi
		echo BindReadOnlyPaths=/run/tests/misc.current:/sys/fs/cgroup/misc.current
	} >$dir/zero.conf
	systemctl daemon-reload
}

drop_own_zero() {
	[ -e /run/systemd/system/tdxupdd.service.d/zero.conf ] || return 0
	rm -r /run/systemd/system/tdxupdd.service.d
	systemctl daemon-reload
}
