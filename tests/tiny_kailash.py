"""Wheels of a runtime of a hundred lines that has the interface of kailash, in any release.

It is installed in a second where kailash takes many, and executes the workflows of the families
that need no server. So whatever installs, measures and compares releases is tested without them.
"""

from __future__ import annotations

import io
import zipfile

_BASE = """
class NodeParameter:
    def __init__(self, **fields):
        self.__dict__.update(fields)


class Node:
    def __init__(self, **config):
        self.config = config

    def execute(self, **inputs):
        return self.run(**inputs)
"""
_CODE = """
from kailash.nodes.base import Node


class PythonCodeNode(Node):
    def run(self, **inputs):
        exec(self.config["code"], {}, inputs)
        return {"result": inputs["result"]}
"""
_TRANSFORM = """
import operator

from kailash.nodes.base import Node


class FilterNode(Node):
    def run(self, data):
        field, limit = self.config["field"], self.config["value"]
        compare = {">=": operator.ge}[self.config["operator"]]
        return {"filtered_data": [row for row in data if compare(row[field], limit)]}


class Sort(Node):
    def run(self, data):
        field, reverse = self.config["field"], self.config["reverse"]
        return {"sorted_data": sorted(data, key=lambda row: row[field], reverse=reverse)}
"""
_DATA = """
import csv

from kailash.nodes.base import Node


class CSVReaderNode(Node):
    def run(self, file_path):
        with open(file_path, newline="") as file:
            rows = csv.reader(file)
            columns = next(rows)
            return {"data": [dict(zip(columns, fields)) for fields in rows]}
"""
_SQL = '''
from kailash.nodes.base import Node


class SQLDatabaseNode(Node):
    @classmethod
    def cleanup_pools(cls):
        """It has none."""
'''
_GRAPH = """
from types import SimpleNamespace


class Workflow:
    def __init__(self, **names):
        self.graph = SimpleNamespace(nodes={})
        self.edges = []

    def add_node(self, name, node):
        self.graph.nodes[name] = node

    def get_node(self, name):
        return self.graph.nodes[name]

    def connect(self, before, after, ports):
        self.edges += [(before, output, after, port) for output, port in ports.items()]
"""
_BUILDER = """
from kailash.nodes.code import PythonCodeNode
from kailash.nodes.data import CSVReaderNode
from kailash.nodes.transform import FilterNode, Sort
from kailash.workflow.graph import Workflow

KINDS = {kind.__name__: kind for kind in (PythonCodeNode, CSVReaderNode, FilterNode, Sort)}


class WorkflowBuilder:
    def __init__(self):
        self.workflow = Workflow()

    def add_node(self, kind, name, config):
        self.workflow.add_node(name, KINDS[kind](**config))

    def add_connection(self, before, output, after, port):
        self.workflow.connect(before, after, {output: port})

    def build(self):
        return self.workflow
"""
_LOCAL = '''
class LocalRuntime:
    def __init__(self, **options):
        self.options = options

    def execute(self, workflow, parameters):
        """Nodes are executed in the order in which they were added."""
        results = {}
        for name, node in workflow.graph.nodes.items():
            inputs = dict(parameters.get(name, {}))
            for before, output, after, port in workflow.edges:
                if after == name:
                    value = results[before]
                    for part in output.split("."):
                        value = value[part]
                    inputs[port] = value
            results[name] = node.execute(**inputs)
        return results, "run"
'''
_SECURITY = '''
from types import SimpleNamespace

_config = SimpleNamespace(allowed_directories=[], memory_limit=0)


class SecurityError(Exception):
    pass


def get_security_config():
    return _config


def memory_limit_guard():
    """As the releases from 2.63 on have it."""


def validate_file_path(path):
    return path
'''
_FILES = {
    "security.py": _SECURITY,
    "nodes/__init__.py": "",
    "nodes/base.py": _BASE,
    "nodes/code.py": _CODE,
    "nodes/transform.py": _TRANSFORM,
    "nodes/data/__init__.py": _DATA,
    "nodes/data/sql.py": _SQL,
    "nodes/data/redis.py": "class RedisNode: ...\n",
    "runtime/__init__.py": "",
    "runtime/local.py": _LOCAL,
    "workflow/__init__.py": "",
    "workflow/graph.py": _GRAPH,
    "workflow/builder.py": _BUILDER,
}


def tiny_wheel(release: str) -> bytes:
    """Return the wheel of a release, as ``kailash-RELEASE-py3-none-any.whl``."""
    facts = f"kailash-{release}.dist-info"
    files = {
        "kailash/__init__.py": f'__version__ = "{release}"\n',
        **{f"kailash/{name}": text for name, text in _FILES.items()},
        f"{facts}/METADATA": f"Metadata-Version: 2.1\nName: kailash\nVersion: {release}\n",
        f"{facts}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{facts}/RECORD"))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in {**files, f"{facts}/RECORD": record}.items():
            archive.writestr(name, text)
    return packed.getvalue()
