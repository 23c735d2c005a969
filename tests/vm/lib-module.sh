# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Builds kernel/ for a Debian kernel. Sourced after lib-debian.sh and lib-root.sh.
module_source=$(readlink -f "${BASH_SOURCE[0]%/*}/../../kernel")
module_sparse=${module_source%/kernel}/tests/vm/sparse

# module_make RELEASE DIR [ARG...]: with the compiler of this machine. BTF would want the
# kernel's own, which the headers had to lose.
module_make() {
	local release=$1 dir=$2
	shift 2
	"$module_source/build-module" "$module_source" \
		"${cache:?}/kernels/$release/usr/src/linux-headers-$release" "$dir" \
		CONFIG_DEBUG_INFO_BTF_MODULES= "$@"
}

# module_make_in_root RELEASE DIR [ARG...]: the same with the compiler of the root that is
# open, for kernels that this machine's is too old for; objtool wants /proc
module_make_in_root() {
	local release=$1 dir=$2
	shift 2
	mkdir -p "$dir"
	in_root "$module_source=/source" "$dir=/build" -- /source/build-module /source \
		"/usr/src/linux-headers-$release" /build CONFIG_DEBUG_INFO_BTF_MODULES= "$@"
}

# module_check NAME LOG COMMAND...: a result line; whatever the command says is a failure
module_check() {
	local name=$1 log=$2
	shift 2
	if "$@" >"$log" 2>&1 && [ ! -s "$log" ]; then
		echo "PASSED $name"
	else
		cat "$log" >&2
		echo "FAILED $name"
	fi
}

# module_build WORK RELEASE MAKE: WORK/module/tdx-host-sim.ko, by one of the two above; a
# result line a check
module_build() {
	local work=$1 release=$2 make=$3
	rm -rf "$work/module" "$work/sparse"
	module_check build-W1 "$work/module.log" "$make" "$release" "$work/module" W=1
	# For newer kernels: native.
	[ "$make" = module_make_in_root ] ||
		module_check sparse "$work/sparse.log" "$make" "$release" "$work/sparse" C=2 \
			"CHECK=$module_sparse"
}
