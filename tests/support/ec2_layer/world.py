"""The actual state of one account: every resource ever created, and the log of calls."""

import heapq
import itertools
import threading
import time

from moto.ec2.models import ec2_backends
from werkzeug.test import EnvironBuilder

from . import rules
from .wire import Call, Moto, Refused

# For each kind of resource: the error if it is not found, and the parameter that names it.
KINDS = {
    "i": ("instance", "InvalidInstanceID.NotFound", "The instance ID '{}' does not exist"),
    "vpc": ("vpc", "InvalidVpcID.NotFound", "The vpc ID '{}' does not exist"),
    "subnet": ("subnet", "InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist"),
    "igw": ("internet-gateway", "InvalidInternetGatewayID.NotFound", "The internetGateway ID '{}' does not exist"),
    "rtb": ("route-table", "InvalidRouteTableID.NotFound", "The routeTable ID '{}' does not exist"),
    "sg": ("security-group", "InvalidGroup.NotFound", "The security group '{}' does not exist"),
    "pcx": ("vpc-peering-connection", "InvalidVpcPeeringConnectionID.NotFound", "The vpcPeeringConnection ID '{}' does not exist"),
    "ami": ("image", "InvalidAMIID.NotFound", "The image id '[{}]' does not exist"),
    "key": ("key-pair", "InvalidKeyPair.NotFound", "The key pair '{}' does not exist"),
}


def not_found(id):
    """Returns EC2's error for an unknown id."""
    _, code, message = KINDS[id.partition("-")[0]]
    return Refused(code, message.format(id))


class Timeline:
    """States with their start times."""

    def __init__(self, at, state):
        self.entries = [(at, state)]

    def plan(self, now, *states):
        """Schedules states, each after a delay; cancels earlier scheduled ones."""
        self.entries = [entry for entry in self.entries if entry[0] <= now]
        for delay, state in states:
            now += delay
            self.entries.append((now, state))

    def at(self, moment):
        """Returns the state at `moment`; before the first one, the first."""
        held = [state for at, state in self.entries if at <= moment]
        return held[-1] if held else self.entries[0][1]


class Resource:
    """A resource that a call created."""

    def __init__(self, id, region, made_by, now, seen, tags, tags_seen):
        self.id, self.region, self.made_by, self.made = id, region, made_by, now
        self.kind = KINDS[id.partition("-")[0]][0]
        self.seen, self.tags = seen, dict(tags)
        self.tag_seen = {key: (now, tags_seen) for key in tags}
        # Regions that see it at another time: for a peering connection, the accepter's.
        self.seen_in = {}
        # When its deletion was accepted, and when it is no longer visible.
        self.deleted = self.removed = None
        # The answer's item as it was before a change, and until when reads may show it.
        self.stale = []
        self.timeline = None
        self.about = {}


