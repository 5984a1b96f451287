# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Completion of vmring-agent and vmring-bridge for bash.
#
# What there is to complete is asked of the program itself, by its --help and
# its lists, so that it is what this program takes: nothing here has to be kept
# in step with it.
#
# What others have named, domains and sockets, goes into a command line of root's
# only if the shell takes none of it for its own; a domain then goes by its id.

# The options as the program has them: "-f --format=text|json", "--quiet"; and
# "--sort=TIME?" where the argument may be left out.
_vmring_options()
{
    "$1" --help 2>/dev/null | grep -E '^ +(-[[:alpha:]], +)?--' | sed -E '
        s/^ +(-.),/\1/; s/^ +//
        s/ +(--[^ ]*).*/ \1/; s/^(--[^ ]*).*/\1/
        s/\[=(.*)\]$/=\1?/'
}

# What the argument of such an option is called there: "text|json".
_vmring_argument()
{
    _vmring_options "$1" | awk -v option="$2" '{
        for (i = 1; i <= NF; i++) {
            split($i, part, "=")
            if (part[1] == option) {
                sub(/^[^=]*=?/, "", $NF)
                print $NF
                exit
            }
        }
    }'
}

# Events by their names, behind "a " or "a,"; and what may follow one.
_vmring_events()
{
    local agent=${1/%vmring-bridge/vmring-agent}

    "$agent" -e help 2>/dev/null | sed -nE 's/^  ([a-z0-9_]+)[:[ ].*/\1/p'
}

_vmring_modifiers()
{
    [[ $2 =~ ^[a-z0-9_]+$ ]] || return
    "$1" -e help 2>/dev/null | sed -nE "s/^  $2(\[?:.*)/\1/p" |
        grep -oE ':[a-z]+' | tr -d :
}

_vmring_fields()
{
    "$1" -F help 2>/dev/null |
        sed -nE 's/^  ([a-z0-9_]+)  .*/\1/p; s/^    ([a-z0-9_ ]+)$/\1/p'
}

_vmring_verdicts()
{
    "$1" --allow-verdicts '?' x 2>&1 | sed -nE 's/.*they are //p' |
        tr -d ';' | sed 's/, or/ /g; s/ or / /g' | tr ',' ' '
}

# Keys of a simulated guest; those of one, with "=", or the words it takes.
_vmring_keys()
{
    "$1" sim:help 2>/dev/null | awk '/^  key /{ in_keys = 1; next }
        !/^  /{ in_keys = 0 } in_keys { print $1 "=" }'
}

_vmring_key_words()
{
    "$1" sim:help 2>/dev/null |
        awk -v key="$2" '$1 == key && $3 == "or" { print $2, $4 }'
}

# Of those that run now, where this user may know.
_vmring_domains()
{
    timeout 2 xl list 2>/dev/null | awk '
        NR > 1 && $(NF - 4) ~ /^[1-9][0-9]*$/ {
            print $(NF - 4)
            if (NF == 6 && $1 ~ /^[A-Za-z0-9_][A-Za-z0-9._+-]*$/)
                print $1
        }'
}

