# Ray's head: GCS, the client server, and the dashboard with its jobs API on the
# loopback, where `muster forward` reaches it and no other node does. Every
# port is pinned, since the security groups admit these and no others; the
# node type's `resources` come in RAY_OVERRIDE_RESOURCES, as Ray's own launcher
# gives them.
need_venv
RAY_USAGE_STATS_ENABLED=0
export RAY_USAGE_STATS_ENABLED
ulimit -n 65536 2>/dev/null || true
ray stop --force --log-style=pretty --log-color=false
ray start --log-style=pretty --log-color=false --head --node-ip-address="$MUSTER_PRIVATE_IP" --port="$MUSTER_PORT_GCS" \
    --ray-client-server-port="$MUSTER_PORT_RAY_CLIENT" \
    --include-dashboard=true --dashboard-host=127.0.0.1 --dashboard-port="$MUSTER_PORT_DASHBOARD" --dashboard-grpc-port="$MUSTER_PORT_DASHBOARD_GRPC" \
    --node-manager-port="$MUSTER_PORT_NODE_MANAGER" \
    --object-manager-port="$MUSTER_PORT_OBJECT_MANAGER" \
    --metrics-export-port="$MUSTER_PORT_METRICS" \
    --dashboard-agent-listen-port="$MUSTER_PORT_AGENT_HTTP" \
    --dashboard-agent-grpc-port="$MUSTER_PORT_AGENT_GRPC" \
    --min-worker-port="$MUSTER_PORT_WORKERS_MIN" --max-worker-port="$MUSTER_PORT_WORKERS_MAX" </dev/null
