"""Instances: launch with tokens and capacity, and their lifecycle."""

import base64
import xml.etree.ElementTree as ET

from . import faults
from .wire import ID, Refused, answer, drop, parse, put, text
from .world import Timeline

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
REASONS = {
    "Server.InternalError": "Server.InternalError: Internal error on launch",
    "Client.UserInitiatedShutdown": "Client.UserInitiatedShutdown: User initiated shutdown",
}


def run(world, call):
    """`RunInstances`: checks that moto lacks, then moto, then the lifecycle of the new instances."""
    world.check_uses(call)
    call.asked = call.given()
    place(world, call)
    check(world, call)
    if call.get("DryRun") == "true":
        return world.moto.ask(call, call.form)
    token = call.get("ClientToken")
    key = (call.region, token, call.zone if call.placed else None)
    if token and world.rules["tokens"] and key in world.tokens:
        given, body = world.tokens[key]
        if given != call.asked:
            raise Refused("IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).")
        return show_all(world, call, parse(body))
    capacity(world, call)
    count = int(call.get("MaxCount") or 1)
    if world.rules["buckets"] and not faults.take(world, call.region, "instances:RunInstances", count):
        raise faults.REFUSALS["throttle"]
    root = world.moto.ask(call, call.form)
    for item in root.findall("instancesSet/item"):
        begin(world, call, item)
    if token and world.rules["tokens"]:
        world.tokens[key] = (call.asked, text(root))
        root = parse(world.tokens[key][1])
    return show_all(world, call, root)


def place(world, call):
    """Places the launch; without a subnet, in the default subnet of a zone."""
    named = [v for k, v in call.form.items() if k == "SubnetId" or k.endswith(".SubnetId")]
    call.subnet_named = bool(named)
    call.placed = call.subnet_named or bool(call.get("Placement.AvailabilityZone"))
    backend = world.backend(call.region)
    subnets = {subnet.id: subnet for zone in backend.subnets.values() for subnet in zone.values()}
    if named:
        if named[0] not in subnets:
            raise Refused("InvalidSubnetID.NotFound", f"The subnet ID '{named[0]}' does not exist")
        call.subnet = subnets[named[0]]
    else:
        wanted = call.get("Placement.AvailabilityZone")
        default = [vpc.id for vpc in backend.vpcs.values() if str(vpc.is_default).lower() == "true"]
        own = [s for s in subnets.values() if s.vpc_id in default and wanted in (None, s.availability_zone)]
        if not own:
            raise Refused("MissingInput", "No subnets found for the default VPC. Please specify a subnet.")
        free = [s for s in own if s.availability_zone not in world.rules["full_zones"]]
        call.subnet = sorted(free or own, key=lambda s: s.availability_zone)[0]
        call.form = call.form | {"SubnetId": call.subnet.id}
    call.zone = call.subnet.availability_zone


def check(world, call):
    """Checks that the resources of a launch exist and fit, also for a dry run."""
    backend = world.backend(call.region)
    by_name(call, backend)
    world.moto.do(call, "DescribeImages", **{"ImageId.1": call.get("ImageId")})
    image = world.resources.get(call.get("ImageId"))
    if image and image.timeline and image.timeline.at(world.now()) != "available":
        raise Refused("InvalidAMIID.Unavailable", f"The image ID '{image.id}' is currently unavailable")
    key = call.get("KeyName")
    if key:
        world.moto.do(call, "DescribeKeyPairs", **{"KeyName.1": key})
    groups = [v for k, v in call.form.items() if ".SecurityGroupId." in f".{k}" and ID.match(v)]
    for id in dict.fromkeys(groups):
        group = backend.get_security_group_from_id(id)
        if group is None:
            raise Refused("InvalidGroup.NotFound", f"The security group '{id}' does not exist")
        if world.rules["same_vpc"] and group.vpc_id != call.subnet.vpc_id:
            raise Refused("InvalidParameter", f"Security group {id} and subnet {call.subnet.id} belong to different networks.")


def by_name(call, backend):
    """Resolves group names in the default VPC."""
    names = {k: v for k, v in call.form.items() if k.startswith("SecurityGroup.")}
    if names and call.placed and call.subnet_named:
        raise Refused("InvalidParameterCombination", "The parameter groupName cannot be used with the parameter subnet")
    for number, (parameter, name) in enumerate(names.items(), 1):
        found = [g.id for g in backend.groups[call.subnet.vpc_id].values() if g.name == name]
        if not found:
            raise Refused("InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC '{call.subnet.vpc_id}'")
        call.form = {k: v for k, v in call.form.items() if k != parameter}
        call.form[f"SecurityGroupId.{90 + number}"] = found[0]


