# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Packages of Debian suites this machine does not use itself, without touching its apt: own
# sources, lists and archives in the cache. Sourced; the caller runs under `set -euo pipefail`.

cache=${TDXUPD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tdxupd}
debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# debian_mirror: the one the machine's own sources name
debian_mirror() {
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
		awk '$2 !~ /security/ { sub("/$", "", $1); print $1; exit }'
}

# debian_sources SUITE...
debian_sources() {
	local suite mirror
	mirror=$(debian_mirror)
	for suite; do
		echo "deb [signed-by=$debian_keyring] $mirror $suite main"
	done
}

# debian_open NAME SUITE...: prepares and selects the private apt called NAME; the first
# suite is the one packages are taken from where several have them
debian_open() {
	local dir=$cache/apt/$1
	shift
	mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/none"
	debian_sources "$@" >"$dir/sources.list"
	debian_apt=(-o "Dir::Etc::sourcelist=$dir/sources.list" -o "Dir::Etc::sourceparts=$dir/none"
		-o "Dir::Etc::preferences=/dev/null" -o "Dir::Etc::preferencesparts=$dir/none"
		-o "Dir::State::lists=$dir/lists" -o "Dir::State::status=/dev/null"
		-o "Dir::Cache=$dir" -o "APT::Sandbox::User=root"
		-o "APT::Default-Release=$1" -o "APT::Architecture=amd64" -q)
	debian_dir=$dir

	# Lists of today will do, and without a network any will.
	if [ -z "$(find "$dir/updated" -mtime -1 2>/dev/null)" ]; then
		if apt-get "${debian_apt[@]}" update >&2; then
			touch "$dir/updated"
		elif [ ! -e "$dir/updated" ]; then
			echo "debian: no package lists for $*" >&2
			return 1
		fi
	fi
}

# debian_depends PACKAGE PATTERN: what a meta package stands for today
debian_depends() {
	apt-cache "${debian_apt[@]}" depends "$1" |
		awk -v pattern="$2" '$1 == "Depends:" && $2 ~ pattern { print $2; exit }'
}

# debian_unpack DIR PACKAGE...: downloaded once, unpacked without being installed
debian_unpack() {
	local dir=$1 package file
	shift
	mkdir -p "$dir"
	for package; do
		file=$debian_dir/archives/$(apt-get "${debian_apt[@]}" download --print-uris \
			"$package" | awk '{ print $2 }')
		if [ ! -s "$file" ]; then
			(cd "$debian_dir/archives/partial" &&
				apt-get "${debian_apt[@]}" download "$package" >&2)
			mv "$debian_dir/archives/partial/${file##*/}" "$file"
		fi
		dpkg-deb -x "$file" "$dir"
	done
}

# debian_kernel DIR: the suite's kernel with what building modules for it takes; sets
# kernel_release
debian_kernel() {
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

# debian_tdx_tree DIR: the suite's newest kernel source, configured with TDX host support
# (Debian's own kernel is not) and ready for building single directories and modules; sets
# kernel_tree
debian_tdx_tree() {
	local dir=$1 package
	package=$(apt-cache "${debian_apt[@]}" search --names-only '^linux-source-[0-9]' |
		awk '{ print $1 }' | sort -V | tail -1)
	[ -n "$package" ] || { echo "debian: no kernel source in this suite" >&2; return 1; }
	kernel_tree=$dir/$package-tdx
	[ ! -e "$kernel_tree/configured" ] || return 0

	rm -rf "${kernel_tree:?}"
	debian_unpack "$kernel_tree.deb" "$package"
	mkdir -p "$kernel_tree"
	tar -C "$kernel_tree" --strip-components=1 -xf "$kernel_tree.deb/usr/src/$package.tar.xz"
	rm -rf "$kernel_tree.deb"
	(
		cd "$kernel_tree" || exit
		make -s x86_64_defconfig
		scripts/config -e KVM -e KVM_INTEL -e INTEL_TDX_HOST -e KVM_INTEL_TDX -e CMA \
			-e COMPACTION -e FW_LOADER -e FW_UPLOAD -m TDX_HOST_SERVICES -e X86_X2APIC \
			-e KEXEC_CORE -e VIRT_DRIVERS -e CGROUP_MISC -e FUNCTION_TRACER -e FPROBE
		make -s olddefconfig
		grep -q '^CONFIG_INTEL_TDX_HOST=y' .config
		make -s -j2 modules_prepare
	) >&2
	touch "$kernel_tree/configured"
}
