# Runs one script on this node so that it outlives the connection, and sends
# its log. This text comes over stdin of `sh`, after lines that define `dir`,
# `skip`, `limit`, `put_script` and `put_env`; nothing happens before the last
# line, so a text that was cut off does nothing.
#
# In $dir: script, env, wrapper; `boot`, the boot id and the pid of the shell
# that starts it; `pid`, the wrapper, which leads a session of its own; `log`,
# stdout and stderr in the order they came; `status`, the exit status or
# `timed-out`, there once it has ended. `pid`, `status` and `timed-out` are
# made from files that were written before: a full disk must not lose them.
#
# Answers: on stdout, behind whatever a login shell printed, the line
# `muster-log N`, then the log without its first N lines;
# on stderr at last `muster-exit CODE`, `muster-timed-out` or `muster-failed WHY`.

fail() { printf 'muster-failed %s\n' "$*" >&2; exit 0; }
nap() { sleep 0.2 2>/dev/null || sleep 1; }
alive() { kill -0 "$1" 2>/dev/null; }
# Writes a word into a file; an existing file needs no more space.
word() { printf '%-16s\n' "$2" 1<>"$1"; }
boot_id() { cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo unknown; }

# Without setsid (util-linux, busybox) a script's children outlive its time limit.
if command -v setsid >/dev/null 2>&1; then apart="setsid"; else apart="nohup"; fi

# Why nothing can be written, if the disk has no block or no inode left.
if_full() {
    for unit in k i; do
        free=$(df "-P$unit" "${HOME:-/}" 2>/dev/null | {
            read -r x
            read -r x all x free x
            # Some file systems count no inodes.
            [ "$all" = 0 ] || echo "$free"
        })
        if [ "$free" = 0 ]; then echo "$1the node's disk is full"; return; fi
    done
}

put_wrapper() { cat <<'END_OF_WRAPPER'
dir=$1 limit=$2 apart=$3
umask "$4"
exec 2>/dev/null
case $apart in setsid) own=setsid group=-;; *) own='' group='';; esac

$own sh -c '. "$0/env"; exec sh "$0/script"' "$dir" 2>&1 &
child=$!
# `kill -TERM -5` is the one form that dash, bash and busybox all take.
$own sh -c 'sleep "$2"
    mv "$1/untimed" "$1/timed-out"
    kill -TERM "$3"
    sleep 0.2
    for _ in 1 2 3 4 5; do kill -0 "$3" || exit; sleep 1; done
    kill -KILL "$3"' watchdog "$dir" "$limit" "$group$child" </dev/null >/dev/null &
watchdog=$!
wait "$child"
code=$?
if [ -e "$dir/timed-out" ]; then
    wait "$watchdog"
    code=timed-out
else
    # A watchdog that is just starting leads no group yet.
    until kill -KILL "$group$watchdog"; do kill -0 "$watchdog" || break; done
fi
umask 077
printf '%-16s\n' "$code" 1<>"$dir/status.new" && mv "$dir/status.new" "$dir/status"
END_OF_WRAPPER
}

# A line of muster's own, on a line of its own.
note() {
    [ -z "$(tail -c 1 "$dir/log" 2>/dev/null)" ] || echo
    echo "muster: $*"
}

prepare() {
    put_script >"$dir/script" && put_env >"$dir/env" && put_wrapper >"$dir/wrapper" &&
        : >>"$dir/log" && rm -f "$dir/pid" "$dir/timed-out" && : >"$dir/untimed" &&
        word "$dir/pid.new" '' && word "$dir/status.new" '' &&
        echo "$(boot_id) $$" >"$dir/boot.new" && mv "$dir/boot.new" "$dir/boot"
}

start() {
    if ! prepare; then
        why=$(if_full ': ')
        [ -s "$dir/log" ] || rm -rf "$dir"
        fail "can't write to $dir$why"
    fi
    $apart sh "$dir/wrapper" "$dir" "$limit" "$apart" "$mask" </dev/null >>"$dir/log" 2>&1 &
    pid=$!
    word "$dir/pid.new" "$pid" && mv "$dir/pid.new" "$dir/pid"
}

# Renaming `boot` is the claim: of two only one succeeds.
start_again() {
    mv "$dir/boot" "$dir/boot.old" 2>/dev/null || return 1
    line=$(note "$1")
    echo "$line" >>"$dir/log"
    start
}

start_or_attach() {
    if mkdir "$dir" 2>/dev/null; then start; return; fi
    # It is there: another connection began it. That one is microseconds from
    # writing `boot` and `pid`, or was ended right there.
    [ -d "$dir" ] || fail "can't make $dir$(if_full ': ')"
    now=$(boot_id) left=50
    while [ ! -s "$dir/status" ]; do
        boot='' starter=''
        [ ! -s "$dir/boot" ] || read -r boot starter <"$dir/boot"
        if [ -z "$boot" ]; then :
        elif [ "$boot" != "$now" ]; then
            if start_again "the node has restarted; this step runs again"; then return; fi
        elif [ -s "$dir/pid" ]; then read -r pid <"$dir/pid"; return
        elif ! alive "$starter"; then
            if start_again "the start was interrupted; this step starts again"; then return; fi
        fi
        left=$((left - 1))
        if [ "$left" -eq 0 ]; then rm -rf "$dir"; mkdir "$dir" && start; return; fi
        nap
    done
}

# GNU tail wakes by inotify and ends with the wrapper; any other shell's means poll.
follow() {
    if [ -s "$dir/status" ]; then
        printf '\nmuster-log %s\n' "$skip"
        tail -n "+$((skip + 1))" "$dir/log"
    elif tail --pid=$$ -c 0 /dev/null 2>/dev/null; then
        printf '\nmuster-log %s\n' "$skip"
        tail -s 0.1 --pid="$pid" -n "+$((skip + 1))" -f "$dir/log" 2>/dev/null
    else
        printf '\nmuster-log 0\n'
        poll
    fi
}

poll() {
    exec 3<"$dir/log"
    last=
    until [ -n "$last" ]; do
        if [ -s "$dir/status" ] || ! alive "$pid"; then last=1; fi
        cat <&3 || exit 0
        [ -n "$last" ] || nap
    done
}

verdict() {
    if [ ! -s "$dir/status" ]; then
        # Whatever stopped the following, the script continues.
        if alive "$pid"; then exit 0; fi
        [ -s "$dir/status" ] || killed
    fi
    [ ! -s "$dir/status" ] || read -r code <"$dir/status"
    case $code in
        timed-out) echo muster-timed-out >&2 ;;
        0) echo 'muster-exit 0' >&2 ;;
        *)
            why=$(if_full '')
            [ -z "$why" ] || note "$why"
            # An older muster may have left an empty status behind.
            echo "muster-exit ${code:-137}" >&2
            ;;
    esac
}

killed() {
    code=137
    line=$(note "something on the node killed this step")
    echo "$line"
    echo "$line" >>"$dir/log"
    word "$dir/status.new" 137 && mv "$dir/status.new" "$dir/status"
}

main() {
    mask=$(umask)
    umask 077
    cd "${HOME:-/}" || fail "no home folder"
    dir=${HOME:-}/$dir
    mkdir -p "${dir%/*}" 2>/dev/null || fail "can't make ${dir%/*}$(if_full ': ')"
    pid='' code=''
    start_or_attach
    follow
    verdict
}

main
