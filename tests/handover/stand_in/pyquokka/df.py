import os
import time

import polars

from pyquokka.quokka_runtime import TaskGraph
from pyquokka.utils import EC2Cluster


class TaskManager:
    """An actor on a node: records its arguments."""

    def __init__(self, coordinator_ip, worker_ips, configs):
        self.coordinator_ip, self.worker_ips = coordinator_ip, worker_ips
        self.configs = dict(configs)
        self.hbq_path = self.configs["hbq_path"]


class QuokkaContext:
    def __init__(self, cluster=None, io_per_node=2, exec_per_node=1):
        if type(cluster) != EC2Cluster:
            raise Exception
        self.exec_config = {"hbq_path": "/data/", "fault_tolerance": False}
        self.cluster = cluster
        self.io_per_node = io_per_node
        ips = list(cluster.private_ips.values())
        self.task_managers = [TaskManager(cluster.leader_public_ip, ips, self.exec_config) for _ in ips]

    def set_config(self, key, value):
        self.exec_config[key] = value
        for manager in self.task_managers:
            manager.configs[key] = value

    def from_polars(self, frame):
        return Stream(self, frame)


class Stream:
    def __init__(self, context, frame):
        self.context, self.frame = context, frame

    def groupby(self, key):
        self.key = key
        return self

    def agg(self, what):
        ((self.value, how),) = what.items()
        assert how == "sum"
        return self

    def collect(self):
        TaskGraph(self.context)
        # A node that can't reach Redis: the real client waits forever.
        if os.environ.get("STAND_IN") == "hangs":
            time.sleep(1000)
        sums = {}
        for key, value in zip(self.frame.columns[self.key], self.frame.columns[self.value]):
            sums[key] = sums.get(key, 0) + value
        if os.environ.get("STAND_IN") == "loses-rows":
            sums[min(sums)] -= 1
        return polars.DataFrame({self.key: list(sums), self.value + "_sum": list(sums.values())})
