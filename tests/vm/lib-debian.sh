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

# debian_system ROOT PACKAGES SUITE [OTHER...]: a minimal system of SUITE in ROOT, with these
# packages (words) and no documentation; PACKAGE/OTHER is that of another suite
debian_system() {
	local root=$1 packages=$2 sources
	shift 2
	rm -rf "${root:?}"
	mkdir -p "${root%/*}"
	sources=$(debian_sources "$@")
	mmdebstrap --variant=minbase --architectures=amd64 --mode=root \
		--include="$packages" \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"$1" "$root" - <<<"$sources" >&2
}
