"""Programs that load a server: SIPp for signalling, `load` for media, and the floors beside it."""

import csv
import json
import subprocess
import time
from pathlib import Path

from .server import HOST

SCENARIO = Path(__file__).resolve().parents[1] / "sipp/caller.xml"


def floor(program, seconds, legs):
    """CPU nanoseconds per packet of one of the floors, and what it printed."""
    command = [program, "--sockets", str(legs), "--seconds", str(seconds)]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return said["cpu_ns_per_packet"], said


def relay(server, lines, program, seconds, warmup=3.0):
    """Media both ways through calls that stand: CPU nanoseconds of the server per packet, and what the load heard."""
    load = subprocess.Popen(
        [program, "--seconds", str(seconds + 2), "--warmup", str(warmup)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    load.stdin.write("\n".join(lines) + "\n")
    load.stdin.close()
    time.sleep(warmup + 1)
    began, before = time.monotonic(), server.cpu_s()
    time.sleep(seconds)
    used, took = server.cpu_s() - before, time.monotonic() - began
    heard = json.loads(load.stdout.read())
    load.wait()
    packets = heard["received"] / (seconds + 2) * took
    return 1e9 * used / max(packets, 1), heard


def set_ups(server, rate, seconds, service, folder):
    """Calls at a rate, each answered and ended at once: what SIPp counted, and the server's CPU seconds."""
    statistics, said = folder / "sipp.csv", folder / "sipp.out"
    statistics.unlink(missing_ok=True)
    command = ["sipp", "-sf", SCENARIO, "-s", service, "-i", HOST, "-r", str(rate), "-m", str(int(rate * seconds))]
    command += ["-l", "9000", "-nostdin", "-trace_stat", "-stf", statistics, "-fd", "1", f"{HOST}:{server.port}"]
    threads, before, began = server.cpu_per_thread_s(), server.cpu_s(), time.monotonic()
    with open(said, "w") as out:
        subprocess.run(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=folder, timeout=seconds + 120)
    took = time.monotonic() - began
    # What the calls left to be done, such as their last facts.
    time.sleep(0.5)
    used, after = server.cpu_s() - before, server.cpu_per_thread_s()
    with open(statistics) as lines:
        last = list(csv.DictReader(lines, delimiter=";"))[-1]
    return {
        "answered": int(last["SuccessfulCall(C)"]),
        "failed": int(last["FailedCall(C)"]),
        "retransmissions": int(last["Retransmissions(C)"]),
        "seconds": took,
        "cpu_s": used,
        "cpu_s_by_thread": {name: after[name] - threads.get(name, 0) for name in after},
    }
