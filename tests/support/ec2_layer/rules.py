"""The rules that a world follows, each with its default, and seeded draws.

Durations are in seconds of EC2 and are multiplied by `scale`; a pair is a
range to draw from. Probabilities are between 0 and 1.
"""

import copy
import hashlib

DEFAULTS = {
    # Seconds of this machine for one second of EC2.
    "scale": 1.0,
    # RunInstances and CopyImage honour ClientToken.
    "tokens": True,
    # What is new is found after this time: by id, by filter, and by calls that use it.
    "lag": [0.0, 3.0],
    # Tags are shown and filtered by after this time.
    "tag_lag": [0.0, 5.0],
    # Reads show a changed attribute or state after this time.
    "change_lag": [0.0, 2.0],
    # In the second half of a lag, a read sees the new state with this probability.
    "agree": 0.5,
    # What is deleted is still described, and is still a dependent, for this time.
    "delete_lag": [0.0, 4.0],
    # Instances: pending to running, stopping to stopped, shutting-down to terminated.
    "boot": [2.0, 8.0],
    "stop": [2.0, 6.0],
    "terminate": [2.0, 6.0],
    # Probability that a new instance ends as terminated instead of running.
    "boot_fails": 0.0,
    "boot_fails_reason": "Server.InternalError",
    # How long a terminated instance is described.
    "terminated_for": 3600.0,
    # Peering: initiating-request to pending-acceptance, then seen by the accepter,
    # provisioning to active, deleting to deleted.
    "peering_request": [0.2, 2.0],
    "peering_seen": [0.2, 3.0],
    "peering_provision": [0.5, 4.0],
    "peering_delete": [0.2, 2.0],
    # A copied image is pending for this time.
    "image": [1.0, 4.0],
    # A group and a subnet of one launch have to share a VPC.
    "same_vpc": True,
    # DependencyViolation, for as long as dependents exist.
    "dependencies": True,
    # Token buckets: RequestLimitExceeded.
    "buckets": True,
    # Zones that answer InsufficientInstanceCapacity, and the probability that a
    # launch is answered so in any other zone.
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
    # `refuse-500`, `refuse-503`, `throttle`, `reset`. The answer is lost after the
    # effect: `lost-500`, `lost-503`, `lost-reset`. No answer: `drop` breaks the
    # connection off after `silence`, before the effect, `lost-drop` after it.
    "faults": {},
    "silence": 5.0,
    # At most this many faults of `faults`, so that every story can end.
    "fault_budget": 1000000,
    # Kills the caller: {"pid": 4711, "calls": 3, "after": true} with its fourth call
    # that changes something, once that call had its effect (or before it had).
    "victim": None,
    # Faults for named calls, used up in order:
    # {"action": "CreateSubnet", "region": "eu-west-1", "fault": "refuse-503", "times": 1}.
    # `region` and `times` may be left out; "*" is every action, "!Describe" every
    # action but those that begin so.
    "next": [],
}


def of(given=None):
    """The defaults with what `given` changes; a name that is not a rule is refused."""
    rules = copy.deepcopy(DEFAULTS)
    for name, value in (given or {}).items():
        if name not in DEFAULTS:
            raise KeyError(f"no such rule: {name}")
        rules[name] = value
    return rules


# No visibility lag, no buckets, no transitions: moto's own behaviour with tokens.
AT_ONCE = {
    name: [0.0, 0.0]
    for name in (
        "lag", "tag_lag", "change_lag", "delete_lag", "boot", "stop", "terminate",
        "peering_request", "peering_seen", "peering_provision", "peering_delete", "image",
    )
} | {"buckets": False}


class Dice:
    """Draws that depend on the seed and on what is drawn for, not on the order of calls."""

    def __init__(self, seed):
        self.seed = str(seed)

    def unit(self, *parts):
        """A number from 0 (inclusive) to 1 (exclusive)."""
        text = "/".join([self.seed, *map(str, parts)]).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") / 2**64

    def within(self, span, *parts):
        """A number in the range `span`."""
        return span[0] + (span[1] - span[0]) * self.unit(*parts)
