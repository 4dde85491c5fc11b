"""kellgrend and its peer in turns, on one machine, and how many times as fast kellgrend is, as a Markdown table.

    python benches/side_by_side.py                       # the program built here, this Python's torchvision
    python benches/side_by_side.py --device cpu --networks shufflenet_v2_x2_0 --rounds 1

They take turns, so that a machine that grows warm or busy slows both; of the rounds, the median counts.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ENSEMBLE = "ensemble"


def kellgrend(options, common):
    """The report of one run, and views a second by network."""
    command = [options.kellgrend, "bench", "--json", *common]
    if options.device:
        command += ["--device", options.device]
    if options.precision:
        command += ["--precision", options.precision]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    rates = {network["name"]: network["views_per_second"] for network in report["networks"]}
    return report, rates | {ENSEMBLE: report["ensemble"]["views_per_second"]}


def peer(options, common):
    """Views a second by mode and network."""
    command = [options.python, str(HERE / "peer.py"), *common]
    if options.device:
        command += ["--device", options.device]
    if options.modes:
        command += ["--modes", options.modes]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    said = [json.loads(line) for line in lines if line.startswith("{")]
    return said[0], {(one["mode"], one["network"]): one["views_per_second"] for one in said}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kellgrend", default=str(HERE.parent / "target/release/kellgrend"), help="the program")
    parser.add_argument("--python", default=sys.executable, help="a Python with torch and torchvision")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", help="cpu, cuda or cuda:N; default: what each finds")
    parser.add_argument("--precision", help="kellgrend's; default: the fastest of the device")
    parser.add_argument("--modes", help="the peer's; see peer.py")
    parser.add_argument("--networks", help="default: all eight")
    parser.add_argument("--batch", help="views together, for both")
    parser.add_argument("--seconds", help="for each measurement, of both")
    options = parser.parse_args()
    named = {"--networks": options.networks, "--batch": options.batch, "--seconds": options.seconds}
    common = [word for option, value in named.items() if value for word in (option, value)]

    ours, theirs = {}, {}
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        report, rates = kellgrend(options, common)
        for name, rate in rates.items():
            ours.setdefault(name, []).append(rate)
        about, rates = peer(options, common)
        if report["machine"]["device"].startswith("GPU") != about["device"].startswith("cuda"):
            raise SystemExit("one of the two found a GPU and the other did not; name one for both with --device")
        for key, rate in rates.items():
            theirs.setdefault(key, []).append(rate)

    machine = report["machine"]
    modes = list(dict.fromkeys(mode for mode, _ in theirs))
    print(f"{machine['device']}; kellgrend {machine['kellgrend']} with libtorch {machine['libtorch']} in", end=" ")
    print(f"{report['precision']}; torch {about['torch']}, torchvision {about['torchvision']} on {about['device']};", end=" ")
    print(f"views a second, median of {options.rounds} rounds.\n")
    print("| network | kellgrend |" + "".join(f" {mode} | ratio |" for mode in modes))
    print("|---|---|" + "---|---|" * len(modes))
    for name, rates in ours.items():
        own = statistics.median(rates)
        cells = [statistics.median(theirs[mode, name]) for mode in modes]
        print(f"| {name} | {own:.4g} |" + "".join(f" {rate:.4g} | {own / rate:.2f} |" for rate in cells))


if __name__ == "__main__":
    main()
