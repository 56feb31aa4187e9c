# Ray on every other node, the heads of the other regions included: each joins
# the leader under its own private address.
need_venv
RAY_USAGE_STATS_ENABLED=0
export RAY_USAGE_STATS_ENABLED
ulimit -n 65536 2>/dev/null || true
ray stop --force --log-style=pretty --log-color=false
ray start --log-style=pretty --log-color=false --address="$MUSTER_LEADER_IP:6380" --node-ip-address="$MUSTER_PRIVATE_IP" \
    --node-manager-port=6381 --object-manager-port=6382 --metrics-export-port=6383 \
    --dashboard-agent-listen-port=6384 --dashboard-agent-grpc-port=6385 \
    --min-worker-port=10100 --max-worker-port=19999 </dev/null
