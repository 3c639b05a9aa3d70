"""A process that starts proxies, says where they are, and waits to be killed."""

import json
import sys
import time

from perf_pipeline.faults.proxy.proxy_process import ProxyProcess

process = ProxyProcess(seed=1)
state = process.client.create("echo", "127.0.0.1:0", sys.argv[1])
print(json.dumps({"pid": process.pid, "listen": state.listen}), flush=True)  # noqa: T201
time.sleep(60)
