"""Bring what the kit needs to a machine without a network, in parts of at most 60 MiB.

``python -m masa_benchmarks.gpu.bring pack PARTS`` here, with uv and a network: the packages of
wheels.txt, at the versions of uv.lock, for the Python of the other machine. ``python -m
masa_benchmarks.gpu.bring join PARTS SITE`` there, with nothing but Python and the tree; then the
kit, with SITE in PYTHONPATH: see the README here. ``python -m masa_benchmarks.gpu.bring sizes``
says how large all of the cluster's environment would be.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from masa_benchmarks.paths import LOCK

HERE = Path(__file__).parent
PART_BYTES = 60 * 2**20


def main() -> None:
    """Pack, join, or say sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default="3.12", help="of the other machine")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("pack").add_argument("parts", type=Path)
    join_parser = commands.add_parser("join")
    join_parser.add_argument("parts", type=Path)
    join_parser.add_argument("site", type=Path)
    commands.add_parser("sizes")
    options = parser.parse_args()
    if options.command == "pack":
        pack_wheels(options.parts, options.python)
    elif options.command == "join":
        unpack_parts(options.parts, options.site)
    else:
        print(format_sizes(options.python))


def pack_wheels(parts: Path, python: str) -> None:
    """Install for another machine into a folder, and write that as parts."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                *("uv", "pip", "install", "--quiet", "--no-deps", "--target", folder),
                *("--python-version", python, "--python-platform", "x86_64-manylinux_2_28"),
                *(
                    f"{name}=={version}"
                    for name, version in read_locked_versions(read_wheel_names()).items()
                ),
            ],
            check=True,
        )
        whole = io.BytesIO()
        with tarfile.open(fileobj=whole, mode="w:gz") as archive:
            archive.add(folder, arcname=".")
    parts.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(split_bytes(whole.getvalue(), PART_BYTES)):
        path = parts / f"site.tar.gz.{number:03}"
        path.write_bytes(data)
        print(f"{path}: {len(data) / 2**20:.1f} MiB")


def unpack_parts(parts: Path, site: Path) -> None:
    """Unpack the parts."""
    data = b"".join(path.read_bytes() for path in sorted(parts.glob("site.tar.gz.*")))
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        archive.extractall(site, filter="data")


def split_bytes(data: bytes, size: int) -> Iterator[bytes]:
    """Cut into pieces of at most so many bytes."""
    for begin in range(0, len(data), size):
        yield data[begin : begin + size]


def read_wheel_names() -> list[str]:
    """Read the names of wheels.txt."""
    lines = (HERE / "wheels.txt").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def read_locked_versions(names: Sequence[str]) -> dict[str, str]:
    """Return the version of uv.lock of each; of several, the newest Python's."""
    found = {package["name"]: package["version"] for package in _read_lock()}
    return {name: found[name] for name in names}


def format_sizes(python: str) -> str:
    """Return what the wheels of ``--extra cluster`` weigh, the largest first."""
    exported = subprocess.run(
        [
            *("uv", "export", "--quiet", "--locked", "--no-hashes", "--no-dev"),
            *("--no-emit-workspace", "--package", "masa-openrlhf", "--extra", "cluster"),
        ],
        check=True,
        capture_output=True,
        text=True,
        cwd=LOCK.parent,
    ).stdout
    names = {line.split("==")[0] for line in exported.splitlines() if "==" in line}
    tag = "cp" + python.replace(".", "")
    weights: dict[str, int] = {}
    for package in _read_lock():
        if package["name"] in names:
            weights[package["name"]] = max(
                weights.get(package["name"], 0), _wheel_size(package, tag)
            )
    largest = sorted(weights.items(), key=lambda item: -item[1])[:12]
    total = sum(weights.values())
    lines = [f"{name}: {size / 2**20:,.0f} MiB" for name, size in largest]
    lines.append(f"all {len(weights)}: {total / 2**20:,.0f} MiB, {-(-total // PART_BYTES)} parts")
    return "\n".join(lines)


def _wheel_size(package: dict[str, Any], tag: str) -> int:
    """Bytes of the wheel for that Python on x86-64, else of the source."""
    fitting = [
        wheel.get("size", 0)
        for wheel in package.get("wheels", [])
        if ("any" in (name := wheel["url"].rsplit("/", 1)[-1]) or "x86_64" in name)
        and (tag in name or "-py3-" in name or "abi3" in name or "py2.py3" in name)
        and "musllinux" not in name
        and "macos" not in name
    ]
    return max(fitting, default=package.get("sdist", {}).get("size", 0))


def _read_lock() -> list[dict[str, Any]]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return list(tomllib.loads(LOCK.read_text(encoding="utf-8"))["package"])


if __name__ == "__main__":
    main()
