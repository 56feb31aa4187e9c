# A group-by as a user of Quokka writes it, on a cluster made by hand from the
# addresses in muster's manifest.
#   python3 sums.py MANIFEST SPILL_DIR
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
rows = range(3000)
table = polars.from_dict({"key": [row % 3 for row in rows], "value": list(rows)})
sums = context.from_polars(table).groupby("key").agg({"value": "sum"}).collect()
found = dict(zip(sums["key"].to_list(), sums["value_sum"].to_list()))
print("sums", json.dumps(found, sort_keys=True))
