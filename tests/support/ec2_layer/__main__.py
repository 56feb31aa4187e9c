"""Serves the layer on 127.0.0.1 and prints its address: `listening on http://…`."""

import argparse
import json
import logging
import os
import sys


def main():
    parser = argparse.ArgumentParser(prog="ec2_layer", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--rules", default="{}", help="JSON: rules that differ from rules.DEFAULTS")
    given = parser.parse_args()
    for check in ("ENABLE_KEYPAIR_VALIDATION", "ENABLE_AMI_VALIDATION", "EC2_ENABLE_INSTANCE_TYPE_VALIDATION"):
        os.environ.setdefault(f"MOTO_{check}", "true")

    # moto reads its settings when it is imported.
    from werkzeug.serving import make_server

    from .server import Layer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    layer = Layer(given.seed, json.loads(given.rules))
    server = make_server("127.0.0.1", given.port, layer, threaded=True)
    print(f"listening on http://127.0.0.1:{server.server_port}", file=sys.stderr, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
