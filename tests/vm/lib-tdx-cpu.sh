# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Guests whose CPU is a TDX host's: the plugin for QEMU that makes it one, and what their
# tests take. Sourced after lib-root.sh and lib-guest.sh.
: "${cache:?}"
bed_source=$(readlink -f "${BASH_SOURCE[0]%/*}/../..")

# bed_plugin WORK: WORK/tdx-cpu/tdx-cpu.so, and its own tests, as a result line
bed_plugin() {
	local work=$1
	rm -rf "$work/tdx-cpu"
	if in_root "$bed_source=/source" "$work=/work" -- \
		/source/tests/vm/tdx-cpu/build /source /work/tdx-cpu >"$work/tdx-cpu.log" 2>&1; then
		echo "PASSED tdx-cpu"
	else
		tail -n 60 "$work/tdx-cpu.log" >&2
		echo "FAILED tdx-cpu"
	fi
}

# bed_modules ROOT KERNEL RELEASE [EXTRA...]: KVM, mainline's driver, and what comes before it
bed_modules() {
	local root=$1 kernel=$2 release=$3 to module
	shift 3
	to=$root/usr/lib/modules/$release
	rm -rf "${to:?}"
	mkdir -p "$to/updates" "$root/etc/modprobe.d"
	while IFS= read -r module; do
		install -D -m 0644 "$module" "$to/${module#*/lib/modules/"$release"/}"
	done < <(module_files "$kernel" "$release" kvm-intel tdx-host)
	cp "$kernel/lib/modules/$release"/modules.{builtin,builtin.modinfo,order} "$to/"
	[ $# = 0 ] || cp "$@" "$to/updates/"
	echo "options kvm-intel tdx=1" >"$root/etc/modprobe.d/kvm-intel.conf"
	guest_depmod "$root" "$release"
}

# bed_faults WORK TREE: WORK/faults/*.ko, for the kernel of TREE, as a result line
bed_faults() {
	local work=$1 tree=$2
	rm -rf "$work/faults"
	cp -r "$bed_source/tests/vm/bed/modules" "$work/faults"
	module_check bed-faults "$work/faults.log" \
		make -s -C "$tree" M="$work/faults" W=1 modules
}

# bed_images DIR MKIMAGE: two that hash as 1.5.06 does, two that do not, one that can be asked
# to refuse an update inside a build, and one that has that one's handoff and can not
bed_images() {
	local dir=$1 mkimage=$2 common=container=0x200,svn=0x0120,features0=0x226f3f0fbf
	mkdir -p "$dir"
	"$mkimage" "$dir" "1.5.20,$common,ctx=0x106,file=same-context" \
		"1.5.20,$common,ctx=0x106,salt=2,file=same-context2" \
		"1.5.21,$common,ctx=2,file=other-context" \
		"1.5.22,$common,ctx=3,file=third-context" \
		"1.5.23,container=0x200,svn=0x0120,features0=0x80226f3f0fbf,hv=1,ctx=3,file=guarding" \
		"1.5.24,$common,hv=1,ctx=3,file=unguarding" \
		>/dev/null
}

# bed_tests ROOT BUILD TREE: the tests, their programs and images; TREE is the kernel's, for
# its headers
bed_tests() {
	local root=$1 build=$2 tree=$3 here program
	here=$bed_source/tests/vm
	mkdir -p "$root/tests/host"
	cp "$here"/guest/{runner,lib.sh,lib-daemon.sh} "$here"/bed/{lib-bed.sh,test-*} \
		"$root/tests/"
	for program in guest/poke bed/td-build bed/tdx-cpu bed/hostile; do
		gcc -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -I "$tree/usr/include" \
			-o "$root/tests/${program#*/}" "$here/$program.c"
	done
	bed_images "$root/tests/images" "$build/tests/lib/mkimage"
	"$build/tests/lib/mkimage" "$root/tests/host" \
		1.5.17,svn=0x010C,features0=0x226F3F0FBF >/dev/null
	"$build/tests/lib/mkimage" --signer >"$root/tests/signer"
	guest_published "$root/tests"
	guest_unit "$root"
}