class World:
    """An account with its own rules and seed."""

    def __init__(self, app, account, seed, given=None):
        self.moto, self.seed = Moto(app, account), seed
        self.rules, self.dice = rules.of(given), rules.Dice(seed)
        self.lock = threading.RLock()
        self.resources, self.tokens, self.buckets, self.busy = {}, {}, {}, {}
        self.calls, self.events, self.order = [], [], itertools.count()
        self.faults_left = self.rules["fault_budget"]
        self.began = time.monotonic()

    def change_rules(self, given):
        """Changes rules from now on."""
        self.rules = rules.of(self.rules | given)
        self.faults_left = self.rules["fault_budget"]

    def now(self):
        return time.monotonic() - self.began

    def span(self, rule, *parts):
        """Returns a duration of `rule` in local seconds."""
        return self.dice.within(self.rules[rule], rule, *parts) * self.rules["scale"]

    def backend(self, region):
        """Returns moto's own objects."""
        return ec2_backends[self.moto.account][region]

    def quietly(self, region, action, **parameters):
        """Makes moto do what EC2 does by itself."""
        scope = f"AWS4-HMAC-SHA256 Credential=AKIAQUIET/20260101/{region}/ec2/aws4_request, "
        form = {"Action": action, "Version": "2016-11-15", **parameters}
        call = Call(EnvironBuilder("/", method="POST", data=form, headers={"Authorization": scope}).get_environ())
        return self.moto.ask(call, form)

    def later(self, at, act):
        """Schedules `act` at the time `at`."""
        heapq.heappush(self.events, (at, next(self.order), act))

    def settle(self):
        """Runs scheduled actions that are due."""
        while self.events and self.events[0][0] <= self.now():
            heapq.heappop(self.events)[2]()

    def add(self, call, id, tags=(), region=None):
        """Adds the resource that `call` created."""
        now = self.now()
        region = region or call.region
        seen = now + (0 if call.direct else self.span("lag", id))
        tags_seen = max(seen, now + (0 if call.direct else self.span("tag_lag", id)))
        made = Resource(id, region, call.n, now, seen, dict(tags), tags_seen)
        self.resources[id] = made
        return made

    def sees(self, call, since, at, *what):
        """Returns whether this call sees a change made at `since` and visible to all from `at` on."""
        now = self.now()
        if call.direct or now >= at:
            return True
        late = now >= (since + at) / 2
        return late and self.dice.unit("sees", call.n, *what) < self.rules["agree"]

    def is_seen(self, call, id):
        """Returns whether the call sees this resource."""
        held = self.resources.get(id)
        if held is None:
            return True
        if held.removed is not None and self.now() >= held.removed:
            return False
        at = held.seen_in.get(call.region, held.seen)
        if not self.sees(call, held.made, at, id):
            return False
        return held.deleted is None or not self.sees(call, held.deleted, held.removed, id, "removed")

    def is_usable(self, call, id):
        """Returns whether the call can use this resource."""
        held = self.resources.get(id)
        return held is None or (held.deleted is None and self.is_seen(call, id))

    def shows_tag(self, call, id, key):
        """Returns whether the call sees this tag."""
        held = self.resources.get(id)
        if held is None or key not in held.tag_seen:
            return True
        since, at = held.tag_seen[key]
        return self.sees(call, since, at, id, "tag", key)

    def check_ids(self, call):
        """Refuses a call by id if one of the ids is not visible."""
        for id in call.ids():
            if not self.is_seen(call, id):
                raise not_found(id)

    def check_uses(self, call):
        """Refuses a call that uses a resource it does not find."""
        for id in call.ids():
            if not self.is_usable(call, id):
                raise not_found(id)
        name = call.get("KeyName")
        if name and call.action == "RunInstances":
            own = [r for r in self.resources.values() if r.about.get("key") == name and r.region == call.region]
            if own and not any(self.is_usable(call, held.id) for held in own):
                raise Refused("InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist")

    def hide_tags(self, call, id, item):
        """Removes the tags that this call does not see from an item."""
        tags = item.find("tagSet")
        for tag in list(tags) if tags is not None else []:
            if not self.shows_tag(call, id, tag.findtext("key")):
                tags.remove(tag)

    def state(self, call, held):
        """Returns the state of a resource as this call sees it: not older than `change_lag`."""
        lag = 0 if call is None or call.direct else self.span("change_lag", "state", call.n, held.id)
        return held.timeline.at(self.now() - lag)

    def truth(self):
        """Returns the actual state of everything that ever existed."""
        now = self.now()
        times = ("seen", "made", "deleted", "removed")

        def entry(held):
            fields = {name: getattr(held, name) for name in times}
            there = held.removed is None or now < held.removed
            state = held.timeline.at(now) if held.timeline else None
            return {
                "id": held.id, "kind": held.kind, "region": held.region, "made_by": held.made_by,
                "tags": held.tags, "there": there, "state": state,
                "states": held.timeline.entries if held.timeline else [], **fields, **held.about,
            }

        return {
            "seed": self.seed, "now": now,
            "resources": [entry(held) for held in self.resources.values()],
            "calls": self.calls,
        }
