# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for tdxupdctl(1). Verbs and options come from `tdxupdctl --help`, so that
# they can't be out of date; versions, jobs and holds from the daemon, none when it does
# not run.

# Ours must answer at once or not at all.
__tdxupdctl() { timeout 1 tdxupdctl --no-start --no-legend "$@" 2>/dev/null </dev/null || true; }

__tdxupdctl_verbs() { # [FIRST WORD]: first words, or what follows one
	tdxupdctl --help 2>/dev/null | awk -v first="${1:-}" '
		/^Verbs:/ { on = 1; next } /^$/ { on = 0 }
		on && first == "" { print $1 }
		on && $1 == first && $2 ~ /^[a-z]+$/ && second[first] { print $2 }
		BEGIN { second["image"] = second["catalog"] = second["config"] = second["attest"] = 1 }' |
		sort -u
}

# The first digits of the names of stored images.
__tdxupdctl_stored() {
	__tdxupdctl --json=short list | grep -o 'tdxupd[\]*/images[\]*/[0-9a-f]\{16\}' |
		sed 's|.*/||'
}

__tdxupdctl_options() {
	tdxupdctl --help 2>/dev/null | sed -n 's/^ .*\(--[a-z-]*\)[=[ ].*/\1/p'
}

_tdxupdctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} word words='' verb=()
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case $word in
		-* | =) ;;
		*) verb+=("$word") ;;
		esac
	done
	case $cur in
	--json*) words='--json=short --json=pretty --json=seq' ;;
	--mode*) words='--mode=block --mode=delay' ;;
	-*) words=$(__tdxupdctl_options) ;;
	*)
		case ${#verb[@]}:${verb[*]:0:2} in
		0:*) words=$(__tdxupdctl_verbs) ;;
		1:image | 1:catalog | 1:config | 1:attest) words=$(__tdxupdctl_verbs "${verb[0]}") ;;
		1:plan | 1:update | 1:is-current | 1:pin | 2:attest*)
			words=$(__tdxupdctl list | awk '{ print $1 }')
			;;
		1:hold) words="all $(__tdxupdctl list | awk '{ print $1 }')" ;;
		1:unhold) words=$(__tdxupdctl holds | awk '{ print $1 }') ;;
		1:watch | 1:cancel) words=$(__tdxupdctl jobs | awk '{ print $1 }') ;;
		*:"image remove") words=$(__tdxupdctl_stored) ;;
		*:"image vacuum") ;;
		*:image*) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
		*:guard* | *:inhibit*) mapfile -t COMPREPLY < <(compgen -c -- "$cur"); return ;;
		esac
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _tdxupdctl tdxupdctl
