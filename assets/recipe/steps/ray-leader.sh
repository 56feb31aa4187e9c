# Ray's head: GCS on 6380, the client server on 10001, the dashboard on the
# private address. Every port that nodes use among each other is pinned; the
# node type's `resources` come in RAY_OVERRIDE_RESOURCES, as Ray's own launcher
# gives them.
need_venv
RAY_USAGE_STATS_ENABLED=0
export RAY_USAGE_STATS_ENABLED
ulimit -n 65536 2>/dev/null || true
ray stop --force --log-style=pretty --log-color=false
ray start --log-style=pretty --log-color=false --head --node-ip-address="$MUSTER_PRIVATE_IP" --port=6380 \
    --ray-client-server-port=10001 \
    --include-dashboard=true --dashboard-host="$MUSTER_PRIVATE_IP" --dashboard-port=8265 \
    --node-manager-port=6381 --object-manager-port=6382 --metrics-export-port=6383 \
    --dashboard-agent-listen-port=6384 --dashboard-agent-grpc-port=6385 \
    --min-worker-port=10100 --max-worker-port=19999 </dev/null
