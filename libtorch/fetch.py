#!/usr/bin/env python3
"""Fetch libtorch into a folder: `fetch.py cpu|cuda FOLDER`.

pip downloads the wheels named in cpu.txt (and cuda.txt) by version and SHA-256; only what a C++ program
links or loads is unpacked, in the layout that the libraries' own run paths expect. A wheel that is there
with the right hash is not fetched again, a set that is unpacked is not unpacked again.
"""

import hashlib
import os
import pathlib
import re
import subprocess
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
# The wheels carry no Python that we run, so one build serves every python3 that has pip.
PIP = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
       "--only-binary=:all:", "--implementation=cp", "--python-version=3.11", "--abi=cp311", "--abi=none",
       *(f"--platform=manylinux_2_{n}_x86_64" for n in (28, 27, 25, 24, 18, 17, 12, 5)),
       *(f"--platform=manylinux{n}_x86_64" for n in ("2014", "2010", "1")), "--require-hashes"]
# Headers, and the libraries that a CPU needs; the CUDA set adds the rest of the libraries.
WANTED = {
    "cpu": r"torch/(include/|lib/lib(c10|torch|torch_cpu|gomp)\.so)|nvidia/(.*\.so|cu13/include/)"
           r"|cmake/data/(bin/cmake$|share/cmake)",
    "cuda": r"torch/lib/lib(c10_cuda|torch_cuda|torch_cuda_linalg|torch_nvshmem|caffe2_nvrtc)\.so|nvidia/.*\.so",
}


def pinned(name):
    """The (requirement line, sha256) pairs of one list."""
    lines = (HERE / f"{name}.txt").read_text().splitlines()
    return [(line, line.split("sha256:")[1]) for line in lines if line and not line.startswith("#")]


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def fetch(requirements, wheels):
    """Download what is missing; returns the wheels of these requirements."""
    wheels.mkdir(parents=True, exist_ok=True)
    have = {sha256(wheel): wheel for wheel in wheels.glob("*.whl")}
    missing = [(line, digest) for line, digest in requirements if digest not in have]
    if missing:
        names = ", ".join(line.split()[0] for line, _ in missing)
        print(f"libtorch: fetching {names}", file=sys.stderr, flush=True)
        listed = wheels / "missing.txt"
        listed.write_text("\n".join(line for line, _ in missing) + "\n")
        if subprocess.run([*PIP, "--dest", str(wheels), "--requirement", str(listed)]).returncode:
            sys.exit(f"libtorch: pip could not fetch {names}. Check the network or pip's index settings and "
                     f"run make again; wheels brought by hand into {wheels} are taken too.")
        listed.unlink()
        have = {sha256(wheel): wheel for wheel in wheels.glob("*.whl")}
    return [have[digest] for _, digest in requirements]


def unpack(wheel, pattern, target):
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            if re.match(pattern, entry.filename) and not entry.is_dir():
                archive.extract(entry, target)
                mode = entry.external_attr >> 16 & 0o777
                os.chmod(target / entry.filename, mode | 0o644)


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in WANTED:
        sys.exit(__doc__)
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        sys.exit("libtorch: the pinned wheels are for Linux on x86_64")
    kind, target = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    requirements = pinned(kind)
    stamp = target / f"{kind}.unpacked"
    wanted = "\n".join(digest for _, digest in requirements)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    # The torch wheel comes with the CPU set and holds libtorch_cuda.so too.
    sources = requirements if kind == "cpu" else [pinned("cpu")[0], *requirements]
    for wheel in fetch(sources, target / "wheels"):
        print(f"libtorch: unpacking {wheel.name.split('-')[0]}", file=sys.stderr, flush=True)
        unpack(wheel, WANTED[kind], target)
    stamp.write_text(wanted)


if __name__ == "__main__":
    main()
