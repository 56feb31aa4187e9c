"""Injected failures of calls: throttling, errors, lost answers."""

import contextlib
import os
import signal
import socket
import struct
import time

from .wire import Refused

REFUSALS = {
    "refuse-500": Refused("InternalError", "An internal error has occurred", 500),
    "refuse-503": Refused("Unavailable", "The service is unavailable. Please try again shortly.", 503),
    "throttle": Refused("RequestLimitExceeded", "Request limit exceeded.", 503),
    "lost-500": Refused("InternalError", "An internal error has occurred", 500),
    "lost-503": Refused("Unavailable", "The service is unavailable. Please try again shortly.", 503),
}

# Capacity and refill per second, per account and region: "Request throttling for the
# Amazon EC2 API". Actions that are not listed share the bucket of their category.
BUCKETS = {
    "RunInstances": (5, 2),
    "StartInstances": (5, 2),
    "TerminateInstances": (100, 5),
    "CopyImage": (100, 1),
    "CreateTags": (100, 10),
    "DeleteTags": (100, 10),
    "instances:RunInstances": (1000, 2),
    "instances:StartInstances": (1000, 2),
    "read": (100, 20),
    "read-all": (50, 10),
    "change": (50, 5),
}


def bucket(call):
    """Returns the bucket of the call."""
    if call.action in BUCKETS:
        return call.action
    if call.action.startswith(("Describe", "Get")):
        narrowed = call.filters() or call.get("MaxResults") or any(call.ids())
        return "read" if narrowed else "read-all"
    return "change"


def take(world, region, name, tokens=1):
    """Takes the tokens from the bucket; returns whether it had them."""
    capacity, refill = BUCKETS[name]
    now = world.now()
    held, since = world.buckets.get((region, name), (capacity, now))
    held = min(capacity, held + (now - since) / world.rules["scale"] * refill)
    enough = held >= tokens
    world.buckets[region, name] = (held - tokens if enough else held, now)
    return enough


def throttle(world, call):
    """Raises if the call's bucket is empty."""
    if not world.rules["buckets"]:
        return
    if not take(world, call.region, bucket(call)):
        raise REFUSALS["throttle"]


def draw(world, call):
    """Returns the fault of this call, if any."""
    for entry in world.rules["next"]:
        action, region = entry.get("action", "*"), entry.get("region", call.region)
        fits = action in ("*", call.action) or action[:1] == "!" and not call.action.startswith(action[1:])
        if fits and region == call.region and entry.get("times", 1) > 0:
            entry["times"] = entry.get("times", 1) - 1
            return entry["fault"]
    if world.faults_left <= 0:
        return None
    drawn, begin = world.dice.unit("fault", call.region, call.action, call.nth), 0.0
    for name, probability in world.rules["faults"].items():
        begin += probability
        if drawn < begin:
            world.faults_left -= 1
            return name
    return None


def is_doomed(world, call):
    """Returns whether this call kills the caller."""
    victim = world.rules["victim"]
    if call.direct or not victim or call.action.startswith(("Describe", "Get")) or call.get("DryRun"):
        return False
    victim["calls"] -= 1
    return victim["calls"] == -1


def reset(call):
    """Leaves the connection without an answer or a close, as seen from the caller."""
    connection = call.environ.get("werkzeug.socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError("as drawn")


def end(world, call, fault):
    """Returns the caller's result of a call with this fault."""
    if fault in REFUSALS:
        raise REFUSALS[fault]
    if fault.startswith("kill"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(world.rules["victim"]["pid"], signal.SIGKILL)
    if "drop" in fault:
        time.sleep(world.rules["silence"])
    reset(call)
