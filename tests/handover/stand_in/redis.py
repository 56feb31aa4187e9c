"""Stand-in for redis: records the addresses it connects to."""

asked = []


class Redis:
    def __init__(self, host="localhost", port=6379, db=0):
        asked.append((host, port, db))

    def keys(self):
        return []
