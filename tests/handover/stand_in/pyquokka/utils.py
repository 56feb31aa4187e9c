import ray


class EC2Cluster:
    def __init__(self, public_ips, private_ips, instance_ids, cpu_count_per_instance, spill_dir, docker_head_private_ip=None, tags={}):
        self.num_node = len(public_ips)
        self.public_ips = {}
        self.private_ips = {}
        self.instance_ids = {}
        self.spill_dir = spill_dir
        self.tags = tags
        for node in range(self.num_node):
            self.public_ips[node] = public_ips[node]
            self.private_ips[node] = private_ips[node]
            self.instance_ids[node] = instance_ids[node]
        self.state = "running"
        self.cpu_count = cpu_count_per_instance
        self.leader_public_ip = docker_head_private_ip or self.public_ips[0]
        self.leader_private_ip = self.private_ips[0]
        print("EC2 Cluster leader public IP", self.leader_public_ip)
        if docker_head_private_ip is None:
            ray.init(address="ray://" + self.leader_public_ip + ":10001")
