"""Certificates of a test's own: an authority, a server's for localhost and a client's."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Certificates:
    """Files in one folder.

    ``ca.pem``, ``other-ca.pem``, and for ``server`` and ``client`` a
    ``.pem`` and a ``.key``; ``client-both.pem`` holds both of the client's, as MongoDB wants.
    """

    folder: Path

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)


def make_certificates(folder: Path) -> Certificates:
    """Make them with openssl; the server's is for localhost, not for 127.0.0.1."""
    folder.mkdir()
    for authority in ("ca", "other-ca"):
        _openssl(
            folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", f"{authority}.key", "-out", f"{authority}.pem", "-days", "2",
            "-subj", f"/CN={authority}",
        )  # fmt: skip
    for name, subject in (("server", "localhost"), ("client", "perf_pipeline")):
        _openssl(
            folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={subject}",
        )  # fmt: skip
        (folder / "names").write_text(f"subjectAltName=DNS:{subject}")
        _openssl(
            folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", f"{name}.pem", "-days", "2", "-extfile", "names",
        )  # fmt: skip
    both = folder / "client-both.pem"
    both.write_text((folder / "client.key").read_text() + (folder / "client.pem").read_text())
    for key in folder.glob("*.key"):
        key.chmod(0o600)
    return Certificates(folder)


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
