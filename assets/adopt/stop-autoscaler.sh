# Runs on a head that `ray up` launched, before muster adopts its nodes: stops
# Ray's autoscaler, which relaunches instances that others terminate.
#
# It is ray/autoscaler/_private/monitor.py (or ray/autoscaler/v2/monitor.py)
# with --autoscaling-config, a process that nothing restarts. It is stopped with
# SIGKILL because on SIGTERM the monitor may terminate the workers (its handler
# does if RAY_AUTOSCALER_FATESHARE_WORKERS is 1).

command -v ps >/dev/null 2>&1 || { echo "ps is not there: install procps"; exit 3; }

monitors() {
    ps -e -o pid= -o args= | while read -r pid args; do
        case $args in
            *ray/autoscaler/*monitor.py*--autoscaling-config*) echo "$pid" ;;
        esac
    done
}

end() { kill -KILL "$1" 2>/dev/null || sudo -n kill -KILL "$1"; }

found=$(monitors)
[ -n "$found" ] || { echo "no autoscaler runs here"; exit 0; }
for pid in $found; do
    echo "ending the autoscaler, process $pid"
    end "$pid" || echo "process $pid can't be ended by $(id -un)"
done

# The process must have exited, and must not be back a second later.
left=50
while [ "$left" -gt 0 ]; do
    if [ -z "$(monitors)" ]; then
        sleep 1
        [ -n "$(monitors)" ] || { echo "the autoscaler is stopped"; exit 0; }
    fi
    left=$((left - 1))
    sleep 0.2 2>/dev/null || sleep 1
done
echo "the autoscaler still runs: $(monitors)"
exit 1
