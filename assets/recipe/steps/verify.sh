# What a query will need, tried from this node as Quokka and Ray will do it.
# Each result is a line that muster reads (`muster-check PROBE NODE ok|failed …`);
# what fails is named with the likeliest cause. Without Ray and pyquokka in the
# environment, as under `ray: config`, the system's python3 does it.
[ ! -x "$venv/bin/python3" ] || need_venv
exec python3 -u - <<'END_OF_PYTHON'
import errno, json, os, socket, subprocess, sys, time
from concurrent.futures import ThreadPoolExecutor

SELF, LEADER = os.environ["MUSTER_NODE"], os.environ["MUSTER_LEADER"]
NODES = dict(line.split() for line in os.environ["MUSTER_NODES"].splitlines() if line.strip())
PRIVATE = os.environ["MUSTER_LEADER_IP"]
PUBLIC = os.environ.get("MUSTER_LEADER_PUBLIC_IP") or PRIVATE
# How long what has just been started may take to answer, and one try, in seconds.
PATIENCE, TRY = 20.0, 4.0
# Loading Ray takes seconds on a node that has just started everything.
RAY_PATIENCE = 60.0
# With more nodes than this, passed checks are reported once per region.
MANY = 64

failed = 0


def port(name):
    """From the table that goes before the built-in scripts."""
    return int(os.environ["MUSTER_PORT_" + name])


def gcs_port():
    """The recipe's own steps take the pinned one; the config's commands what they like, and Ray notes it down."""
    if os.environ.get("MUSTER_RAY") != "config":
        return port("GCS")
    try:
        with open("/tmp/ray/ray_current_cluster") as file:
            return int(file.read().strip().rpartition(":")[2])
    except (OSError, ValueError):
        return 6379


GCS, REDIS, FLIGHT, CLIENT = gcs_port(), port("REDIS"), port("FLIGHT"), port("RAY_CLIENT")


def report(probe, to, problem, fine):
    global failed
    failed += problem is not None
    word, detail = ("ok", fine) if problem is None else ("failed", problem)
    print("muster-check", probe, to or "-", word, " ".join(str(detail).split()), flush=True)


def region(node):
    return node.split("/")[0]


def once(address, port, ask=b""):
    """None where `address` takes the connection (and answers `ask`), else the error."""
    try:
        with socket.create_connection((address, port), TRY) as connection:
            if ask:
                connection.sendall(ask)
                answer = connection.recv(64)
                if not answer.startswith(b"+PONG"):
                    return ValueError("it answers %r" % answer[:40])
        return None
    except OSError as error:
        return error


def patiently(address, port, ask=b""):
    """The same, again while the other side may still be starting."""
    end = time.monotonic() + PATIENCE
    while True:
        error = once(address, port, ask)
        refused = isinstance(error, ConnectionRefusedError)
        if error is None or not refused or time.monotonic() > end:
            return error
        time.sleep(0.5)


def cause(error, node, address, port, what):
    """What was seen, and what it comes from most often."""
    seen = "%s:%d " % (address, port)
    here, there = region(SELF), region(node)
    if isinstance(error, ConnectionRefusedError):
        return seen + "refuses; likeliest the process: %s does not run on %s, or listens elsewhere" % (what, node)
    if isinstance(error, ValueError):
        return seen + "%s; likeliest another program has the port" % error
    if isinstance(error, ConnectionResetError):
        return seen + "breaks the connection; likeliest the process: %s on %s is just ending" % (what, node)
    unreachable = getattr(error, "errno", None) in (errno.EHOSTUNREACH, errno.ENETUNREACH)
    seen += "has no route" if unreachable else "does not answer within %d s" % TRY
    if here != there and unreachable:
        return seen + "; likeliest the route: the tables of %s and %s have to lead to each other over an active peering" % (here, there)
    if here != there:
        return seen + "; likeliest the group: that of %s has to admit %s's CIDR on port %d; else a route or the peering" % (node, here, port)
    if unreachable:
        return seen + "; likeliest the route: a table or network ACL of %s" % here
    return seen + "; likeliest the group: that of %s has to admit this node on port %d" % (node, port)


