# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest: a Debian's systemd, udev, D-Bus and polkit in an image that is made once, a
# second image with this tree and a kernel's modules on top of it, both read-only under a
# tmpfs. Sourced after lib-debian.sh.

: "${cache:?}"

guest_packages=(systemd systemd-sysv udev dbus kmod polkitd jq strace needrestart
	libeconf0 libjson-c5 libkmod2 libsmartcols1 libudev1)

# What a guest of ten seconds has no use for; with them the boot takes three times as long.
guest_masked=(getty.target getty-static.service serial-getty@ttyS0.service
	console-getty.service systemd-logind.service systemd-timesyncd.service
	systemd-random-seed.service systemd-update-utmp.service
	systemd-update-utmp-runlevel.service systemd-remount-fs.service
	systemd-journal-flush.service systemd-firstboot.service systemd-pstore.service
	systemd-machine-id-commit.service systemd-update-done.service
	systemd-binfmt.service systemd-hwdb-update.service systemd-sysusers.service
	systemd-user-sessions.service modprobe@.service dev-hugepages.mount
	apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer
	e2scrub_reap.service fstrim.timer motd-news.timer)

# guest_base SUITE: sets guest_base to the image that every guest starts from
guest_base() {
	local suite=$1 packages key root unit
	packages=("${guest_packages[@]}")
	case $suite in
	bookworm) packages+=(libssl3 libarchive13) ;;
	*) packages+=(libssl3t64 libarchive13t64) ;;
	esac
	key=$(printf '%s\n' "$suite" "${packages[@]}" "${guest_masked[@]}" |
		sha256sum | cut -c 1-16)
	guest_base=$cache/guest/$key.erofs
	[ ! -s "$guest_base" ] || return 0

	root=$guest_base.root
	debian_system "$root" "${packages[*]}" "$suite"
	for unit in "${guest_masked[@]}"; do
		ln -sf /dev/null "$root/etc/systemd/system/$unit"
	done
	# A machine that has booted before: no first-boot questions, no new id each time.
	echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
	echo tdx-vm >"$root/etc/hostname"

	mkfs.erofs --quiet -zlz4 "$guest_base.new" "$root" >&2
	rm -rf "${root:?}"
	mv "$guest_base.new" "$guest_base"
}

# module_files KERNEL RELEASE NAME...: the files of these modules and of what they need,
# in the order in which they go in
module_files() {
	local kernel=$1 release=$2 name
	shift 2
	for name; do
		modprobe -d "$kernel" -S "$release" --show-depends "$name" |
			awk '$1 == "insmod" { print $2 }'
	done | awk '!seen[$0]++'
}

# has_module KERNEL RELEASE NAME: as a file
has_module() { modinfo -b "$1" -k "$2" "$3" >/dev/null 2>&1; }

# guest_initrd FILE KERNEL RELEASE: finds the two images and starts their init
guest_initrd() {
	local file=$1 kernel=$2 release=$3 dir module name i=10
	local modules=(virtio_blk erofs overlay)
	# erofs needs it and does not say so; newer kernels have it built in.
	! has_module "$kernel" "$release" crc32c_generic ||
		modules=(crc32c_generic "${modules[@]}")
	dir=$(mktemp -d)
	mkdir -p "$dir"/{bin,dev,modules,base,project,rw,root}
	cp /bin/busybox "$dir/bin/"

	# busybox does not unpack modules.
	while IFS= read -r module; do
		name=$(basename "$module")
		case $name in
		*.xz) xz -dc "$module" >"$dir/modules/$i-${name%.xz}" ;;
		*.zst) zstd -dcq "$module" >"$dir/modules/$i-${name%.zst}" ;;
		*) cp "$module" "$dir/modules/$i-$name" ;;
		esac
		i=$((i + 1))
	done < <(module_files "$kernel" "$release" "${modules[@]}")

	cat >"$dir/init" <<-'INIT'
		#!/bin/busybox sh
		/bin/busybox --install -s /bin
		PATH=/bin
		set -e
		mount -t devtmpfs dev /dev
		for module in $(ls /modules); do insmod "/modules/$module"; done
		mount -t erofs -o ro /dev/vda /base
		mount -t erofs -o ro /dev/vdb /project
		mount -t tmpfs -o size=75% rw /rw
		mkdir /rw/upper /rw/work
		mount -t overlay -o lowerdir=/project:/base,upperdir=/rw/upper,workdir=/rw/work \
			overlay /root
		exec switch_root /root /sbin/init
	INIT
	chmod +x "$dir/init"
	(cd "$dir" && find . | cpio --quiet -o -H newc | gzip -1) >"$file"
	rm -rf "$dir"
}

# guest_modules ROOT KERNEL RELEASE EXTRA...: the few modules the tests want, and ours
guest_modules() {
	local root=$1 kernel=$2 release=$3 to module
	shift 3
	to=$root/usr/lib/modules/$release
	mkdir -p "$to/updates"
	if has_module "$kernel" "$release" kvm-amd; then
		while IFS= read -r module; do
			install -D -m 0644 "$module" "$to/${module#*/lib/modules/"$release"/}"
		done < <(module_files "$kernel" "$release" kvm-amd)
	fi
	cp "$kernel/lib/modules/$release"/modules.{builtin,builtin.modinfo,order} "$to/"
	cp "$@" "$to/updates/"
	guest_depmod "$root" "$release"
}

