# Runs one command on this node for as long as this connection lasts. This text
# comes over stdin of `sh`, after a line that sets `command`; nothing more comes
# there, so that the end of stdin is the connection's.
main() {
    # A login shell may have printed something, without an end of line.
    printf '\nmuster-begin\n'
    printf '\nmuster-begin\n' >&2
    exec 3<&0 </dev/null
    # bash reads its files where it thinks that sshd started it. It has already.
    unset SSH_CLIENT SSH2_CLIENT
    # The built-in recipe's environment: `ray`, and the python3 that Quokka runs in.
    [ ! -d "$HOME/.muster/venv/bin" ] || PATH=$HOME/.muster/venv/bin:$PATH
    # Without setsid (util-linux, busybox) only the shell itself is ended.
    if command -v setsid >/dev/null 2>&1; then own=setsid group=-; else own='' group=''; fi
    $own "${SHELL:-/bin/sh}" -c "$command" 3<&- &
    child=$!
    {
        cat <&3
        # `kill -TERM -5` is the one form that dash, bash and busybox all take.
        kill -TERM "$group$child"
        sleep 2
        kill -KILL "$group$child"
    } >/dev/null 2>&1 &
    watch=$!
    exec 3<&-
    wait "$child" 2>/dev/null
    code=$?
    kill "$watch" 2>/dev/null
    # After all output of the command. Processes that it left running are not waited for.
    printf '\nmuster-end-of-command\n'
    printf '\nmuster-end-of-command\n' >&2
    exit "$code"
}

main