def versions():
    wanted = dict(
        line.split("==") for line in os.environ.get("MUSTER_CONSTRAINTS", "").splitlines() if line.count("==") == 1
    )
    python = os.environ.get("MUSTER_PYTHON", "")
    own = "%d.%d.%d" % sys.version_info[:3]
    seen, wrong = ["python " + own], []
    if python and not own.startswith(python + "."):
        wrong.append("python is %s, not %s" % (own, python))
    from importlib.metadata import PackageNotFoundError, version
    for package in ("ray", "pyquokka"):
        try:
            got = version(package)
        except PackageNotFoundError:
            got = "missing"
        seen.append("%s %s" % (package, got))
        if got != wanted.get(package, got if got != "missing" else "installed"):
            wrong.append("%s is %s, not %s" % (package, got, wanted.get(package, "there")))
    try:
        import pyarrow
        hotfix = "its hotfix" if getattr(pyarrow, "_hotfix_installed", False) else "no hotfix"
        seen.append("pyarrow %s with %s" % (pyarrow.__version__, hotfix))
    except ImportError:
        pass
    problem = "; ".join(wrong) + "; likeliest the step python: run it again" if wrong else None
    report("versions", None, problem, ", ".join(seen))


def ray_nodes():
    """Address by address whether Ray counts the node as alive. In a process of
    its own: where GCS is lost, Ray ends the whole process after a minute."""
    result = subprocess.run(
        [sys.executable, "-c", NODE_TABLE, "%s:%d" % (PRIVATE, GCS)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=RAY_PATIENCE, text=True,
    )
    if result.returncode:
        raise RuntimeError((result.stderr.strip().splitlines() or ["no output"])[-1])
    return json.loads(result.stdout.strip().splitlines()[-1])


NODE_TABLE = """
import json, sys
from ray._private.state import GlobalState
from ray._raylet import GcsClientOptions
state = GlobalState()
state._initialize_global_state(GcsClientOptions.from_gcs_address(sys.argv[1]))
print(json.dumps({node["NodeManagerAddress"]: node["Alive"] for node in state.node_table()}))
"""


def in_ray():
    """The leader looks for all nodes, every other one for itself."""
    wanted = dict(NODES) if SELF == LEADER else {SELF: NODES[SELF]}
    end = time.monotonic() + RAY_PATIENCE
    if once(PRIVATE, GCS) is not None:
        end = 0.0
    while True:
        try:
            known, error = (ray_nodes(), None) if end else ({}, "nothing answers at GCS")
        except Exception as problem:  # any error of Ray
            known, error = {}, problem
        if all(known.get(ip) for ip in wanted.values()) or time.monotonic() > end:
            break
        time.sleep(1)
    for node, ip in wanted.items():
        if known.get(ip):
            problem = None
        elif error is not None:
            problem = "Ray's node list can't be read: %s; likeliest the process: Ray on %s" % (error, LEADER)
        elif ip in known:
            problem = "Ray counts %s as dead; likeliest the process: the raylet there, else a group that keeps Ray's ports shut" % ip
        else:
            others = ", ".join(sorted(known)[:5]) or "none"
            problem = "Ray knows no node at %s (it knows %s); likeliest the process: Ray on %s" % (ip, others, node)
        report("ray-node", node, problem, "alive at " + ip)


def redis():
    """As Quokka connects: by the leader's public address, from every node."""
    ping = b"PING\r\n"
    error = patiently(PUBLIC, REDIS, ping)
    problem = None
    if error is not None:
        inside = once(PRIVATE, REDIS, ping) if PUBLIC != PRIVATE else error
        if inside is None:
            problem = (
                "%s:%d does not answer and %s:%d does; likeliest the redirect on this node: "
                "run its step redirect again" % (PUBLIC, REDIS, PRIVATE, REDIS)
            )
        else:
            problem = cause(inside, LEADER, PRIVATE, REDIS, "Redis")
    report("redis", LEADER, problem, "PONG from %s:%d" % (PUBLIC, REDIS))


def reach(probe, port, what, nodes):
    with ThreadPoolExecutor(64) as pool:
        errors = list(pool.map(lambda node: patiently(NODES[node], port), nodes))
    fine = {}
    for node, error in zip(nodes, errors):
        if error is not None:
            report(probe, node, cause(error, node, NODES[node], port, what), "")
        elif len(nodes) <= MANY:
            report(probe, node, None, "%s:%d" % (NODES[node], port))
        else:
            fine.setdefault(region(node), []).append(node)
    for where, same in fine.items():
        report(probe, same[0], None, "all %d nodes of %s that answer" % (len(same), where))


versions()
reach("gcs", GCS, "Ray", [LEADER])
in_ray()
redis()
reach("flight", FLIGHT, "Flight", [node for node in NODES if node != SELF])
# Only the operator's client goes there, and the groups let no node in.
if SELF == LEADER:
    reach("ray-client", CLIENT, "Ray's client server", [LEADER])
sys.exit(1 if failed else 0)
END_OF_PYTHON
