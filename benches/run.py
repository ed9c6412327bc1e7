#!/usr/bin/env python3
"""What Cornetta costs, each figure beside a floor or a peer that was measured in the same run.

    cargo build --release -p cornetta -p benches
    python3 benches/run.py --cornetta target/release/cornetta [--quick] [--only relay,sip,...] [--json FILE]

CPU time is user and system time of the whole process, from /proc. As root everything happens in a network namespace
of its own; otherwise on loopback, on free ports. Needs SIPp (Debian: sip-tester) for `calls` and `memory`;
`relay` has rtpengine beside it where that is installed (Debian: rtpengine-daemon).
Exit status: 0 all figures were reached, 1 some were not, 2 nothing could be measured.
"""

import argparse
import fcntl
import json
import os
import platform
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True

from harness import loads, rtpengine  # noqa: E402
from harness.phones import KEYS, MEDIA_FROM, Phones  # noqa: E402
from harness.server import HOST, Server  # noqa: E402

PRIVATE = "CORNETTA_BENCH_PRIVATE"
RELAYED_CALLS = 100
BRIDGED_CALLS = 200
CROWD = 1_000


def main():
    arguments = parse()
    program = Path(arguments.cornetta)
    if not program.is_file():
        print(f"{program}: no such program; `cargo build --release -p cornetta -p benches` makes it", file=sys.stderr)
        return 2
    private = enter_private_network()
    bench = Bench(program, arguments.quick, private)
    parts = {name: getattr(bench, name) for name in ("relay", "crowd", "sip", "media", "calls", "memory", "prompt", "ivr", "sim")}
    wanted = arguments.only.split(",") if arguments.only else list(parts)
    if unknown := set(wanted) - set(parts):
        print(f"--only {','.join(unknown)}: unknown; known are {', '.join(parts)}", file=sys.stderr)
        return 2
    print(f"{machine()}; {'a network of its own' if private else 'shared loopback'}; load {os.getloadavg()[0]:.1f}")
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="cornetta-bench-") as folder:
            bench.folder = Path(folder)
            parts[name]()
    if arguments.json:
        result = {"at": time.strftime("%F %T"), "machine": machine(), "quick": arguments.quick}
        result["figures"] = bench.figures
        Path(arguments.json).write_text(json.dumps(result, indent=1) + "\n")
    missed = [figure["name"] for figure in bench.figures if figure.get("reached") is False]
    print(f"not reached: {', '.join(missed)}" if missed else "every figure was reached")
    return 1 if missed else 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cornetta", default="target/release/cornetta", help="the program to measure: %(default)s")
    parser.add_argument("--quick", action="store_true", help="shorter; good for a look, not for a record")
    parser.add_argument("--only", default="", metavar="NAMES", help="of relay,crowd,sip,media,calls,memory,prompt,ivr,sim")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def enter_private_network():
    """As root, starts this program again in a network namespace; there, brings its loopback up."""
    if os.environ.get(PRIVATE):
        interface = struct.pack("16sh14x", b"lo", 0x1)  # IFF_UP
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            fcntl.ioctl(sock, 0x8914, interface)  # SIOCSIFFLAGS
        return True
    may = os.geteuid() == 0 and shutil.which("unshare") and subprocess.run(["unshare", "-n", "true"]).returncode == 0
    if may:
        command = ["unshare", "-n", sys.executable, *sys.argv]
        sys.stdout.flush()
        os.execvpe(command[0], command, os.environ | {PRIVATE: "1"})
    return False


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return f"{os.cpu_count()} × {model}, Linux {platform.release()}"


