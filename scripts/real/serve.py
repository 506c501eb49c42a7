"""Serves one GGUF model with llama.cpp's own HTTP server, on the loopback interface only.

Usage: serve.py MODEL.gguf ALIAS --port PORT --context TOKENS_PER_SLOT --slots SLOTS --threads THREADS

Ends when its standard input ends, which is when the process that started it has ended, however it did. SIGTERM ends it too.
"""

import argparse
import os
import signal
import sys

import xllamacpp


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("alias")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--context", type=int, required=True)
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    return parser.parse_args()


def serve(options: argparse.Namespace) -> xllamacpp.Server:
    params = xllamacpp.CommonParams()
    params.model.path = options.model
    params.model_alias = {options.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = options.port
    params.n_parallel = options.slots
    # Of all slots together; each gets its even share, and refuses a longer prompt with 400.
    params.n_ctx = options.context * options.slots
    params.kv_unified = False
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.threads
    params.endpoint_metrics = True
    params.endpoint_slots = True
    return xllamacpp.Server(params)


def main() -> None:
    options = parse()
    if not sys.stdin.isatty():
        # Ctrl-C reaches the whole process group; the parent decides when this server ends.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = serve(options)
    print(f"listening on {server.listening_address}", flush=True)
    while sys.stdin.buffer.read(65536):
        pass
    # Without this the C++ threads keep the process alive.
    os._exit(0)


if __name__ == "__main__":
    main()
