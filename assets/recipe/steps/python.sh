# The Python environment that everything of Quokka runs in, of the minor
# version that the operator connects with: Ray refuses another. uv makes it of
# the system's Python of that version, else it fetches one, whose checksum it
# knows. uv and all packages are those of the lock files, each file by its
# sha256; what muster.yaml adds is the step requirements.
locks=$muster/lock
mkdir -p "$locks"
for name in uv build "$MUSTER_PYTHON"; do
    lock "$name" >"$locks/$name.txt"
done

uv_version=$(sed -n 's/^uv==\([^ ]*\).*/\1/p' "$locks/uv.txt")
if ! "$uv" --version 2>/dev/null | grep -q "^uv $uv_version\( \|\$\)"; then
    rm -rf "$muster/uv"
    python3 -m venv "$muster/uv"
    "$muster/uv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
        --only-binary :all: --require-hashes -r "$locks/uv.txt"
fi

minor='import sys; print("%d.%d" % sys.version_info[:2])'
have=$("$venv/bin/python3" -c "$minor" 2>/dev/null || true)
if [ "$have" != "$MUSTER_PYTHON" ]; then
    rm -rf "$venv"
    "$uv" venv --python "$MUSTER_PYTHON" "$venv"
fi

# gpustat comes as source: what builds it is pinned as well.
"$uv" pip install --python "$venv/bin/python3" --require-build-hashes --build-constraints "$locks/build.txt" \
    --require-hashes --requirement "$locks/$MUSTER_PYTHON.txt"

# Every Python of the environment imports what .pth files name when it starts.
site=$venv/lib/python$MUSTER_PYTHON/site-packages
cat >"$site/muster_pyarrow.py" <<'END_OF_PYTHON'
"""Imports pyarrow_hotfix whenever pyarrow is imported, and not before: most of
Ray's processes never do. Without it, pyarrow before 14.0.1 runs code that a
Parquet, Feather or IPC file brings with it (CVE-2023-47248)."""

import sys
from importlib.machinery import PathFinder


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target) if name == "pyarrow" else None
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module):
                load(module)
                import pyarrow_hotfix  # noqa: F401

            spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Finder)
END_OF_PYTHON
echo 'import muster_pyarrow' >"$site/muster_pyarrow.pth"
