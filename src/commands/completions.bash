# Completions of BIN for bash 4 and later, as `BIN completions bash` prints them.
_NAME() {
    local whole=() word begun=false i
    # readline cuts words at = and :, and BIN does not.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i > 1)) && { [[ $word == [=:]* ]] || $begun; }; then
            whole[${#whole[@]} - 1]+=$word
        else
            whole+=("$word")
        fi
        [[ $word == *[=:] ]] && begun=true || begun=false
    done
    local last=${whole[${#whole[@]} - 1]} cut=""
    [[ $last == *[=:]* ]] && cut=${last%"${last##*[=:]}"}
    local found=() help=() line
    while IFS= read -r line; do
        word=${line%%$'\t'*}
        found+=("${word#"$cut"}")
        help+=("${line#*$'\t'}")
    done < <(ASKED=bash PROGRAM -- "${whole[@]}" 2>/dev/null)
    COMPREPLY=("${found[@]}")
    # Where bash only lists them there is room for what is known of each.
    if ((${#found[@]} > 1)) && [[ $COMP_TYPE == 63 || $COMP_TYPE == 33 || $COMP_TYPE == 64 ]]; then
        for i in "${!found[@]}"; do
            [[ -n ${help[i]} ]] && COMPREPLY[i]=$(printf '%-28s  (%s)' "${found[i]}" "${help[i]}")
        done
    fi
    if ((${#found[@]} == 1)) && [[ ${found[0]} == *[=/] ]]; then
        compopt -o nospace
    fi
}
complete -o bashdefault -o nosort -F _NAME BIN
