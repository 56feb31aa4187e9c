"""Stands for Ray: records what it is asked for."""

asked = []


def is_initialized():
    return bool(asked)


def init(address=None, **options):
    asked.append((address, options))