_vmring_sockets()
{
    local socket

    set +o noglob
    for socket in "${VMRING_COMPLETION_RUN:-/run/vmring}"/*.sock; do
        [[ -e $socket && $socket =~ ^[A-Za-z0-9._+/-]+$ ]] && printf 'local:%s\n' "$socket"
    done
}

# Adds those of some words that begin as what was typed, behind `before`.
_vmring_add()
{
    local before=$1 word
    shift

    for word; do
        if [[ $before$word == "$typed"* ]]; then
            word=$before$word
            # Readline has kept what is before its own last break.
            COMPREPLY+=("${word#"$kept"}")
        fi
    done
}

_vmring_files()
{
    local before=$1 files

    # A name with a line's end in it is none that can be told here.
    mapfile -t files < <(compgen -f -- "${typed#"$before"}")
    _vmring_add "$before" "${files[@]}"
    compopt -o filenames
}

# No space behind what goes on.
_vmring_goes_on()
{
    compopt -o nospace
}

_vmring_endpoint()
{
    local keys

    case $typed in
    sim:*)
        keys=${typed%"${typed##*[:,]}"}
        if [[ ${typed#"$keys"} == *=* ]]; then
            # shellcheck disable=SC2046
            _vmring_add "${typed%"${typed##*=}"}" \
                $(_vmring_key_words "$1" "$(x=${typed##*[:,]}; echo "${x%%=*}")")
        else
            # shellcheck disable=SC2046
            _vmring_add "$keys" $(_vmring_keys "$1") \
                $([[ $keys == sim: ]] && echo help)
        fi
        _vmring_goes_on
        ;;
    local:*)
        # shellcheck disable=SC2046
        _vmring_add '' $(_vmring_sockets)
        [[ ${#COMPREPLY[@]} -gt 0 ]] || _vmring_files local:
        ;;
    domain:*)
        # shellcheck disable=SC2046
        _vmring_add domain: $(_vmring_domains)
        ;;
    *)
        # shellcheck disable=SC2046
        _vmring_add '' $(_vmring_domains)
        if [[ $1 == *vmring-agent ]]; then
            # shellcheck disable=SC2046
            _vmring_add '' $(_vmring_sockets) local: grant: xen: fd:
        fi
        _vmring_add '' sim: domain:
        [[ ${COMPREPLY[*]} != *: ]] || _vmring_goes_on
        ;;
    esac
}

# The argument of an option, of which typed is the beginning.
_vmring_value()
{
    local program=$1 option=$2 before kind
    local list=${typed%"${typed##*[ ,]}"}

    kind=$(_vmring_argument "$program" "$option")
    kind=${kind%\?}
    case $kind in
    EVENTS)
        if [[ ${typed#"$list"} == *:* ]]; then
            before=${typed%"${typed##*:}"}
            # shellcheck disable=SC2046
            _vmring_add "$before" $(_vmring_modifiers "$program" \
                "$(x=${typed#"$list"}; echo "${x%%:*}")")
        else
            # shellcheck disable=SC2046
            _vmring_add "$list" $(_vmring_events "$program") help
        fi
        ;;
    LIST)
        if [[ $option == *verdicts ]]; then
            # shellcheck disable=SC2046
            _vmring_add "$list" $(_vmring_verdicts "$program")
        else
            # shellcheck disable=SC2046
            _vmring_add "$list" $(_vmring_events "$program") all none
        fi
        ;;
    EXPR)
        before=${typed%"${typed##*[!A-Za-z0-9_]}"}
        # shellcheck disable=SC2046
        _vmring_add "$before" $(_vmring_fields "$program") help
        ;;
    RULE)
        _vmring_add '' cr0: cr3 cr4: msr:
        _vmring_goes_on
        ;;
    FILE) _vmring_files '' ;;
    DOMAIN)
        # shellcheck disable=SC2046
        _vmring_add '' $(_vmring_domains)
        ;;
    NAME)
        # shellcheck disable=SC2046
        _vmring_add '' $(compgen -u)
        ;;
    local:*)
        if [[ $typed == local:* ]]; then
            _vmring_files local:
        else
            _vmring_add '' local:
            _vmring_goes_on
        fi
        ;;
    *)
        # "text|json"; what is in capitals stands for something else.
        # shellcheck disable=SC2046
        _vmring_add '' $(tr '|' '\n' <<<"$kind" | grep -E '^[a-z]+$')
        ;;
    esac
}

_vmring()
{
    local program=$1 line=${COMP_LINE:0:COMP_POINT}
    local word=${COMP_WORDS[COMP_CWORD]} typed kept='' previous option

    # Words are cut out of what programs print, and are no patterns.
    local -
    set -o noglob
    COMPREPLY=()
    if [[ $word == [\'\"]* ]]; then
        typed=${word:1}
        previous=${COMP_WORDS[COMP_CWORD - 1]}
        [[ $previous != = ]] || previous=${COMP_WORDS[COMP_CWORD - 2]}
    else
        # COMP_WORDS are cut at : and = as well.
        typed=${line##*[[:space:]]}
        kept=${typed%"${typed##*[:=]}"}
        line=${line%"$typed"}
        line=${line%"${line##*[![:space:]]}"}
        previous=${line##*[[:space:]]}
    fi

    if [[ $typed == --*=* ]]; then
        option=${typed%%=*}
        typed=${typed#*=}
        kept=${kept#*=}
        _vmring_value "$program" "$option"
    elif [[ $previous == -* &&
        $(_vmring_argument "$program" "$previous") == *[!?] ]]; then
        _vmring_value "$program" "$previous"
    elif [[ $typed == -* ]]; then
        # shellcheck disable=SC2046
        _vmring_add '' $(_vmring_options "$program" | tr ' ' '\n' |
            sed 's/=.*/=/')
        [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] ||
            _vmring_goes_on
    else
        _vmring_endpoint "$program"
    fi
} 2>/dev/null

complete -F _vmring vmring-agent vmring-bridge
