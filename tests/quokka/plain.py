# A cluster object built by hand from the addresses in muster's manifest.
#   python3 ... MANIFEST SPILL_DIR
import json
import sys

import polars
from pyquokka.df import QuokkaContext
from pyquokka.utils import EC2Cluster

manifest = json.load(open(sys.argv[1]))
nodes = manifest["nodes"]
assert nodes[0]["name"] == manifest["leader"], nodes
cluster = EC2Cluster(
    [node["public_ip"] for node in nodes],
    [node["private_ip"] for node in nodes],
    [node["id"] for node in nodes],
    min(region["vcpu_per_node"] for region in manifest["regions"].values()),
    sys.argv[2],
)
context = QuokkaContext(cluster)
