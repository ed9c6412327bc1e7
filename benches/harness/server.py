"""One `cornetta serve` on the measuring configuration, and what the system says of it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
HOST = "127.0.0.1"
SETTLED_AFTER_S = 60


def free_port():
    """A UDP port that nobody holds now, above those that are given out."""
    for port in range(60_000, 61_000):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((HOST, port))
                return port
            except OSError:
                continue
    raise RuntimeError("no UDP port is free between 60000 and 61000")


def cpu_s(pid):
    """CPU seconds of the threads that a process has, user and system, as the scheduler counts them: the ticks of `stat` are
    10 ms, which is a tenth of what a short window uses."""
    used = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            used += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue  # It has ended meanwhile.
    return used / 1e9


class Server:
    """Runs while it is entered. `callee` is the port that the service `bridge` dials."""

    def __init__(self, program, folder, private):
        self.program = Path(program).resolve()
        self.folder = Path(folder)
        self.private = private
        self.port, self.callee, self.http = 5070, 5090, 8070
        self.process = None

    def __enter__(self):
        configuration = self.configure()
        self.log = open(self.folder / "serve.log", "w+")
        self.process = subprocess.Popen(
            [self.program, "serve", "-c", configuration], stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        for line in self.process.stdout:
            if found := re.match(r"sip udp:.*:(\d+)$", line):
                self.port = int(found[1])
            if found := re.match(r"http .*:(\d+)$", line):
                self.http = int(found[1])
            if line.strip() == "ready":
                return self
        self.log.seek(0)
        raise RuntimeError(f"{self.program} did not start: {self.log.read().strip()}")

    def __exit__(self, *_):
        # The second one ends the calls that are left.
        for _ in range(2):
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
                try:
                    self.process.wait(3)
                except subprocess.TimeoutExpired:
                    pass
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()

    def configure(self):
        """The example, with its folders where they are, and on free ports where the network is shared."""
        shutil.copytree(ROOT / "examples/bench", self.folder, dirs_exist_ok=True)
        path = self.folder / "cornetta.toml"
        text = path.read_text()
        text = text.replace('"../../data/bench"', f'"{self.folder / "data"}"')
        text = text.replace('"../../sounds"', f'"{ROOT / "sounds"}"')
        if not self.private:
            self.callee = free_port()
            text = text.replace("127.0.0.1:5090", f"127.0.0.1:{self.callee}")
            text = text.replace("127.0.0.1:5070", "127.0.0.1:0").replace("127.0.0.1:8070", "127.0.0.1:0")
            scripts = self.folder / "ivr-scripts/bench/flow.toml"
            scripts.write_text(scripts.read_text().replace("127.0.0.1:5090", f"127.0.0.1:{self.callee}"))
        path.write_text(text)
        return path

    def cpu_s(self):
        """CPU seconds of all its threads so far, user and system."""
        return cpu_s(self.process.pid)

    def media_ticks(self):
        """The turns of its media threads so far, and those that came 5 ms or more too late."""
        with urllib.request.urlopen(f"http://{HOST}:{self.http}/metrics", timeout=5) as answer:
            said = answer.read().decode()
        return [int(re.search(rf'^cornetta_media_ticks_total{{which="{which}"}} (\d+)', said, re.M)[1]) for which in ("all", "late")]

    def cpu_per_thread_s(self):
        """The same by the threads' names."""
        used = {}
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            name, fields = (task / "stat").read_text().rsplit(")", 1)
            name = name.split("(", 1)[1]
            fields = fields.split()
            used[name] = used.get(name, 0) + (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
        return used

    def memory_kb(self):
        """Resident memory: all of it, and the part that is no file's."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        read = {name: int(value) for name, value in re.findall(r"^(VmRSS|RssAnon):\s+(\d+) kB", status, re.M)}
        return read["VmRSS"], read["RssAnon"]

    def settled_memory_kb(self):
        """Memory when the transactions of ended calls are over, which takes 32 s, and what they held is given back,
        which takes the allocator 10 s more."""
        time.sleep(SETTLED_AFTER_S)
        return self.memory_kb()
