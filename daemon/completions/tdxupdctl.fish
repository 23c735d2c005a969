# SPDX-License-Identifier: LGPL-2.1-or-later
# fish completion for tdxupdctl(1); see tdxupdctl.bash for where the words come from.

function __tdxupdctl
    timeout 1 tdxupdctl --no-start --no-legend $argv 2>/dev/null </dev/null | awk '{ print $1 }'
end

# The first digits of the names of stored images.
function __tdxupdctl_stored
    timeout 1 tdxupdctl --no-start --json=short list 2>/dev/null </dev/null | grep -o 'tdxupd[\\]*/images[\\]*/[0-9a-f]\{16\}' | sed 's|.*/||'
end

function __tdxupdctl_verbs
    tdxupdctl --help 2>/dev/null | sed -n '/^Verbs:/,/^$/s/^  \([a-z-]*\) .*  \(.*\)$/\1\t\2/p'
end

function __tdxupdctl_options
    tdxupdctl --help 2>/dev/null | sed -n 's/^ .*\(--[a-z-]*\)[=[ ][^ ]*  *\(.*\)$/\1\t\2/p'
end

complete -c tdxupdctl -n __fish_use_subcommand -f -a '(__tdxupdctl_verbs)'
complete -c tdxupdctl -n 'string match -q -- "-*" (commandline -ct)' -f -a '(__tdxupdctl_options)'
complete -c tdxupdctl -n '__fish_seen_subcommand_from plan update is-current pin' -f -a '(__tdxupdctl list)'
complete -c tdxupdctl -n '__fish_seen_subcommand_from hold' -f -a 'all (__tdxupdctl list)'
complete -c tdxupdctl -n '__fish_seen_subcommand_from unhold' -f -a '(__tdxupdctl holds)'
complete -c tdxupdctl -n '__fish_seen_subcommand_from guard inhibit' -f -a '(__fish_complete_command)'
complete -c tdxupdctl -n '__fish_seen_subcommand_from watch cancel' -f -a '(__tdxupdctl jobs)'
complete -c tdxupdctl -n '__fish_seen_subcommand_from image; and not __fish_seen_subcommand_from show verify convert join import remove vacuum' -f -a 'show verify convert join import remove vacuum'
complete -c tdxupdctl -n '__fish_seen_subcommand_from image; and __fish_seen_subcommand_from remove' -f -a '(__tdxupdctl_stored)'
complete -c tdxupdctl -n '__fish_seen_subcommand_from image; and __fish_seen_subcommand_from vacuum' -f
complete -c tdxupdctl -n '__fish_seen_subcommand_from catalog' -f -a 'check graph'
complete -c tdxupdctl -n '__fish_seen_subcommand_from config' -f -a show
complete -c tdxupdctl -n '__fish_seen_subcommand_from attest; and not __fish_seen_subcommand_from show export' -f -a 'show export'
complete -c tdxupdctl -n '__fish_seen_subcommand_from attest; and __fish_seen_subcommand_from show export' -f -a '(__tdxupdctl list)'
