# Ray on every other node, the heads of the other regions included: each joins
# the leader under its own private address.
need_venv
RAY_USAGE_STATS_ENABLED=0
export RAY_USAGE_STATS_ENABLED
ulimit -n 65536 2>/dev/null || true
ray stop --force --log-style=pretty --log-color=false
ray start --log-style=pretty --log-color=false --address="$MUSTER_LEADER_IP:$MUSTER_PORT_GCS" --node-ip-address="$MUSTER_PRIVATE_IP" \
    --node-manager-port="$MUSTER_PORT_NODE_MANAGER" \
    --object-manager-port="$MUSTER_PORT_OBJECT_MANAGER" \
    --metrics-export-port="$MUSTER_PORT_METRICS" \
    --dashboard-agent-listen-port="$MUSTER_PORT_AGENT_HTTP" \
    --dashboard-agent-grpc-port="$MUSTER_PORT_AGENT_GRPC" \
    --min-worker-port="$MUSTER_PORT_WORKERS_MIN" --max-worker-port="$MUSTER_PORT_WORKERS_MAX" </dev/null
