# What muster.yaml adds to the pinned packages: `versions` and `requirements`.
# No lock file covers these.
need_venv
if [ -z "${MUSTER_VERSIONS:-}${MUSTER_REQUIREMENTS:-}" ]; then
    say "muster.yaml adds no packages"
    exit 0
fi
wanted=$(printf '%s\n%s\n' "${MUSTER_VERSIONS:-}" "${MUSTER_REQUIREMENTS:-}" | sed '/^ *$/d')
unchecked=$(printf '%s\n' "$wanted" | grep -v -e '--hash=' | paste -s -d, - | sed 's/,/, /g')
if [ -n "$unchecked" ]; then
    say "muster: not checked against hashes: $unchecked, and what they require"
    say "muster: to have one checked, give its hash: NAME==VERSION --hash=sha256:…"
else
    say "muster: not checked against hashes: what these packages require"
fi

# With all packages, those that are there already stay unless these exclude them.
printf '%s\n' "$MUSTER_CONSTRAINTS" >"$muster/constraints.txt"
{
    lock packages
    printf '%s\n' "${MUSTER_REQUIREMENTS:-}"
} >"$muster/requirements.txt"
"$uv" pip install --python "$venv/bin/python3" \
    --constraint "$muster/constraints.txt" --requirement "$muster/requirements.txt"
