# The Python environment that everything of Quokka runs in, of the minor
# version that the operator connects with: Ray refuses another. uv makes it of
# the system's Python of that version, else it fetches one; and installs all of
# it in one call, much faster than pip.
uv=$muster/uv/bin/uv
if ! "$uv" --version >/dev/null 2>&1; then
    rm -rf "$muster/uv"
    python3 -m venv "$muster/uv"
    "$muster/uv/bin/pip" install --quiet --disable-pip-version-check 'uv>=0.5'
fi
UV_PYTHON_PREFERENCE=system
UV_NO_PROGRESS=1
# The certificates that the image trusts, as pip and curl there do.
UV_NATIVE_TLS=true
UV_SYSTEM_CERTS=true
export UV_PYTHON_PREFERENCE UV_NO_PROGRESS UV_NATIVE_TLS UV_SYSTEM_CERTS

minor='import sys; print("%d.%d" % sys.version_info[:2])'
have=$("$venv/bin/python3" -c "$minor" 2>/dev/null || true)
if [ "$have" != "$MUSTER_PYTHON" ]; then
    rm -rf "$venv"
    "$uv" venv --python "$MUSTER_PYTHON" "$venv"
fi

# What pyquokka and Ray load, also what their packages don't name: Ray's agent
# dies without async_timeout, and asks for setuptools.
printf '%s\n' "$MUSTER_CONSTRAINTS" >"$muster/constraints.txt"
{
    printf '%s\n' pyquokka 'ray[default]' polars pyarrow duckdb sqlglot numpy pandas protobuf \
        pydantic setuptools grpcio click aiohttp async_timeout redis boto3
    printf '%s\n' "${MUSTER_REQUIREMENTS:-}"
} >"$muster/requirements.txt"
"$uv" pip install --python "$venv/bin/python3" \
    --constraint "$muster/constraints.txt" --requirement "$muster/requirements.txt"
