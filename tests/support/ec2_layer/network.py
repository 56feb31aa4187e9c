"""Networks: new resources show late, deleted ones stay for a while, and dependents
block deletion."""

import copy
import xml.etree.ElementTree as ET
from ipaddress import ip_network

from .wire import Refused, answer, drop, put
from .world import Timeline, not_found

# Action: the elements of its answer with the created resource and its id.
MAKES = {
    "CreateVpc": "vpc/vpcId",
    "CreateDefaultVpc": "vpc/vpcId",
    "CreateSubnet": "subnet/subnetId",
    "CreateInternetGateway": "internetGateway/internetGatewayId",
    "CreateRouteTable": "routeTable/routeTableId",
    "CreateSecurityGroup": "groupId",
    "CreateVpcPeeringConnection": "vpcPeeringConnection/vpcPeeringConnectionId",
    "ImportKeyPair": "keyPairId",
    "CreateKeyPair": "keyPairId",
    "CopyImage": "imageId",
}

# Describe action: the set in its answer, the element with the id, the parameter for ids.
SHOWS = {
    "DescribeVpcs": ("vpcSet", "vpcId", "VpcId"),
    "DescribeSubnets": ("subnetSet", "subnetId", "SubnetId"),
    "DescribeInternetGateways": ("internetGatewaySet", "internetGatewayId", "InternetGatewayId"),
    "DescribeRouteTables": ("routeTableSet", "routeTableId", "RouteTableId"),
    "DescribeSecurityGroups": ("securityGroupInfo", "groupId", "GroupId"),
    "DescribeVpcPeeringConnections": ("vpcPeeringConnectionSet", "vpcPeeringConnectionId", "VpcPeeringConnectionId"),
    "DescribeKeyPairs": ("keySet", "keyPairId", "KeyPairId"),
    "DescribeImages": ("imagesSet", "imageId", "ImageId"),
    "DescribeNetworkInterfaces": ("networkInterfaceSet", "networkInterfaceId", "NetworkInterfaceId"),
    "DescribeSecurityGroupRules": ("securityGroupRuleSet", "groupId", "SecurityGroupRuleId"),
}
BY_PREFIX = {
    "vpc": "DescribeVpcs", "subnet": "DescribeSubnets", "igw": "DescribeInternetGateways",
    "rtb": "DescribeRouteTables", "sg": "DescribeSecurityGroups",
}

# Changes of attributes, which reads show late: the parameter that names the resource.
CHANGES = {
    "CreateRoute": "RouteTableId", "ReplaceRoute": "RouteTableId", "DeleteRoute": "RouteTableId",
    "AssociateRouteTable": "RouteTableId",
    "AuthorizeSecurityGroupIngress": "GroupId", "RevokeSecurityGroupIngress": "GroupId",
    "ModifySubnetAttribute": "SubnetId", "ModifyVpcAttribute": "VpcId",
    "AttachInternetGateway": "InternetGatewayId", "DetachInternetGateway": "InternetGatewayId",
}
DELETES = {
    "DeleteVpc": "VpcId", "DeleteSubnet": "SubnetId", "DeleteInternetGateway": "InternetGatewayId",
    "DeleteRouteTable": "RouteTableId", "DeleteSecurityGroup": "GroupId",
}
MESSAGES = {
    "initiating-request": "Initiating Request to {}", "pending-acceptance": "Pending Acceptance by {}",
    "provisioning": "Provisioning", "active": "Active", "deleting": "Deleting", "deleted": "Deleted by {}",
    "failed": "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range",
}


def make(world, call):
    """A call that creates something."""
    world.check_uses(call)
    token = call.get("ClientToken") if call.action == "CopyImage" else None
    if token and world.rules["tokens"] and (call.region, token) in world.tokens:
        given, id = world.tokens[call.region, token]
        if given != call.given():
            raise Refused("IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).")
        return answer(call.action, imageId=id)
    root = world.moto.ask(call, call.form)
    id = root.findtext(MAKES[call.action])
    kinds = call.tags()
    tags = next(iter(kinds.values()), {})
    held = world.add(call, id, tags)
    if token:
        world.tokens[call.region, token] = (call.given(), id)
    if call.action == "CopyImage":
        takes = 0 if call.direct else world.span("image", id)
        held.timeline = Timeline(held.made, "pending")
        held.timeline.plan(held.made, (takes, "available"))
        tag_copy(world, call, id, kinds)
    if call.action.endswith("KeyPair"):
        held.about["key"] = call.get("KeyName")
    if call.action == "CreateVpcPeeringConnection":
        request(world, call, held)
    for name in ("VpcId", "PeerVpcId", "PeerRegion"):
        if call.get(name):
            held.about[name] = call.get(name)
    return root


