# Quokka's Redis on the leader: on its private address for the nodes, on its
# loopback for itself. pyquokka gives no password, so who may come is the
# security group's to say.
server=$(program redis-server redis6-server) || die "redis-server is not installed"
cli=$(program redis-cli redis6-cli) || die "redis-cli is not installed"

port=$MUSTER_PORT_REDIS
answers() { [ "$("$cli" -h "$1" -p "$port" ping 2>/dev/null || true)" = PONG ]; }

if answers 127.0.0.1 && answers "$MUSTER_PRIVATE_IP"; then
    say "Redis answers on 127.0.0.1:$port and $MUSTER_PRIVATE_IP:$port already"
    exit 0
fi
# One that answers on loopback alone is an earlier one, or somebody else's.
if answers 127.0.0.1; then
    "$cli" -h 127.0.0.1 -p "$port" shutdown nosave || true
fi
# pyquokka calls none of these; an attacker could take over the instance with them.
set --
for command in CONFIG MODULE REPLICAOF SLAVEOF DEBUG MIGRATE SAVE BGSAVE BGREWRITEAOF \
    EVAL EVALSHA SCRIPT; do
    set -- "$@" --rename-command "$command" ''
done
"$server" --port "$port" --bind 127.0.0.1 "$MUSTER_PRIVATE_IP" --protected-mode no \
    --save '' --appendonly no --dir "$run" --daemonize yes \
    --pidfile "$run/redis.pid" --logfile "$run/redis.log" "$@" </dev/null

left=50
until answers 127.0.0.1 && answers "$MUSTER_PRIVATE_IP"; do
    left=$((left - 1))
    if [ "$left" -eq 0 ]; then
        tail -n 5 "$run/redis.log" || true
        die "Redis does not answer on $MUSTER_PRIVATE_IP:$port"
    fi
    sleep 0.2
done
say "Redis answers on 127.0.0.1:$port and $MUSTER_PRIVATE_IP:$port"
