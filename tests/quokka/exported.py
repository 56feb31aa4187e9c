# The cluster as muster exports it.
import json

import polars
from cluster import cluster, context as make_context, region_info

assert sorted(region_info) == ["eu-west-1", "us-west-2"], region_info
assert len(cluster.private_ips) == 4, cluster.private_ips
context = make_context(io_per_node=1, exec_per_node=1)