def tag_copy(world, call, id, kinds):
    """Tags a copy, because moto does not."""
    found = world.moto.do(call, "DescribeImages", **{"ImageId.1": id})
    snapshots = [e.text for e in found.findall(".//snapshotId")]
    tags = world.backend(call.region).tags
    for kind, ids in (("image", [id]), ("snapshot", snapshots)):
        for one in ids:
            tags[one].update(kinds.get(kind, {}))


def request(world, call, held):
    """Starts a peering connection's lifecycle, up to its acceptance."""
    peering = world.backend(call.region).vpc_pcxs[held.id]
    ends = ip_network(peering.vpc.cidr_block).overlaps(ip_network(peering.peer_vpc.cidr_block))
    takes = 0 if call.direct else world.span("peering_request", held.id)
    held.timeline = Timeline(held.made, "initiating-request")
    held.timeline.plan(held.made, (takes, "failed" if ends else "pending-acceptance"))
    seen = 0 if call.direct else world.span("peering_seen", held.id)
    held.seen_in[peering.peer_vpc.region] = max(held.seen, held.made + takes + seen)


def accept(world, call):
    """`AcceptVpcPeeringConnection`, according to the actual state."""
    world.check_uses(call)
    held = world.resources.get(call.get("VpcPeeringConnectionId"))
    if held is None:
        return world.moto.ask(call, call.form)
    now = world.now()
    state = held.timeline.at(now)
    if state != "pending-acceptance":
        raise Refused("InvalidStateTransition", f"Invalid state transition for {held.id}, attempted to transition from {state} to provisioning")
    root = world.moto.ask(call, call.form)
    takes = 0 if call.direct else world.span("peering_provision", held.id)
    held.timeline.plan(now, (0, "provisioning"), (takes, "active"))
    for item in root.findall("vpcPeeringConnection"):
        show_peering(world, call, held, item)
    return root


def delete_peering(world, call):
    """`DeleteVpcPeeringConnection`."""
    world.check_uses(call)
    held = world.resources.get(call.get("VpcPeeringConnectionId"))
    if held is None:
        return world.moto.ask(call, call.form)
    now = world.now()
    state = held.timeline.at(now)
    if state in ("deleting", "deleted", "failed", "rejected", "expired"):
        raise Refused("InvalidStateTransition", f"Invalid state transition for {held.id}, attempted to transition from {state} to deleting")
    root = world.moto.ask(call, call.form)
    takes = 0 if call.direct else world.span("peering_delete", held.id)
    held.timeline.plan(now, (0, "deleting"), (takes, "deleted"))
    # Both sides show it for a while.
    held.removed = now + takes + world.rules["terminated_for"] * world.rules["scale"]
    return root


def change(world, call):
    """A change of an attribute: applied at once, shown late."""
    world.check_uses(call)
    id = call.get(CHANGES[call.action])
    before = snapshot(world, call, id) if not call.direct and id in world.resources else None
    if call.action == "DetachInternetGateway":
        check_detach(world, call)
    root = world.moto.ask(call, call.form)
    if before is not None:
        now = world.now()
        world.resources[id].stale.append((now, now + world.span("change_lag", call.n), before))
    if call.action == "DetachInternetGateway":
        busy(world, call, call.get("VpcId"))
    return root


def busy(world, call, vpc):
    """Marks the VPC as in use for a while after a dependent is removed, as in EC2."""
    lasts = 0 if call.direct else world.span("delete_lag", call.n, vpc)
    world.busy[vpc] = max(world.busy.get(vpc, 0), world.now() + lasts)


def snapshot(world, call, id):
    """Returns an item as reads show it now."""
    action = BY_PREFIX[id.partition("-")[0]]
    items, _, parameter = SHOWS[action]
    found = world.moto.do(call, action, **{f"{parameter}.1": id}).find(f"{items}/item")
    return copy.deepcopy(found)


def tag(world, call):
    """`CreateTags`: shown late."""
    world.check_uses(call)
    root = world.moto.ask(call, call.form)
    now = world.now()
    for id in call.all("ResourceId"):
        held = world.resources.get(id)
        if held is not None:
            pairs = call.pairs("Tag")
            held.tags.update(pairs)
            seen = now + (0 if call.direct else world.span("tag_lag", id, call.n))
            held.tag_seen.update({key: (now, max(seen, held.seen)) for key in pairs})
    return root


