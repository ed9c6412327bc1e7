#!/usr/bin/env python3
"""How speech sounds after a codec and a line that loses packets: PESQ (ITU-T P.862) and STOI against what was said.

    cargo build --release -p benches
    pip install numpy pesq pystoi                              (PESQ is compiled: it needs a C compiler)
    python3 benches/sound.py SPEECH.wav [MORE.wav ...] [--seeds 3] [--rate 8000] [--ptime 20]

Each file of at least a second is taken at --rate, in mono; ffmpeg reads it. Prints the means over all files and seeds,
beside the lowest PESQ. "conceal": only what was before a loss is known; "recover": the packet after it too, as in an ear
that waits for it. Exit status: 0 all aims were reached, 1 some were not, 2 nothing could be measured.
"""

import argparse
import subprocess
import sys
from pathlib import Path

try:
    import numpy
    from pesq import pesq
    from pystoi import stoi
except ImportError as error:
    print(f"sound: {error}; run pip install numpy pesq pystoi", file=sys.stderr)
    sys.exit(2)

BINARY = Path(__file__).resolve().parents[1] / "target/release/codec_path"

# What is done, its packets lost in a hundred, and the least that is aimed at.
NARROW = [
    ("PCMA", "conceal", 0, 4.3),
    ("PCMA", "silence", 5, None),
    ("PCMA", "conceal", 5, None),
    ("PCMA", "recover", 5, 3.4),
    ("PCMU", "recover", 5, None),
    ("PCMA", "recover", 1, None),
    ("PCMA", "recover", 10, None),
    ("opus", "recover", 0, None),
    ("opus", "conceal", 5, None),
    ("opus", "recover", 5, None),
]
WIDE = [
    ("G722", "conceal", 0, None),
    ("G722", "silence", 5, None),
    ("G722", "conceal", 5, None),
    ("L16", "silence", 5, None),
    ("L16", "conceal", 5, None),
    ("L16", "recover", 5, None),
    ("opus", "recover", 0, None),
    ("opus", "conceal", 5, None),
    ("opus", "recover", 5, None),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("speech", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rate", type=int, choices=(8000, 16000), default=8000)
    parser.add_argument("--ptime", type=int, choices=(10, 20), default=20, help="milliseconds of a packet; at 10 no Opus")
    arguments = parser.parse_args()
    if not BINARY.is_file():
        print(f"{BINARY}: no such program; `cargo build --release -p benches` makes it", file=sys.stderr)
        return 2
    speech = [read(path, arguments.rate) for path in arguments.speech]
    means = {}
    missed = False
    for codec, fill, loss, least in NARROW if arguments.rate == 8000 else WIDE:
        if codec == "opus" and arguments.ptime != 20:
            continue
        seeds = range(1, arguments.seeds + 1) if loss else [1]
        marks = [mark(said, passed(said, codec, fill, loss, seed, arguments), arguments.rate)
                 for said in speech for seed in seeds]
        means[codec, fill, loss] = mean = float(numpy.mean([mark for mark, _ in marks]))
        lowest, understood = min(mark for mark, _ in marks), numpy.mean([understood for _, understood in marks])
        missed |= least is not None and mean < least
        aim = f"aim {least}" if least else ""
        print(f"{codec:5} {loss:3} % lost, {fill:8} {mean:5.2f}  lowest {lowest:5.2f}  STOI {understood:.3f}  {aim}", flush=True)
    if arguments.rate == 8000 and arguments.ptime == 20:
        missed |= means["opus", "recover", 5] < means["PCMA", "conceal", 5]
    return int(missed)


def read(path, rate):
    command = ["ffmpeg", "-loglevel", "error", "-i", str(path), "-f", "s16le", "-ac", "1", "-ar", str(rate), "pipe:1"]
    samples = numpy.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, "<i2")
    return samples[: len(samples) // (rate // 50) * (rate // 50)]


def passed(said, codec, fill, loss, seed, line):
    options = {"codec": codec, "fill": fill, "loss": loss, "seed": seed, "rate": line.rate, "ptime": line.ptime}
    command = [str(BINARY)] + [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return numpy.frombuffer(subprocess.run(command, input=said.tobytes(), capture_output=True, check=True).stdout, "<i2")


def mark(said, heard, rate):
    # PESQ follows the codec's delay, STOI does not.
    late = max(range(rate // 50), key=lambda late: float(numpy.dot(said[: len(said) - late], heard[late:].astype(float))))
    understood = stoi(said[: len(said) - late].astype(float), heard[late:].astype(float), rate)
    return pesq(rate, said, heard, "nb" if rate == 8000 else "wb"), understood


if __name__ == "__main__":
    sys.exit(main())
