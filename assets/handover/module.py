import importlib.metadata
import os
import socket
import sys

__all__ = ["cluster", "region_info", "context"]

# Redis is asked at this port by pyquokka, whatever is forwarded where.
_QUOKKA_REDIS_PORT = 6800
# Seconds until a service that does not answer is reported.
_PATIENCE = 10


class ClusterError(ImportError):
    """Why this Python can't use the cluster, and what to do about it."""


def _installed(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _check_versions():
    here = {"Python": "%d.%d" % sys.version_info[:2]}
    here.update((package, _installed(package)) for package in ("ray", "pyquokka"))
    wrong = [
        "  %s is %s here and %s on the nodes" % (name, here[name] or "not installed", there)
        for name, there in _NODES_RUN.items()
        if here[name] != there
    ]
    wrong += [
        "  %s is not installed here" % name
        for name, version in here.items()
        if version is None and name not in _NODES_RUN
    ]
    if wrong:
        lines = ["this Python (%s) can't use the cluster %s:" % (sys.executable, _CLUSTER)] + wrong
        if _INSTALL:
            lines += ["what can, best in an environment of its own:", "  " + _INSTALL]
        raise ClusterError("\n".join(lines))


def _unreachable(service, address, error):
    hints = (
        ["is `muster forward` still running? Export again once it is"]
        if _FORWARDED
        else [
            "has the leader's address changed since? Export again",
            "does its security group let this machine's address in at port %d?" % address[1],
            "or leave the port shut: `muster forward`, then export again",
        ]
    )
    lines = ["%s of %s does not answer at %s:%d (%s)" % ((service, _CLUSTER) + address + (error,))]
    return ClusterError("\n  - ".join(lines + hints + ["is it running? `muster exec --on leader -- ray status`"]))


def _check_ray_client():
    try:
        socket.create_connection(_RAY_CLIENT, _PATIENCE).close()
    except OSError as error:
        raise _unreachable("Ray's client server", _RAY_CLIENT, error) from None


def _check_redis():
    try:
        with socket.create_connection(_REDIS, _PATIENCE) as connection:
            connection.sendall(b"PING\r\n")
            answer = connection.recv(64)
    except OSError as error:
        raise _unreachable("Redis", _REDIS, error) from None
    if not answer.startswith(b"+PONG"):
        raise _unreachable("Redis", _REDIS, "its answer is %r" % answer)


class _Redis:
    """Wraps the module redis where pyquokka's client uses it: connects to the
    address that is reachable from here, and raises an error when nothing answers,
    where pyquokka would retry for ever without a message."""

    def __init__(self, real):
        self._real = real

    def __getattr__(self, name):
        return getattr(self._real, name)

    def Redis(self, host="localhost", port=6379, *rest, **options):
        if (str(host), port) == (_PUBLIC_IPS[0], _QUOKKA_REDIS_PORT):
            _check_redis()
            host, port = _REDIS
        return self._real.Redis(host, port, *rest, **options)


def _connect():
    try:
        # As on the nodes: without it, pyarrow before 14.0.1 runs code that a file brings with it.
        import pyarrow_hotfix
    except ModuleNotFoundError:
        pass
    import ray
    import pyquokka
    import pyquokka.quokka_runtime as runtime
    from pyquokka.utils import EC2Cluster

    if ray.is_initialized():
        raise ClusterError("this Python is connected to a Ray cluster already: ray.shutdown() first")
    _check_ray_client()
    # With a head in Docker, EC2Cluster does not connect by itself; everything else
    # is the same as without one.
    made = EC2Cluster(
        list(_PUBLIC_IPS),
        list(_PRIVATE_IPS),
        list(_INSTANCE_IDS),
        _CPU_COUNT,
        _SPILL_DIR,
        docker_head_private_ip=_PUBLIC_IPS[0],
        tags={},
    )
    host = "[%s]" % _RAY_CLIENT[0] if ":" in _RAY_CLIENT[0] else _RAY_CLIENT[0]
    ray.init(
        address="ray://%s:%d" % (host, _RAY_CLIENT[1]),
        runtime_env={"py_modules": [os.path.join(os.path.dirname(pyquokka.__file__), "")]},
    )
    runtime.redis = _Redis(getattr(runtime.redis, "_real", runtime.redis))
    return made


def context(**options):
    """A QuokkaContext on the cluster; `options` are QuokkaContext's own.

    The nodes get the leader's private address, since they can't reach
    Redis at its public one, and the path of the spill directory."""
    from pyquokka.df import QuokkaContext

    spill = os.path.join(_SPILL_DIR, "")

    class Context(QuokkaContext):
        def __setattr__(self, name, value):
            # The nodes make their spill store of what stands here first; a
            # set_config comes too late for that.
            if name == "exec_config":
                value = dict(value, hbq_path=spill)
            super().__setattr__(name, value)

    _check_redis()
    outside = cluster.leader_public_ip
    cluster.leader_public_ip = cluster.leader_private_ip
    try:
        made = Context(cluster, **options)
    finally:
        cluster.leader_public_ip = outside
    made.__class__ = QuokkaContext
    made.set_config("hbq_path", spill)
    return made


_check_versions()
cluster = _connect()
