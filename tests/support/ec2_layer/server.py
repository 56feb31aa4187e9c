"""The application: accounts by access key, calls to EC2, and `/__muster/` for tests."""

import json
import time
import traceback
from collections import Counter
from threading import Lock

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from . import faults, launches, network
from .wire import Call, Refused, text
from .world import World

# Calls with this access key have no lags and faults; tests use it for setup.
DIRECT = "AKIADIRECT"
ACTIONS = (
    {action: network.make for action in network.MAKES}
    | {action: network.describe for action in network.SHOWS}
    | {action: network.change for action in network.CHANGES}
    | {action: network.delete for action in network.DELETES}
    | {action: launches.turn for action in launches.CHANGES}
    | {
        "GetConsoleOutput": launches.console, "RunInstances": launches.run, "DescribeInstances": launches.describe,
        "AcceptVpcPeeringConnection": network.accept,
        "DeleteVpcPeeringConnection": network.delete_peering,
        "CreateTags": network.tag, "DescribeTags": network.describe_tags,
    }
)


class Layer:
    """All accounts. An access key `AKIA…` belongs to the account that a test created
    for it; every other key to the first account. `AKIADIRECT-NAME` is the direct key
    of the account whose key is `NAME`."""

    def __init__(self, seed, rules):
        self.app = DomainDispatcherApplication(create_backend_app)
        self.lock, self.worlds = Lock(), {}
        self.first = self.make("", seed, rules)

    def make(self, key, seed, rules):
        account = str(123456789012 + len(self.worlds))
        world = World(self.app, account, seed, rules)
        world.counts = Counter()
        self.worlds[key] = world
        return world

    def world(self, key):
        name = key.removeprefix(DIRECT).removeprefix("-") if key.startswith(DIRECT) else key
        return self.worlds.get(name, self.first)

    def __call__(self, environ, start_response):
        if environ.get("PATH_INFO", "").startswith("/__muster/"):
            status, body = self.admin(environ)
            kind = "application/json"
        else:
            status, kind, body = self.api(Call(environ))
        start_response(f"{status} X", [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    def admin(self, environ):
        """`GET truth?KEY`; `POST world` and `POST rules` with `{"key", "seed", "rules"}`."""
        what = environ["PATH_INFO"].removeprefix("/__muster/")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        asked = json.loads(body) if body else {"key": environ.get("QUERY_STRING", "")}
        try:
            with self.lock:
                if what == "world":
                    self.make(asked["key"], asked["seed"], asked.get("rules"))
                    return 200, b"{}"
            world = self.world(asked.get("key", ""))
            with world.lock:
                world.settle()
                if what == "truth":
                    return 200, json.dumps(world.truth()).encode()
                if what == "rules":
                    world.change_rules(asked["rules"])
                    return 200, json.dumps(world.rules).encode()
        except (KeyError, TypeError) as error:
            return 400, json.dumps({"error": str(error)}).encode()
        return 404, b"{}"

    def api(self, call):
        """Returns status, content type and body of an answer."""
        world = self.world(call.key)
        call.direct = call.key.startswith(DIRECT)
        if call.service != "ec2":
            try:
                with world.lock:
                    status, headers, body = world.moto.raw(call)
            except AttributeError:  # moto has no such service.
                return 404, "text/plain", b"no such service"
            return status, dict(headers).get("Content-Type", "text/xml"), body
        if not call.direct:
            time.sleep(world.span("latency", time.monotonic()))
        with world.lock:
            status, body, fault = self.carry_out(world, call)
        if fault:
            try:
                faults.end(world, call, fault)
            except Refused as refused:
                status, body = refused.answer()
        return status, "text/xml;charset=UTF-8", body

    def carry_out(self, world, call):
        """Returns status and body, and the fault of the answer."""
        world.settle()
        call.n = len(world.calls)
        call.nth = world.counts[call.region, call.action]
        world.counts[call.region, call.action] += 1
        entry = {"n": call.n, "at": world.now(), "region": call.region, "action": call.action, "direct": call.direct, "form": call.form}
        world.calls.append(entry)
        fault = None
        try:
            if not call.direct:
                faults.throttle(world, call)
                fault = faults.draw(world, call)
                entry["fault"] = fault
                if fault and not fault.startswith("lost"):
                    return None, None, fault
            doomed = faults.is_doomed(world, call)
            if doomed and not world.rules["victim"]["after"]:
                entry["fault"] = "killed-before"
                return None, None, "kill"
            status, body = perform(world, call)
            entry["made"] = call.made
            if doomed:
                entry["fault"] = fault = "killed-after"
        except Refused as refused:
            entry["error"] = refused.code
            status, body = refused.answer()
        except Exception as error:  # A mistake of the layer's: the test has to see it.
            traceback.print_exc()
            entry["error"] = repr(error)
            status, body = Refused("LayerFailed", repr(error), 400).answer()
        world.settle()
        return status, body, fault


def perform(world, call):
    """Returns status and body of a call without faults."""
    call.made = None
    act = ACTIONS.get(call.action)
    if act is None:
        status, _, body = world.moto.raw(call)
        return status, body
    before = len(world.resources)
    root = act(world, call)
    if len(world.resources) > before:
        call.made = list(world.resources)[before:]
    return 200, text(root)