def delete(world, call):
    """A deletion: refused while dependents exist; applied at once, effective late."""
    world.check_uses(call)
    id = call.get(DELETES[call.action])
    backend = world.backend(call.region)
    if world.rules["dependencies"]:
        why = depends(world, backend, id)
        if why:
            raise Refused("DependencyViolation", why)
    held = world.resources.get(id)
    if held is None or call.direct:
        root = world.moto.ask(call, call.form)
        if held is not None:
            held.deleted = held.removed = world.now()
        return root
    if not there(backend, id):
        raise not_found(id)
    now = world.now()
    held.deleted, held.removed = now, now + world.span("delete_lag", id)
    world.later(held.removed, lambda: remove(world, held))
    return answer(call.action, **{"return": "true"})


def there(backend, id):
    """Returns whether moto has it."""
    prefix = id.partition("-")[0]
    if prefix == "subnet":
        return any(id in zone for zone in backend.subnets.values())
    if prefix == "sg":
        return backend.get_security_group_from_id(id) is not None
    held = {"vpc": backend.vpcs, "igw": backend.internet_gateways, "rtb": backend.route_tables}
    return id in held[prefix]


def remove(world, held):
    """Removes the rest of a deleted resource."""
    backend = world.backend(held.region)
    if held.id.startswith("subnet-"):
        # moto leaves a deleted subnet associated with its table.
        for table in backend.route_tables.values():
            for association, subnet in list(table._associations.items()):
                if subnet == held.id:
                    del table._associations[association]
    action = {kind: action for action, kind in (
        ("DeleteVpc", "vpc"), ("DeleteSubnet", "subnet"), ("DeleteInternetGateway", "internet-gateway"),
        ("DeleteRouteTable", "route-table"), ("DeleteSecurityGroup", "security-group"),
    )}[held.kind]
    world.quietly(held.region, action, **{DELETES[action]: held.id})


def users(backend, fits):
    """Returns the existing network interfaces that fit."""
    ended = lambda e: e.instance is not None and e.instance.state == "terminated"
    return [e for e in backend.enis.values() if not ended(e) and fits(e)]


def depends(world, backend, id):
    """Returns the error that blocks the deletion of a resource, if any."""
    prefix = id.partition("-")[0]
    text = f"The {{}} '{id}' has dependencies and cannot be deleted."
    if prefix == "subnet" and users(backend, lambda e: e.subnet.id == id):
        return text.format("subnet")
    if prefix == "sg":
        if users(backend, lambda e: id in [g.id for g in e.group_set]):
            return f"resource {id} has a dependent object"
        others = [g for groups in backend.groups.values() for g in groups.values() if g.id != id]
        if any(id in str(rule.source_group) for g in others for rule in g.ingress_rules):
            return f"resource {id} has a dependent object"
    if prefix == "igw" and there(backend, id) and backend.internet_gateways[id].vpc:
        return f"The internetGateway '{id}' has dependencies and cannot be deleted."
    if prefix == "rtb" and there(backend, id):
        table = backend.route_tables[id]
        if table.main_association_id or table._associations:
            return f"The routeTable '{id}' has dependencies and cannot be deleted."
    if prefix == "vpc" and (world.busy.get(id, 0) > world.now() or in_vpc(world, backend, id)):
        return text.format("vpc")
    return None


def in_vpc(world, backend, vpc):
    """Returns whether a VPC contains anything that is not deleted with it."""
    groups = backend.groups.get(vpc, {}).values()
    peerings = [p for p in backend.vpc_pcxs.values() if vpc in (p.vpc.id, p.peer_vpc.id)]
    ended = ("deleted", "failed", "rejected", "expired")
    state = lambda p: world.resources[p.id].timeline.at(world.now()) if p.id in world.resources else p._status.code
    return (
        any(s.vpc_id == vpc for zone in backend.subnets.values() for s in zone.values())
        or any(g.vpc and g.vpc.id == vpc for g in backend.internet_gateways.values())
        or any(t.vpc_id == vpc and not t.main_association_id for t in backend.route_tables.values())
        or any(g.name != "default" for g in groups)
        or any(state(p) not in ended for p in peerings)
    )


