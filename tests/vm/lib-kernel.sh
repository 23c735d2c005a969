# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Kernels to build for and to boot: a Debian suite's own, and its source configured for TDX.
# Sourced after lib-debian.sh, with a suite open.
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

# Debian's own kernel has no TDX host support.
kernel_tdx_options=(KVM KVM_INTEL INTEL_TDX_HOST KVM_INTEL_TDX CMA COMPACTION FW_LOADER
	FW_UPLOAD TDX_HOST_SERVICES X86_X2APIC KEXEC_CORE VIRT_DRIVERS CGROUP_MISC
	FUNCTION_TRACER FPROBE)

# kernel_tdx: sets kernel_tree to a source with TDX host support, ready for building single
# directories and modules
kernel_tdx() {
	kernel_source tdx "${kernel_tdx_options[*]}"
	[ ! -e "$kernel_built" ] || return 0
	(
		cd "$kernel_tree" || exit
		make -s x86_64_defconfig
		for option in "${kernel_tdx_options[@]}"; do
			scripts/config -e "$option"
		done
		scripts/config -m TDX_HOST_SERVICES
		make -s olddefconfig
		kernel_configured "${kernel_tdx_options[@]}"
		make -s -j2 modules_prepare
	) >&2
	touch "$kernel_built"
}
