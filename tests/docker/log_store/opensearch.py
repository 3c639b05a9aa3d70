"""A real OpenSearch on loopback, of the jars of Maven Central, for the tests that ship logs.

Its distribution cannot be downloaded here; the server's jar, the HTTP transport as a module and
log4j are all that a single node needs. It is the core alone: index state management and Dashboards
are no part of it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from perf_pipeline.monitoring.shipping.store import Store, StoreBusyError
from perf_pipeline.servers.lifecycle.unprivileged import NOBODY
from tests.sandbox import until

VERSION = "2.19.6"
START_S = 120.0
_POM = Path(__file__).with_name("pom.xml")
_MODULE = "transport-netty4"
_OF_MODULE = ("netty-", "transport-netty4-client")
_DESCRIPTOR = f"""description=HTTP and transport
version={VERSION}
name={_MODULE}
classname=org.opensearch.transport.Netty4Plugin
java.version=11
opensearch.version={VERSION}
has.native.controller=false
custom.foldername=
extended.plugins=
"""
_POLICY = """grant {
  permission java.net.SocketPermission "*", "accept,connect,listen,resolve";
  permission java.lang.RuntimePermission "accessDeclaredMembers";
  permission java.lang.reflect.ReflectPermission "suppressAccessChecks";
};
"""
_LOG4J = """status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""


class OpenSearch:
    """One node; its data stay when it is stopped and started again.

    Attributes:
        url: Where it answers.
    """

    def __init__(self, folder: Path, port: int) -> None:
        """Lay out its folder; ``start`` starts it."""
        self.url = f"http://127.0.0.1:{port}"
        self._home = folder
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        _lay_out(folder, port)

    def start(self) -> None:
        """Start it and wait until it answers."""
        java = [
            *("java", "-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", "-Djava.security.manager=allow"),
            *(f"-Dopensearch.path.home={self._home}", "-Dopensearch.distribution.type=tar"),
            *(f"-Dopensearch.path.conf={self._home / 'config'}", "-Dopensearch.bundled_jdk=false"),
            *("-cp", f"{self._home / 'lib'}/*", "org.opensearch.bootstrap.OpenSearch"),
        ]
        is_root = os.geteuid() == 0  # as which it refuses to run
        with (self._home / "stdout.log").open("ab") as log:
            self._process = process = subprocess.Popen(
                java,
                stdout=log,
                stderr=log,
                cwd=self._home,
                user=NOBODY if is_root else None,
                group=NOBODY if is_root else None,
                extra_groups=[] if is_root else None,
            )
        until(lambda: self.answers() or process.poll() is not None, START_S)
        if process.poll() is not None:
            tail = (self._home / "stdout.log").read_text(errors="replace")[-2000:]
            pytest.fail(f"OpenSearch {VERSION} ended with {process.returncode}: {tail}")

    def stop(self) -> None:
        """Kill it: what it has answered for is on its disk."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def answers(self) -> bool:
        """Return whether it answers."""
        try:
            return Store(self.url, timeout_s=5.0).request("GET", "/").status == 200
        except StoreBusyError:
            time.sleep(0.2)
            return False


def jars(folder: Path) -> None:
    """Copy OpenSearch's jars into a folder, or skip with the reason why they cannot be had."""
    if not (maven := shutil.which("mvn")) or not (java := shutil.which("java")):
        pytest.skip("no Maven or no Java on PATH: a real OpenSearch is made of Maven's artifacts")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found[1]) not in range(11, 24):
        pytest.skip(
            f"OpenSearch {VERSION} needs Java 11 to 23, and java is: {said.splitlines()[0]}"
        )
    command = [
        *(maven, "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies"),
        *(f"-DoutputDirectory={folder}", "-DincludeScope=runtime"),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    if ran.returncode:
        pytest.skip(f"Maven cannot get OpenSearch {VERSION}: {ran.stdout[-500:]}")


def _lay_out(home: Path, port: int) -> None:
    module = home / "modules" / _MODULE
    for folder in (home / "config", home / "data", home / "logs", home / "lib", module):
        folder.mkdir(parents=True)
    jars(home / "lib")
    for jar in (home / "lib").glob("*.jar"):
        if jar.name.startswith(_OF_MODULE):
            jar.rename(module / jar.name)
    (module / "plugin-descriptor.properties").write_text(_DESCRIPTOR)
    (module / "plugin-security.policy").write_text(_POLICY)
    (home / "config" / "log4j2.properties").write_text(_LOG4J)
    (home / "config" / "opensearch.yml").write_text(
        "cluster.name: perf_pipeline_tests\ndiscovery.type: single-node\nnetwork.host: 127.0.0.1\n"
        f"http.port: {port}\ntransport.port: 0\n"
        "cluster.routing.allocation.disk.threshold_enabled: false\n"
    )
    if os.geteuid() == 0:
        for path in (home, *home.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