def check_detach(world, call):
    """Refuses to detach a gateway while an instance in its VPC has a public address."""
    vpc, backend = call.get("VpcId"), world.backend(call.region)
    if not world.rules["dependencies"]:
        return
    mapped = users(backend, lambda e: e.subnet.vpc_id == vpc and e.public_ip)
    if mapped:
        raise Refused("DependencyViolation", f"Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.")


def describe(world, call):
    """A read: omits resources that are not visible yet, and sometimes shows an earlier state."""
    items, element, parameter = SHOWS[call.action]
    world.check_ids(call)
    root = world.moto.ask(call, call.form)
    filters = call.filters()
    all_items = root.find(items)
    for item in list(all_items) if all_items is not None else []:
        id = item.findtext(element)
        vpc, instance = item.findtext("vpcId"), item.findtext("attachment/instanceId")
        seen = all(world.is_seen(call, one) for one in (id, vpc, instance) if one)
        tags = all(world.shows_tag(call, id, name[4:]) for name in filters if name.startswith("tag:"))
        held = world.resources.get(id)
        if not (seen and tags and fits(item, filters) and not ended_interface(world, instance)):
            all_items.remove(item)
            continue
        if held is None:
            continue
        shown = stale(world, call, held, item)
        if shown is not item:
            all_items[list(all_items).index(item)] = shown
        show(world, call, held, shown)
    return root


# Filters that moto ignores, with the element that they apply to.
ELSEWHERE = {
    "requester-vpc-info.vpc-id": "requesterVpcInfo/vpcId",
    "accepter-vpc-info.vpc-id": "accepterVpcInfo/vpcId",
}


def fits(item, filters):
    """Returns whether an item fits the filters that moto ignores."""
    return all(item.findtext(path) in filters[name] for name, path in ELSEWHERE.items() if name in filters)


def ended_interface(world, instance):
    """Returns whether an interface was deleted with its instance."""
    held = world.resources.get(instance)
    return held is not None and held.timeline.at(world.now()) == "terminated"


def stale(world, call, held, item):
    """Returns the item, or its state before the last changes."""
    now = world.now()
    held.stale = [one for one in held.stale if one[1] > now]
    for since, until, before in held.stale:
        if not world.sees(call, since, until, held.id, "change"):
            return copy.deepcopy(before)
    return item


def show(world, call, held, item):
    """Writes the state that EC2 shows into an item."""
    world.hide_tags(call, held.id, item)
    if held.kind == "vpc-peering-connection":
        show_peering(world, call, held, item)
    if held.kind == "image" and held.timeline:
        put(item, "imageState", world.state(call, held))
    if held.kind == "route-table":
        for route in item.findall("routeSet/item"):
            put(route, "state", "active" if carries(world, held.region, route) else "blackhole")


def carries(world, region, route):
    """Returns whether the target of a route works."""
    backend = world.backend(region)
    peering, gateway = route.findtext("vpcPeeringConnectionId"), route.findtext("gatewayId") or ""
    if peering:
        held = world.resources.get(peering)
        own = backend.vpc_pcxs.get(peering)
        return held.timeline.at(world.now()) == "active" if held else own and own._status.code == "active"
    if gateway.startswith("igw-"):
        return there(backend, gateway) and backend.internet_gateways[gateway].vpc is not None
    return True


def show_peering(world, call, held, item):
    """Writes a peering connection's state; each side has its own tags."""
    state = world.state(call, held)
    put(item, "status/code", state)
    put(item, "status/message", MESSAGES[state].format(world.moto.account))
    if call.region != held.region:
        tags = item.find("tagSet")
        if tags is not None:
            tags.clear()
            for key, value in world.backend(call.region).tags[held.id].items():
                item_ = ET.SubElement(tags, "item")
                put(item_, "key", key)
                put(item_, "value", value)


def describe_tags(world, call):
    """`DescribeTags`: tags show late, and are removed with their resource."""
    root = world.moto.ask(call, call.form)
    tags = root.find("tagSet")
    backend = world.backend(call.region)
    rules = {r.id for groups in backend.groups.values() for g in groups.values() for r in g.ingress_rules + g.egress_rules}
    for item in list(tags) if tags is not None else []:
        id, key = item.findtext("resourceId"), item.findtext("key")
        held = world.resources.get(id)
        ended = held is not None and held.kind == "vpc-peering-connection" and world.state(call, held) == "deleted"
        if ended or id.startswith("sgr-") and id not in rules:
            tags.remove(item)
        elif held is not None and not (world.is_seen(call, id) and world.shows_tag(call, id, key)):
            tags.remove(item)
    return root
