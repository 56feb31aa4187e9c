"""Makes a requirements file with hashes of a pylock.toml: lock.py MINOR FILE.

Keeps what a node can install: CPython 3.MINOR on Linux with glibc. Where a
package has a wheel for each architecture its source is left out, since
installing from source runs code of it.
"""

import sys
import tomllib

from pip._vendor.packaging import markers, tags, utils

ARCHITECTURES = ("x86_64", "aarch64")
# The oldest glibc among the supported images: Amazon Linux 2023.
GLIBC = 34


def main():
    minor = int(sys.argv[1])
    with open(sys.argv[2], "rb") as file:
        packages = tomllib.load(file)["packages"]
    print("# Made by scripts/lock: what fits CPython 3.%d on Linux, x86_64 and aarch64." % minor)
    for package in packages:
        if any(is_for(package, minor, arch) for arch in ARCHITECTURES):
            lines = ["%s==%s" % (package["name"], package["version"])]
            lines += sorted("--hash=sha256:" + one for one in set(hashes(package, minor)))
            print(" \\\n    ".join(lines))


def is_for(package, minor, arch):
    marker = package.get("marker")
    return not marker or markers.Marker(marker).evaluate({
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": arch,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": "3.%d.9" % minor,
        "python_version": "3.%d" % minor,
        "sys_platform": "linux",
    })


def hashes(package, minor):
    for arch in ARCHITECTURES:
        fitting = [wheel for wheel in package.get("wheels", []) if fits(wheel, supported(minor, arch))]
        for one in fitting or [package["sdist"]]:
            yield one["hashes"]["sha256"]


def fits(wheel, own):
    name = wheel.get("name") or wheel["url"].rsplit("/", 1)[1]
    return bool(utils.parse_wheel_filename(name)[3] & own)


def supported(minor, arch):
    platforms = ["manylinux_2_%d_%s" % (glibc, arch) for glibc in range(GLIBC, 4, -1)]
    platforms += [old + "_" + arch for old in ("manylinux2014", "manylinux2010", "manylinux1", "linux")]
    version = (3, minor)
    own = tags.cpython_tags(version, platforms=platforms)
    return {*own, *tags.compatible_tags(version, "cp3%d" % minor, platforms)}


main()
