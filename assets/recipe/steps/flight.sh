# Quokka's Arrow Flight server on 5005, pyquokka's own file, kept alive by a
# small loop: when it dies it is started again. An earlier one is ended first.
need_venv
flight=$(python3 -c 'import importlib.util as u; print(u.find_spec("pyquokka").submodule_search_locations[0])')/flight.py
[ -r "$flight" ] || die "pyquokka has no $flight"

# The loop leads a group of its own, so that its end is the server's as well.
if [ -s "$run/flight.pid" ]; then
    pid=$(cat "$run/flight.pid")
    # Numbers are used again: only one that runs the loop is ours.
    if [ -r "/proc/$pid/cmdline" ] && tr '\000' ' ' <"/proc/$pid/cmdline" | grep -q muster-flight; then
        kill -TERM "-$pid" 2>/dev/null || true
        # Until the port is free: the next one can't start before.
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            kill -0 "-$pid" 2>/dev/null || break
            sleep 0.5
        done
        kill -KILL "-$pid" 2>/dev/null || true
    fi
    rm -f "$run/flight.pid"
fi

# shellcheck disable=SC2016 # the loop expands them
setsid sh -c '
    echo $$ >"$1/flight.pid"
    while :; do
        python3 "$2" >>"$1/flight.log" 2>&1
        echo "flight ended with exit status $?; it is started again" >>"$1/flight.log"
        sleep 1
    done' muster-flight "$run" "$flight" </dev/null >/dev/null 2>&1 &

open='import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1).close()'
left=60
until python3 -c "$open" "$MUSTER_PORT_FLIGHT" 2>/dev/null; do
    left=$((left - 1))
    if [ "$left" -eq 0 ]; then
        tail -n 5 "$run/flight.log" || true
        die "Flight does not answer on $MUSTER_PORT_FLIGHT"
    fi
    sleep 0.5
done
say "Flight answers on $MUSTER_PORT_FLIGHT"
