

def _query():
    """A group-by over generated rows whose sums are known, through the cluster."""
    import json
    import time

    def emit(**what):
        print("muster-query " + json.dumps(what), flush=True)

    def phase(name):
        emit(phase=name)
        return time.monotonic()

    import polars

    rows, keys = 200_000, 5
    frame = polars.DataFrame(
        {"key": [n % keys for n in range(rows)], "value": list(range(rows))}
    )
    began = phase("context")
    qc = context()
    asked = phase("query")
    result = qc.from_polars(frame).groupby("key").agg({"value": "sum"}).collect()
    ended = phase("compare")
    found = {int(key): int(value) for key, value in result.select(["key", "value_sum"]).rows()}
    # Of 0, 1, 2 … every key gets rows/keys numbers, `keys` apart.
    each = rows // keys
    known = {key: each * key + keys * each * (each - 1) // 2 for key in range(keys)}
    emit(
        rows=rows,
        sums=[[key, found.get(key), known.get(key)] for key in sorted(set(found) | set(known))],
        right=found == known,
        context_s=asked - began,
        query_s=ended - asked,
    )


_query()