def capacity(world, call):
    """Raises if the zone is full, with status 500 as in EC2."""
    full = call.zone in world.rules["full_zones"]
    if full or world.dice.unit("full", call.zone, call.nth) < world.rules["full"]:
        kind = call.get("InstanceType")
        raise Refused("InsufficientInstanceCapacity", f"We currently do not have sufficient {kind} capacity in the Availability Zone you requested ({call.zone}).", 500)


def begin(world, call, item):
    """Starts an instance's lifecycle after its launch."""
    id = item.findtext("instanceId")
    held = world.add(call, id, call.tags().get("instance", {}))
    held.about = {
        "token": call.get("ClientToken"), "zone": call.zone, "subnet": call.subnet.id,
        "reason": None, "launched": held.made, "spot": call.get("InstanceMarketOptions.MarketType") == "spot",
    }
    held.timeline = Timeline(held.made, "pending")
    boot(world, held, call.direct)


def boot(world, held, direct=False):
    """Moves from pending to running, or to terminated."""
    number = len(held.timeline.entries)
    takes = 0 if direct else world.span("boot", held.id, number)
    fails = not direct and world.dice.unit("boot_fails", held.id, number) < world.rules["boot_fails"]
    held.timeline.plan(world.now(), (takes, "terminated" if fails else "running"))
    if fails:
        at = world.now() + takes
        world.later(at, lambda: finish(world, held, "terminate", at, world.rules["boot_fails_reason"]))


def finish(world, held, what, at, reason=None):
    """Ends a transition as EC2 does, unless another one has started since."""
    if held.timeline.entries[-1][0] != at:
        return
    action = {"terminate": "TerminateInstances", "stop": "StopInstances"}[what]
    world.quietly(held.region, action, **{"InstanceId.1": held.id})
    held.about["reason"] = reason
    if what == "terminate":
        held.removed = at + world.rules["terminated_for"] * world.rules["scale"]


def turn(world, call):
    """`TerminateInstances`, `StopInstances` and `StartInstances`: all or none."""
    ids = call.all("InstanceId")
    unknown = [id for id in ids if id not in world.resources or not world.is_usable(call, id)]
    if unknown:
        text_ = ", ".join(unknown)
        raise Refused("InvalidInstanceID.NotFound", f"The instance IDs '{text_}' do not exist")
    all_held = [world.resources[id] for id in dict.fromkeys(ids)]
    allowed = {
        "TerminateInstances": CODES.keys(),
        "StopInstances": ("running", "stopping", "stopped"),
        "StartInstances": ("stopped", "pending", "running"),
    }[call.action]
    now = world.now()
    for held in all_held:
        state = held.timeline.at(now)
        if state not in allowed:
            verb = call.action.removesuffix("Instances").lower()
            raise Refused("IncorrectInstanceState", f"The instance '{held.id}' is not in a state from which it can be {verb}ed: {state}.")
        if call.action == "StopInstances" and held.about["spot"]:
            raise Refused("UnsupportedOperation", f"You can't stop the Spot Instance '{held.id}' because it is associated with a one-time Spot Instance request.")
    if call.action == "StartInstances" and world.rules["buckets"]:
        if not faults.take(world, call.region, "instances:StartInstances", len(all_held)):
            raise faults.REFUSALS["throttle"]
    root = answer(call.action)
    items = ET.SubElement(root, "instancesSet")
    for held in all_held:
        before = held.timeline.at(now)
        CHANGES[call.action](world, call, held, before)
        item = ET.SubElement(items, "item")
        put(item, "instanceId", held.id)
        for name, state in (("previousState", before), ("currentState", held.timeline.at(world.now()))):
            put(item, f"{name}/code", str(CODES[state]))
            put(item, f"{name}/name", state)
    return root


def terminate(world, call, held, before):
    if before in ("shutting-down", "terminated"):
        return
    transition(world, call, held, "terminate", ("shutting-down", "terminated"), "Client.UserInitiatedShutdown")


