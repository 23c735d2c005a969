# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Kernels to build for and to boot: a Debian suite's own, and two of ours from its source: one
# that looks hard at what modules do, and a TDX host's. Sourced after lib-debian.sh, with a
# suite open.
: "${cache:?}"

# kernel_of_suite DIR: the suite's kernel with what building modules for it takes; sets
# kernel_release
kernel_of_suite() {
	local dir=$1 image headers
	image=$(debian_depends linux-image-amd64 '^linux-image-[0-9]')
	[ -n "$image" ] || { echo "debian: no kernel in this suite" >&2; return 1; }
	kernel_release=${image#linux-image-}
	headers=linux-headers-$kernel_release
	[ ! -e "$dir/$kernel_release/done" ] || return 0

	rm -rf "${dir:?}/$kernel_release"
	# Newer suites have the image in three packages of its own, and all of it below usr.
	# shellcheck disable=SC2046 # one word each
	debian_unpack "$dir/$kernel_release" "$image" \
		$(debian_depends "$image" '^linux-base-[0-9]') \
		$(debian_depends "$image" '^linux-binary-') \
		$(debian_depends "$image" '^linux-modules-') \
		"$headers" "$(debian_depends "$headers" '-common$')" \
		"$(debian_depends "$headers" '^linux-kbuild-')"
	if [ ! -e "$dir/$kernel_release/lib" ]; then
		ln -s usr/lib "$dir/$kernel_release/lib"
		mkdir -p "$dir/$kernel_release/boot"
		ln -s "../lib/modules/$kernel_release/vmlinuz" \
			"$dir/$kernel_release/boot/vmlinuz-$kernel_release"
	fi
	# What the package's own scripts would do.
	[ -e "$dir/$kernel_release/lib/modules/$kernel_release/modules.dep" ] ||
		depmod -b "$dir/$kernel_release" "$kernel_release"
	# The only absolute paths in there; and BTF that pahole would be needed for.
	sed -i "s|\([ =]\)/usr/src|\1$dir/$kernel_release/usr/src|" \
		"$dir/$kernel_release/usr/src/$headers/Makefile"
	rm -f "$dir/$kernel_release/usr/src/$headers/vmlinux"
	touch "$dir/$kernel_release/done"
}

# kernel_source NAME KEY: sets kernel_tree to a tree of the suite's newest kernel source of
# its own, as unpacked where it was not `built` for KEY yet
kernel_source() {
	local package
	# shellcheck disable=SC2154 # debian_open has set it
	package=$(apt-cache "${debian_apt[@]}" search --names-only '^linux-source-[0-9]' |
		awk '{ print $1 }' | sort -V | tail -1)
	[ -n "$package" ] || { echo "kernel: no source in this suite" >&2; return 1; }
	kernel_tree=$cache/trees/$package-$1
	kernel_built=$kernel_tree/built-$(sha256sum <<<"$2" | cut -c 1-16)
	[ ! -e "$kernel_built" ] || return 0

	rm -rf "${kernel_tree:?}"
	debian_unpack "$kernel_tree.deb" "$package"
	mkdir -p "$kernel_tree"
	tar -C "$kernel_tree" --strip-components=1 -xf "$kernel_tree.deb/usr/src/$package.tar.xz"
	rm -rf "$kernel_tree.deb"
}

# kernel_configured OPTION...: fails for those that the configuration did not take
kernel_configured() {
	local option
	for option; do
		grep -q "^CONFIG_$option=[ym]" "$kernel_tree/.config" || {
			echo "kernel: $option cannot be had" >&2
			return 1
		}
	done
}

# What a guest takes: of all the rest of a kernel nothing, or it would take an hour to build.
kernel_small_options=(
	64BIT SMP HOTPLUG_CPU PCI ACPI X86_LOCAL_APIC HIGH_RES_TIMERS NO_HZ_IDLE RTC_CLASS
	RTC_DRV_CMOS VIRTIO_MENU VIRTIO_PCI BLOCK BLK_DEV VIRTIO_BLK TTY UNIX98_PTYS SERIAL_8250
	SERIAL_8250_CONSOLE BLK_DEV_INITRD RD_GZIP
	MISC_FILESYSTEMS EROFS_FS EROFS_FS_XATTR EROFS_FS_ZIP OVERLAY_FS PROC_FS SYSCTL SYSFS
	TMPFS TMPFS_POSIX_ACL TMPFS_XATTR DEVTMPFS DEBUG_FS AUTOFS_FS
	BINFMT_ELF BINFMT_SCRIPT MULTIUSER POSIX_TIMERS FUTEX EPOLL SIGNALFD TIMERFD EVENTFD AIO
	SHMEM ADVISE_SYSCALLS MEMBARRIER FILE_LOCKING INOTIFY_USER FHANDLE SYSVIPC POSIX_MQUEUE
	NET UNIX PACKET SECCOMP SECCOMP_FILTER
	CGROUPS CGROUP_PIDS CGROUP_MISC MEMCG CPUSETS CGROUP_SCHED FAIR_GROUP_SCHED
	NAMESPACES UTS_NS IPC_NS USER_NS PID_NS NET_NS
	MODULES MODULE_UNLOAD KALLSYMS PRINTK BUG
	FW_LOADER FW_UPLOAD FTRACE FUNCTION_TRACER KPROBES KPROBE_EVENTS FPROBE FPROBE_EVENTS
	CRYPTO CRYPTO_SHA512 CRYPTO_RSA)

# Everything that finds fault with a module.
kernel_debug_options=(
	PREEMPT_DYNAMIC
	DEBUG_KERNEL PROVE_LOCKING DEBUG_ATOMIC_SLEEP KASAN KASAN_GENERIC KASAN_VMALLOC
	DEBUG_KMEMLEAK DEBUG_OBJECTS DEBUG_OBJECTS_FREE DEBUG_OBJECTS_WORK DEBUG_OBJECTS_TIMERS
	DEBUG_LIST DETECT_HUNG_TASK
	FAULT_INJECTION FAULT_INJECTION_DEBUG_FS FAILSLAB FAIL_PAGE_ALLOC FAULT_INJECTION_STACKTRACE_FILTER
	FUNCTION_ERROR_INJECTION FAIL_FUNCTION)

# Mainline's own TDX host code and KVM's, for the CPU of tests/vm/tdx-cpu.
kernel_host_options=(
	CPU_SUP_INTEL X86_MCE X86_X2APIC IA32_FEAT_CTL HYPERVISOR_GUEST
	MIGRATION COMPACTION CMA CONTIG_ALLOC KEXEC_CORE KEXEC_FILE TRANSPARENT_HUGEPAGE
	MEMFD_CREATE VIRTUALIZATION VIRT_DRIVERS INTEL_TDX_HOST KVM_INTEL_TDX)
kernel_host_modules=(KVM KVM_INTEL TDX_HOST_SERVICES)

# kernel_own NAME LINE...: sets kernel_tree to a kernel that is built of these lines of a
# configuration and of nothing else but what they need
kernel_own() {
	local name=$1 options
	shift
	kernel_source "$name" "$*"
	[ ! -e "$kernel_built" ] || return 0
	mapfile -t options < <(printf '%s\n' "$@" | sed -n 's/^CONFIG_\(.*\)=[ym]$/\1/p')
	(
		cd "$kernel_tree" || exit
		{
			printf '%s\n' "$@" "CONFIG_LOCALVERSION=\"-tdxupd-$name\""
			echo '# CONFIG_LOCALVERSION_AUTO is not set'
		} >fragment
		KCONFIG_ALLCONFIG=fragment make -s allnoconfig
		kernel_configured "${options[@]}"
		make -s -j"$(nproc)" bzImage modules
	) >&2
	touch "$kernel_built"
}

# kernel_installed DIR: the kernel of kernel_tree as DIR/RELEASE, as kernel_of_suite makes it;
# sets kernel_release
kernel_installed() {
	local root
	kernel_release=$(make -s -C "$kernel_tree" kernelrelease)
	root=$1/$kernel_release
	rm -rf "${root:?}"
	mkdir -p "$root"/{boot,usr/src}
	make -s -C "$kernel_tree" INSTALL_MOD_PATH="$root" modules_install >&2
	cp "$kernel_tree/arch/x86/boot/bzImage" "$root/boot/vmlinuz-$kernel_release"
	ln -s "$kernel_tree" "$root/usr/src/linux-headers-$kernel_release"
}

# kernel_debug DIR
kernel_debug() {
	local options=("${kernel_small_options[@]}" "${kernel_debug_options[@]}")
	options=("${options[@]/%/=y}" DEBUG_KMEMLEAK_MEM_POOL_SIZE=40000)
	kernel_own debug "${options[@]/#/CONFIG_}"
	kernel_installed "$1"
}

# kernel_series: the patches, without the letter that goes with them
kernel_series() {
	local patch
	for patch in "${BASH_SOURCE[0]%/*}"/../../kernel/patches/[0-9]*.patch; do
		[[ $patch = */0000-* ]] || readlink -f "$patch"
	done
}

# kernel_patched DIR: the kernel that kernel_host has made, with kernel/patches
kernel_patched() {
	local plain=$kernel_tree patches=() patch
	mapfile -t patches < <(kernel_series)
	kernel_tree=$plain-patched
	kernel_built=$kernel_tree/built-$(cat "${patches[@]}" | sha256sum | cut -c 1-16)
	if [ ! -e "$kernel_built" ]; then
		rm -rf "${kernel_tree:?}"
		cp -a --reflink=auto "$plain" "$kernel_tree"
		for patch in "${patches[@]}"; do
			patch -s -d "$kernel_tree" -p1 <"$patch" >&2
		done
		(
			cd "$kernel_tree" || exit
			scripts/config --set-str LOCALVERSION "-tdxupd-patched"
			make -s -j"$(nproc)" bzImage modules
		) >&2
		touch "$kernel_built"
	fi
	kernel_installed "$1"
}

# kernel_host_tree [NAME OPTION...]: sets kernel_tree to a TDX host's, or to a variant of it
kernel_host_tree() {
	local name=${1:-host} options
	shift $(($# < 1 ? $# : 1))
	options=("${kernel_small_options[@]/%/=y}" "${kernel_host_options[@]/%/=y}"
		"${kernel_host_modules[@]/%/=m}" "${@/%/=y}")
	kernel_own "$name" "${options[@]/#/CONFIG_}"
	# What programs in its guests are built with.
	[ -e "$kernel_tree/usr/include/linux/kvm.h" ] || make -s -C "$kernel_tree" headers >&2
}

# kernel_host DIR [NAME OPTION...]: the same, as kernel_of_suite makes them
kernel_host() {
	kernel_host_tree "${@:2}"
	kernel_installed "$1"
}
