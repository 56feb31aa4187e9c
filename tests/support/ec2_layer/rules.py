"""The rules of a world with their defaults, and random numbers from a seed.

Durations are in seconds of EC2 and are multiplied by `scale`; a pair is a
range to draw from. Probabilities are between 0 and 1.
"""

import copy
import hashlib

DEFAULTS = {
    # Local seconds for one second of EC2.
    "scale": 1.0,
    # RunInstances and CopyImage honor ClientToken.
    "tokens": True,
    # New resources are visible after this time: by id, by filter, and to calls that use them.
    "lag": [0.0, 3.0],
    # Tags are shown, and can be filtered by, after this time.
    "tag_lag": [0.0, 5.0],
    # Reads show a changed attribute or state after this time.
    "change_lag": [0.0, 2.0],
    # In the second half of a lag, a read sees the new state with this probability.
    "agree": 0.5,
    # Deleted resources are still described, and still count as dependents, for this time.
    "delete_lag": [0.0, 4.0],
    # Instances: pending to running, stopping to stopped, shutting-down to terminated.
    "boot": [2.0, 8.0],
    "stop": [2.0, 6.0],
    "terminate": [2.0, 6.0],
    # Probability that a new instance ends as terminated instead of running.
    "boot_fails": 0.0,
    "boot_fails_reason": "Server.InternalError",
    # A terminated instance is described for this time.
    "terminated_for": 3600.0,
    # Peering: initiating-request to pending-acceptance, then seen by the accepter,
    # provisioning to active, deleting to deleted.
    "peering_request": [0.2, 2.0],
    "peering_seen": [0.2, 3.0],
    "peering_provision": [0.5, 4.0],
    "peering_delete": [0.2, 2.0],
    # A copied image is pending for this time.
    "image": [1.0, 4.0],
    # The group and the subnet of a launch must be in the same VPC.
    "same_vpc": True,
    # DependencyViolation while dependents exist.
    "dependencies": True,
    # Token buckets: RequestLimitExceeded.
    "buckets": True,
    # Zones that answer InsufficientInstanceCapacity, and the probability of that
    # answer in any other zone.
    "full_zones": [],
    "full": 0.0,
    # The public host keys that an instance prints on its console (none: moto's own
    # console output, which holds none), how long after it runs EC2 has them, and
    # whether instances are of the Nitro system, which alone have `Latest`.
    "console_keys": [],
    "console": [0.0, 0.0],
    "nitro": True,
    # The answer takes this time.
    "latency": [0.0, 0.02],
    # Probability of each fault, for each call. Refused before the effect:
    # `refuse-500`, `refuse-503`, `throttle`, `reset`. Answer lost after the effect:
    # `lost-500`, `lost-503`, `lost-reset`. No answer: `drop` closes the connection
    # after `silence`, before the effect; `lost-drop` does so after the effect.
    "faults": {},
    "silence": 5.0,
    # The maximum number of faults from `faults`, so that every story can end.
    "fault_budget": 1000000,
    # Kills the caller: {"pid": 4711, "calls": 3, "after": true} at its fourth mutating
    # call, after its effect (or before it).
    "victim": None,
    # Faults for specific calls, consumed in order:
    # {"action": "CreateSubnet", "region": "eu-west-1", "fault": "refuse-503", "times": 1}.
    # `region` and `times` are optional; "*" is every action, "!Describe" every action
    # without that prefix.
    "next": [],
}


def of(given=None):
    """Returns the defaults updated by `given`; refuses unknown names."""
    rules = copy.deepcopy(DEFAULTS)
    for name, value in (given or {}).items():
        if name not in DEFAULTS:
            raise KeyError(f"no such rule: {name}")
        rules[name] = value
    return rules


# No visibility lag, no buckets, no transitions: moto's own behavior plus tokens.
AT_ONCE = {
    name: [0.0, 0.0]
    for name in (
        "lag", "tag_lag", "change_lag", "delete_lag", "boot", "stop", "terminate",
        "peering_request", "peering_seen", "peering_provision", "peering_delete", "image",
    )
} | {"buckets": False}


class Dice:
    """Random numbers that depend on the seed and the purpose, not on the order of calls."""

    def __init__(self, seed):
        self.seed = str(seed)

    def unit(self, *parts):
        """Returns a number from 0 (inclusive) to 1 (exclusive)."""
        text = "/".join([self.seed, *map(str, parts)]).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") / 2**64

    def within(self, span, *parts):
        """Returns a number in the range `span`."""
        return span[0] + (span[1] - span[0]) * self.unit(*parts)
