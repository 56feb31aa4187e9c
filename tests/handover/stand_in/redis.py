"""Stands for redis: records where it was asked to connect to."""

asked = []


class Redis:
    def __init__(self, host="localhost", port=6379, db=0):
        asked.append((host, port, db))

    def keys(self):
        return []