# guest_depmod ROOT RELEASE: of modules below usr
guest_depmod() {
	local root=$1 release=$2
	mkdir -p "$root.depmod/lib"
	ln -sfn "$root/usr/lib/modules" "$root.depmod/lib/modules"
	depmod -b "$root.depmod" "$release"
	rm -r "$root.depmod"
}

# guest_tests ROOT BUILD: the tests and what they take
guest_tests() {
	local root=$1 build=$2 here program mkimage
	here=$(dirname "${BASH_SOURCE[0]}")
	mkdir -p "$root/tests"
	cp "$here"/guest/{runner,lib*.sh,scenario,test-*,with-*} "$root/tests/"
	for program in poke tiny-kvm; do
		gcc -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -o "$root/tests/$program" \
			"$here/guest/$program.c"
	done
	# One of the daemon's own gate sources, on its own.
	# shellcheck disable=SC2046 # words
	gcc -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -I "$here/../../daemon" \
		-I "$here/../../libtdxupd" -o "$root/tests/watch-source" "$here/guest/watch-source.c" \
		"$build/daemon/libdaemon-common.a" "$build/libtdxupd/libtdxupd-all.a" \
		$(pkg-config --libs libsystemd libudev libeconf json-c libcrypto)

	# In the container that the kernel takes; the rest is for the daemon to choose from.
	mkdir -p "$root/tests/images"
	mkimage=${MKIMAGE:-$build/tests/lib/mkimage}
	"$mkimage" "$root/tests/images" 1.5.16,container=0x200,file=1.5.16 \
		1.5.08,container=0x200,file=1.5.08 \
		1.5.16,container=0x200,key=foreign,file=foreign \
		1.5.13,container=0x100,file=foreign-version \
		1.5.17,container=0x200,ctx=2,file=other-context \
		1.5.18,container=0x200,ctx=2,features0=0x80226f3f0fbf,hv=1,file=guarding \
		1.5.05,container=0x200,file=older \
		2.0.05,container=0x200,cpus=C06F0,file=other-series \
		1.5.16,container=0x200,cpus=A06F0,file=other-cpu \
		1.5.16,container=0x200,hv=1,min_hv=1,file=other-handoff \
		1.5.16,container=0x200,file=damaged >/dev/null
	printf X | dd of="$root/tests/images/damaged" bs=1 seek=9000 conv=notrunc status=none
	# For the daemon to choose from. Of versions that nobody published: it knows those.
	mkdir -p "$root/tests/host"
	"$mkimage" "$root/tests/host" \
		{1.5.07\,svn=0x0107,1.5.17\,svn=0x010C},features0=0x226F3F0FBF >"$root/tests/host.list"
	# What the simulated firmware starts with unless it is told otherwise.
	jq -r '.known_modules[] | select(.version == "1.5.06") |
		"- \(.version) \(.mrseam | ascii_downcase)"' \
		"$here/../../libtdxupd/known-modules.json" >>"$root/tests/host.list"
	guest_published "$root/tests"
	"$mkimage" --signer >"$root/tests/signer"
	guest_scenario "$root/tests" "$build"

	guest_unit "$root"
}

# guest_unit ROOT: a target that runs the tests and ends the guest
guest_unit() {
	local root=$1
	mkdir -p "$root/etc/systemd/system"
	cat >"$root/etc/systemd/system/tdx-vm.target" <<-UNIT
		[Unit]
		Requires=multi-user.target
		Wants=tdx-vm.service
		After=multi-user.target
	UNIT
	cat >"$root/etc/systemd/system/tdx-vm.service" <<-UNIT
		[Unit]
		After=multi-user.target
		[Service]
		Type=oneshot
		ExecStart=/tests/runner
		StandardOutput=tty
		StandardError=tty
		TTYPath=/dev/ttyS1
		ExecStopPost=/bin/systemctl poweroff -ff
	UNIT
}

# guest_published TESTS: Intel's images, which are not in this tree: those for the CPU that
# the guest has
guest_published() {
	local tests=$1 images=${TDXUPD_IMAGES:-}
	: "${images:=$(dirname "${BASH_SOURCE[0]}")/../../../shared/tdx-modules}"
	if [ ! -e "$images/mapping_file.json" ]; then
		echo "no published images in $images where this guest was made; set TDXUPD_IMAGES" \
			>"$tests/published.skipped"
		return
	fi
	mkdir "$tests/published"
	cp "$images"/{mapping_file.json,tdx_module_1.5.{01,06,16}.blob} "$tests/published/"
}

# guest_scenario TESTS BUILD: what the scenario says on tests/simhost, for comparison
guest_scenario() {
	local tests=$1 simhost=$2/tests/simhost root pid
	if [ ! -e /dev/fuse ]; then
		echo "no /dev/fuse for simhost where this guest was made" >"$tests/scenario.skipped"
		return
	fi
	root=$(mktemp -d)
	"$simhost/simhost" --lps 2 "$root" >"$root/ready" &
	pid=$!
	until [ -s "$root/ready" ] || ! kill -0 "$pid"; do sleep 0.05; done
	(
		ask() { "$simhost/simctl" "$root" "$*" 2>/dev/null; }
		restart() {
			ask boot
			ask set remaining=14 guard=yes patch=none
		}
		# shellcheck source-path=SCRIPTDIR source=guest/scenario
		. "$tests/scenario"
	) >"$tests/scenario.simhost" 2>"$tests/scenario.skipped"
	kill "$pid"
	wait "$pid" || true
	rm -rf "$root"
}