def stop(world, call, held, before):
    if before == "running":
        transition(world, call, held, "stop", ("stopping", "stopped"), "Client.UserInitiatedShutdown")


def start(world, call, held, before):
    if before == "stopped":
        world.moto.do(call, "StartInstances", **{"InstanceId.1": held.id})
        held.about.update(launched=world.now(), reason=None)
        held.timeline.plan(world.now(), (0, "pending"))
        boot(world, held, call.direct)


CHANGES = {"TerminateInstances": terminate, "StopInstances": stop, "StartInstances": start}


def transition(world, call, held, what, states, reason=None):
    now = world.now()
    takes = 0 if call.direct else world.span(what, held.id, len(held.timeline.entries))
    held.timeline.plan(now, (0, states[0]), (takes, states[1]))
    at = held.timeline.entries[-1][0]
    world.later(at, lambda: finish(world, held, what, at, reason))
    world.settle()


def describe(world, call):
    """`DescribeInstances`: moto's answer without hidden instances, in the visible states."""
    world.check_ids(call)
    own = ("client-token", "instance-state-name", "instance-state-code")
    filters = call.filters()
    root = world.moto.ask(call, call.without_filters(own))
    for reservation in root.findall("reservationSet/item"):
        instances = reservation.find("instancesSet")
        for item in list(instances):
            held = world.resources.get(item.findtext("instanceId"))
            if held is None:
                continue
            show(world, call, held, item)
            if not (world.is_seen(call, held.id) and fits(world, call, held, item, filters)):
                instances.remove(item)
        if len(instances) == 0:
            root.find("reservationSet").remove(reservation)
    return root


def console(world, call):
    """`GetConsoleOutput`: the host keys of the instance, late."""
    world.check_ids(call)
    id = call.get("InstanceId")
    held = world.resources.get(id)
    if held is None:
        return world.moto.ask(call, call.form)
    if call.get("Latest") == "true" and not world.rules["nitro"]:
        raise Refused("UnsupportedOperation", "This instance type does not support retrieving the latest console logs.")
    root = answer("GetConsoleOutput", instanceId=id)
    ran = [at for at, state in held.timeline.entries if state == "running" and at <= world.now()]
    if ran and world.now() >= ran[0] + world.span("console", held.id, "console"):
        keys = "".join(f"{key}\r\n" for key in world.rules["console_keys"])
        block = f"-----BEGIN SSH HOST KEY KEYS-----\r\n{keys}-----END SSH HOST KEY KEYS-----\r\n" if keys else ""
        text_ = f"[    0.000000] Linux version 6.8.0\r\n{block}"
        put(root, "output", base64.b64encode(text_.encode()).decode())
    return root


def fits(world, call, held, item, filters):
    """Returns whether it fits the filters that moto does not apply as EC2 does."""
    tokens, names = filters.get("client-token"), filters.get("instance-state-name")
    codes = filters.get("instance-state-code")
    return (
        (tokens is None or held.about["token"] in tokens)
        and (names is None or item.findtext("instanceState/name") in names)
        and (codes is None or item.findtext("instanceState/code") in codes)
        and all(world.shows_tag(call, held.id, name[4:]) for name in filters if name.startswith("tag:"))
    )


def show_all(world, call, root):
    """Updates the instances of a `RunInstances` answer to their current state."""
    for item in root.findall("instancesSet/item"):
        held = world.resources[item.findtext("instanceId")]
        show(world, call, held, item, answered=True)
    return root


def show(world, call, held, item, answered=False):
    """Writes the state, and the fields that depend on it, into an instance's item."""
    state = held.timeline.at(world.now()) if answered else world.state(call, held)
    put(item, "instanceState/name", state)
    put(item, "instanceState/code", str(CODES[state]))
    if held.about["token"]:
        put(item, "clientToken", held.about["token"])
    drop(item, "stateReason")
    if state in ("terminated", "stopped") and held.about["reason"]:
        put(item, "stateReason/code", held.about["reason"])
        put(item, "stateReason/message", REASONS.get(held.about["reason"], held.about["reason"]))
    if state not in ("running", "stopping", "shutting-down"):
        drop(item, "ipAddress")
        put(item, "dnsName", "")
        for interface in item.findall("networkInterfaceSet/item"):
            drop(interface, "association")
            for address in interface.findall("privateIpAddressesSet/item"):
                drop(address, "association")
    if not answered:
        world.hide_tags(call, held.id, item)