class Bench:
    """Each method measures one thing and tells it."""

    def __init__(self, program, quick, private):
        self.program, self.quick, self.private = program.resolve(), quick, private
        self.tools = self.program.parent
        self.folder = None
        self.figures = []

    def server(self, name="server"):
        folder = self.folder / name
        folder.mkdir()
        return Server(self.program, folder, self.private)

    def tell(self, name, value, unit, most=None, least=None, beside=""):
        reached = None
        aim = ""
        if most is not None:
            reached, aim = value <= most, f" (≤ {most:g}{': missed' if value > most else ''})"
        if least is not None:
            reached, aim = value >= least, f" (≥ {least:g}{': missed' if value < least else ''})"
        self.figures.append({"name": name, "value": value, "unit": unit, "reached": reached, "beside": beside})
        print(f"{name:46} {value:10.4g} {unit:12}{aim}{'  ' + beside if beside else ''}", flush=True)

    def relay(self):
        """CPU per relayed packet, in rounds of floor, floor, Cornetta, rtpengine: the machine is not the same all the time."""
        seconds = 6
        ours, tight, tick, theirs, heard = [], [], [], [], []
        for number in range(2 if self.quick else 7):
            tight.append(loads.floor(self.tools / "floor_tight", 3, 2 * RELAYED_CALLS)[0])
            cpu_ns, floor_said = loads.floor(self.tools / "floor_tick", seconds, 2 * RELAYED_CALLS)
            tick.append(cpu_ns)
            cpu_ns, said, _ = self.bridged(f"relay{number}", RELAYED_CALLS, seconds)
            ours.append(cpu_ns)
            heard.append(said)
            if self.private and rtpengine.is_there():
                with rtpengine.Rtpengine(self.folder) as peer:
                    theirs.append(loads.relay(peer, peer.ways(RELAYED_CALLS), self.tools / "load", seconds)[0])
        median = statistics.median
        what = f"{median(ours):.0f} ns a packet; floors: tick {median(tick):.0f}, tight {median(tight):.0f}"
        ratios = [a / b for a, b in zip(ours, tick)]
        what += f"; rounds {min(ratios):.2f}–{max(ratios):.2f}"
        self.tell("relay, 100 calls: CPU / floor on the tick", median(ratios), "times", most=1.3, beside=what)
        self.tell("relay, 100 calls: CPU / tight floor", median(a / b for a, b in zip(ours, tight)), "times", most=2.2)
        self.beside_rtpengine(ours, tight, theirs)
        sent = sum(said["sent"] for said in heard)
        self.tell("relay: packets lost", sum(s["lost"] for s in heard), "packets", most=0, beside=f"of {sent}")
        delay = {part: median(said[f"delay_us_{part}"] for said in heard) / 1000 for part in ("p50", "p99", "max")}
        floor_load = floor_said["load"]
        beside = f"the floor's {floor_load['delay_us_p50'] / 1000:.1f}"
        self.tell("relay: delay one way p50", delay["p50"], "ms", beside=beside)
        beside = f"the floor's {floor_load['delay_us_p99'] / 1000:.1f}; max {delay['max']:.1f}"
        self.tell("relay: delay one way p99", delay["p99"], "ms", most=10, beside=beside)

    def beside_rtpengine(self, ours, tight, theirs):
        if not theirs:
            print("relay / rtpengine: not measured, for it is not there (Debian: rtpengine-daemon), or the network is shared")
            return
        ratio = statistics.median(a / b for a, b in zip(ours, theirs))
        floor = statistics.median(a / b for a, b in zip(tight, theirs))
        beside = f"{statistics.median(theirs):.0f} ns; the tight floor / rtpengine {floor:.2f}"
        self.tell("relay, 100 calls: CPU / rtpengine", ratio, "times", beside=beside)

    def crowd(self):
        """A thousand calls at once, after bare sockets of as many: what of the delay and of the late ticks is the machine's."""
        seconds = 6 if self.quick else 30
        _, floor = loads.floor(self.tools / "floor_tick", seconds, 2 * CROWD)
        cpu_ns, said, (ticks, late) = self.bridged("crowd", CROWD, seconds)
        load = floor["load"]
        what = f"{cpu_ns:.0f} ns a packet; floor on the tick {floor['cpu_ns_per_packet']}"
        self.tell("1 000 calls: CPU / floor on the tick", cpu_ns / floor["cpu_ns_per_packet"], "times", most=1.3, beside=what)
        beside = f"of {said['sent']}; the floor's {load['lost']} of {load['sent']}"
        self.tell("1 000 calls: packets lost", said["lost"], "packets", most=0, beside=beside)
        beside = f"the floor's {load['delay_us_p99'] / 1000:.1f}; p50 {said['delay_us_p50'] / 1000:.1f}, the floor's "
        beside += f"{load['delay_us_p50'] / 1000:.1f}; max {said['delay_us_max'] / 1000:.1f}, {load['delay_us_max'] / 1000:.1f}"
        self.tell("1 000 calls: delay one way p99", said["delay_us_p99"] / 1000, "ms", most=12, beside=beside)
        theirs = 1000 * floor["late_ticks"] / (1000 * floor["window_s"] / floor["tick_ms"])
        beside = f"{late} of {ticks}; the floor's {floor['late_ticks']}: {theirs:.2f} of a thousand"
        self.tell("1 000 calls: ticks 5 ms late", 1000 * late / max(ticks, 1), "of 1 000", most=1 + theirs, beside=beside)

    def bridged(self, name, count, seconds):
        """So many calls that talk through Cornetta: CPU per packet, what was heard, and the ticks and the late ones of them."""
        with self.server(name) as server, Phones(server) as phones:
            calls = phones.stand_up("bridge", count)
            before = server.media_ticks()
            cpu_ns, said = loads.relay(server, phones.ways(calls), self.tools / "load", seconds)
            ticks = [after - before for before, after in zip(before, server.media_ticks())]
            phones.hang_up(calls)
        return cpu_ns, said, ticks

    def sip(self):
        """An INVITE read and written, beside `rsip`."""
        command = [self.tools / "sip_words", "--rounds", "5" if self.quick else "15"]
        said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for name, title in (("parse", "parsed"), ("read", "parsed, checked, looked into"), ("write", "written")):
            ours, theirs = said[f"{name}_ns"], said[f"rsip_{name}_ns"]
            beside = f"{ours} ns; rsip {theirs} ns; {said['invite_bytes']} bytes"
            self.tell(f"INVITE {title}: CPU / rsip", ours / theirs, "times", beside=beside)
        ours, theirs = (said[f"{who}read_ns"] + said[f"{who}write_ns"] for who in ("", "rsip_"))
        self.tell("INVITE read and written: CPU / rsip", ours / theirs, "times", beside=f"{ours} ns; rsip {theirs} ns")
        self.growth()

    def growth(self):
        """What a byte costs to read in the largest message, beside one of a quarter: shapes of attackers."""
        command = [self.tools / "sip_growth", "--rounds", "3" if self.quick else "9"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        shapes = [json.loads(line) for line in said.splitlines()]
        worst = max(shapes, key=lambda shape: shape["whole_ps"] / shape["quarter_ps"])
        dearest = max(shapes, key=lambda shape: shape["whole_ps"])
        beside = f"worst of {len(shapes)} shapes: {worst['shape']}; dearest: {dearest['shape']}, "
        beside += f"{dearest['whole_ps'] / 1000:.1f} ns a byte"
        ratio = worst["whole_ps"] / worst["quarter_ps"]
        self.tell("byte of the largest message / of a quarter", ratio, "times", most=1.5, beside=beside)

    def media(self):
        """Codecs and rooms, in virtual time and without sockets, beside the codecs alone."""
        command = [self.tools / "media_cost"] + (["--rounds", "2", "--seconds", "4"] if self.quick else [])
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        costs = [json.loads(line) for line in said.splitlines()]
        for cost in (cost for cost in costs if "relayed_calls" in cost):
            beside = f"{cost['relayed_calls']} calls, without sockets"
            self.tell("relayed packet", cost["packet_ns"], "ns", beside=beside)
        for cost in (cost for cost in costs if "bridge" in cost):
            beside = f"{cost['ns'] / 1e6:.2f} ms a call-second; codecs alone {cost['codecs_ns'] / 1e6:.2f}"
            self.tell(f"{cost['bridge']} / codecs alone", cost["ns"] / cost["codecs_ns"], "times", most=1.3, beside=beside)
        for cost in (cost for cost in costs if "levels" in cost):
            beside = f"{cost['ns'] / 1e3:.0f} µs a participant-second; without {cost['without_ns'] / 1e3:.0f}"
            self.tell("room of 100 in Opus: who is quiet is not decoded / all are", cost["ns"] / cost["without_ns"], "times", beside=beside)
        rooms = {cost["conference"]: cost["ns"] / 1e3 for cost in costs if "conference" in cost}
        beside = ", ".join(f"of {size} {each:.0f} µs" for size, each in rooms.items()) + " a participant-second"
        self.tell("participant in a room of 100 / in one of 10", rooms[100] / rooms[10], "times", most=1.3, beside=beside)

    def calls(self):
        """Calls that are answered and ended, at a rate that is held."""
        rate, seconds = 200, 10 if self.quick else 60
        with self.server() as server:
            loads.set_ups(server, 50, 2, "sig", server.folder)
            result = loads.set_ups(server, rate, seconds, "sig", server.folder)
        reached = result["answered"] / result["seconds"]
        beside = f"{result['answered']} in {result['seconds']:.1f} s, {result['retransmissions']} retransmissions"
        self.tell("set-ups held", reached, "calls/s", least=0.97 * rate, beside=beside)
        self.tell("set-ups failed", result["failed"], "calls", most=0)
        threads = ((name, used) for name, used in result["cpu_s_by_thread"].items() if used > 0)
        parts = ", ".join(f"{name} {1000 * used / max(result['answered'], 1):.2f}" for name, used in threads)
        cpu = 1000 * result["cpu_s"] / max(result["answered"], 1)
        self.tell("CPU per answered-and-ended call", cpu, "ms", most=1, beside=parts)

    def memory(self):
        """Resident memory: idle, with calls that talk, and after many calls."""
        with self.server("bridged") as server, Phones(server) as phones:
            time.sleep(1)
            idle, idle_anonymous = server.memory_kb()
            self.tell("memory idle", idle / 1000, "MB", most=30, beside=f"{idle_anonymous / 1000:.1f} without files")
            calls = phones.stand_up("bridge", BRIDGED_CALLS)
            loads.relay(server, phones.ways(calls), self.tools / "load", 3)
            busy, busy_anonymous = server.memory_kb()
            phones.hang_up(calls)
            beside = f"{(busy_anonymous - idle_anonymous) / BRIDGED_CALLS:.1f} without files"
            self.tell("memory per bridged call", (busy - idle) / BRIDGED_CALLS, "kB", most=60, beside=beside)
        self.memory_after_many_calls()

    def memory_after_many_calls(self):
        """Beside the same server before its first call, and beside it after a few calls: these touch the pages of
        the program and of the log that any call touches, and what comes on top of them would be a leak."""
        few, many = 100, 2_000 if self.quick else 10_000
        with self.server("many") as server:
            time.sleep(1)
            idle = server.memory_kb()
            loads.set_ups(server, 50, few / 50, "sig", server.folder)
            warm = server.settled_memory_kb()
            loads.set_ups(server, 200, many / 200, "sig", server.folder)
            after = server.settled_memory_kb()
        for before, title in (idle, "before the first"), (warm, f"after the first {few}"):
            beside = f"{before[0] / 1000:.1f} → {after[0] / 1000:.1f} MB; "
            beside += f"without files {before[1] / 1000:.1f} → {after[1] / 1000:.1f}"
            more = 100 * (after[0] - before[0]) / before[0]
            self.tell(f"memory after {many} calls / {title}", more, "% more", most=5, beside=beside)

    def prompt(self):
        """From the INVITE to the answer and to the first packet of the prompt, at any moment of a tick."""
        answers, prompts = [], []
        with self.server() as server, Phones(server) as phones:
            # Another call keeps the media thread on its tick; without one it would be woken by the command itself.
            phones.stand_up("sig", 1)
            for number in range(40 if self.quick else 200):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as media:
                    media.bind((HOST, MEDIA_FROM))
                    media.settimeout(3)
                    began = time.monotonic()
                    call = phones.invite("play", number, MEDIA_FROM)
                    packet = media.recv(2048)
                    heard = time.monotonic()
                    call.answered.wait(3)
                if len(packet) < 12 or call.failed:
                    raise RuntimeError(f"call {number} to play heard nothing: {call.failed}")
                answers.append(1000 * (call.answered_at - began))
                prompts.append(1000 * (heard - began))
                phones.hang_up([call])
                time.sleep(0.0137)
        p99 = statistics.quantiles(prompts, n=100)[98]
        beside = f"p99 {p99:.1f}; INVITE to 200: {statistics.median(answers):.1f}"
        self.tell("INVITE to first prompt packet, median", statistics.median(prompts), "ms", most=20, beside=beside)

    def ivr(self):
        """Scripts: a step of the interpreter, a check of the largest beside its TOML alone, cases, and the prompt after a key."""
        command = [self.tools / "ivr_cost"] + (["--rounds", "3"] if self.quick else [])
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        said = [json.loads(line) for line in done.stdout.splitlines()]
        steps = [cost for cost in said if "step_ns" in cost]
        dearest = max(steps, key=lambda cost: cost["step_ns"])
        beside = ", ".join(f"{cost['script']} {cost['step_ns'] / 1000:.2f}" for cost in steps)
        self.tell("step of the interpreter, dearest script", dearest["step_ns"] / 1000, "µs", most=2, beside=beside)
        checks = [cost for cost in said if "check_ns" in cost]
        largest = max(checks, key=lambda cost: cost["toml_ns"])
        beside = f"{largest['script']}, {largest['languages']} languages; "
        beside += ", ".join(f"{cost['script']} {cost['check_ns'] / 1e6:.1f}" for cost in checks)
        self.tell("check of the largest script", largest["check_ns"] / 1e6, "ms", most=200, beside=beside)
        beside = f"TOML alone {largest['toml_ns'] / 1e6:.1f} ms"
        self.tell("check of the largest script / its TOML alone", largest["check_ns"] / largest["toml_ns"], "times", beside=beside)
        cases = next(cost for cost in said if "cases" in cost)
        beside = f"{cases['cases']} played, {cases['cases_ns'] / 1e9:.2f} s"
        self.tell("500 cases of scripts, CPU", 500 * cases["cases_ns"] / cases["cases"] / 1e9, "s", most=2, beside=beside)
        self.prompt_after_key()

    def prompt_after_key(self):
        """From the first packet of a press, which here is its end too, to the first packet of the next prompt, over real sockets:
        the caller presses in the silence after a prompt, at any moment of a tick."""
        waits = []
        with self.server("keys") as server, Phones(server) as phones:
            # Another call keeps the media thread on its tick; without one it would be woken by the command itself.
            phones.stand_up("sig", 1)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as media:
                media.bind((HOST, MEDIA_FROM))
                call = phones.invite("keys", 0, MEDIA_FROM, KEYS)
                if not call.answered.wait(3) or call.failed:
                    raise RuntimeError(f"the call to keys was not answered: {call.failed}")
                for number in range(15 if self.quick else 60):
                    hear_to_the_end(media)
                    time.sleep(0.0037 * (number % 7))
                    began = time.monotonic()
                    media.sendto(press(number), (HOST, call.their_port))
                    media.settimeout(3)
                    media.recv(2048)
                    waits.append(1000 * (time.monotonic() - began))
                phones.hang_up([call])
        p90 = statistics.quantiles(waits, n=10)[8]
        beside = f"p90 {p90:.1f}, longest {max(waits):.1f}; {len(waits)} presses"
        self.tell("key to first packet of the next prompt, median", statistics.median(waits), "ms", most=20, beside=beside)

    def sim(self):
        """Simulated calls for a second of one core's CPU."""
        calls = 500 if self.quick else 2_000
        command = [self.program, "sim", "--seed", "1", "--calls", str(calls)]
        before = os.times()
        done = subprocess.run(command, cwd=self.root(), capture_output=True, text=True)
        after = os.times()
        # 1: the world's checkers found faults; the calls were simulated all the same.
        if done.returncode not in (0, 1) or " calls a second" not in done.stdout:
            print(f"sim: not measured: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
            return
        used = after.children_user + after.children_system - before.children_user - before.children_system
        beside = f"{calls} calls, exit {done.returncode}"
        self.tell("simulated calls", calls / used, "calls/CPU s", least=1_000, beside=beside)

    @staticmethod
    def root():
        return Path(__file__).resolve().parents[1]


def hear_to_the_end(media):
    """Waits until a prompt has begun and been silent for 200 ms."""
    media.settimeout(5)
    media.recv(2048)
    media.settimeout(0.2)
    try:
        while True:
            media.recv(2048)
    except TimeoutError:
        pass


def press(number):
    """The last packet of a press of 5 (RFC 4733), of which none came before."""
    head = struct.pack("!BBHII", 0x80, 0x80 | 101, number, 1600 * number, 0x5EED)
    return head + struct.pack("!BBH", 5, 0x8A, 800)


if __name__ == "__main__":
    sys.exit(main())
