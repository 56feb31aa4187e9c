import time

import redis


class TaskGraph:
    def __init__(self, context):
        self.r = redis.Redis(host=str(context.cluster.leader_public_ip), port=6800, db=0)
        while True:
            try:
                self.r.keys()
                break
            except:
                time.sleep(0.01)
