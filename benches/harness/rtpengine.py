"""rtpengine in user space (Debian: rtpengine-daemon), a relay to be held against: its sessions are made over its ng port,
without SIP."""

import re
import shutil
import socket
import subprocess
import time

from . import server
from .phones import SDP, caller_port, callee_port
from .server import HOST

NG_PORT = 2223


def is_there():
    return shutil.which("rtpengine") is not None


class Rtpengine:
    """Runs while it is entered; only in a network of its own, for its ports are fixed."""

    def __init__(self, folder):
        self.folder = folder
        self.process = None
        self.asked = 0

    def __enter__(self):
        command = ["rtpengine", "--config-file=none", "--foreground", "--table=-1", f"--interface={HOST}"]
        command += [f"--listen-ng={HOST}:{NG_PORT}", "--port-min=16384", "--port-max=32767"]
        command += ["--log-level=3", "--log-stderr", "--delete-delay=0"]
        self.log = open(self.folder / "rtpengine.log", "w")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        self.ng = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ng.connect((HOST, NG_PORT))
        self.ng.settimeout(0.5)
        for _ in range(20):
            try:
                self.ask(command="ping")
                return self
            except OSError:
                time.sleep(0.2)
        self.__exit__()
        raise RuntimeError("rtpengine does not answer")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.ng.close()
        self.log.close()

    def ways(self, calls):
        """Stands up so many sessions; the lines that tell `load` of their streams."""
        lines = []
        for number in range(calls):
            name = f"call-{number}"
            common = {"call-id": name, "from-tag": "a", "replace": ["origin"], "ICE": "remove"}
            offer = self.ask(command="offer", sdp=SDP.format(port=caller_port(number)), **common)
            answer = self.ask(command="answer", sdp=SDP.format(port=callee_port(number)), **common, **{"to-tag": "b"})
            # Who is told these SDPs: of the offer the callee, of the answer the caller.
            for local, told in ((caller_port(number), answer), (callee_port(number), offer)):
                lines.append(f"{local} {HOST}:{int(re.search(rb'm=audio ([0-9]+)', told)[1])}")
        return lines

    def ask(self, **words):
        """One question over ng; what came back, as it is written."""
        self.asked += 1
        self.ng.send(b"%d %s" % (self.asked, bencoded(words)))
        while True:
            cookie, said = self.ng.recv(65_535).split(b" ", 1)
            if cookie == b"%d" % self.asked:
                break
        if b"6:result2:ok" not in said and b"6:result4:pong" not in said:
            raise RuntimeError(f"rtpengine: {said!r}")
        return said

    def cpu_s(self):
        """CPU seconds of all its threads so far, user and system."""
        return server.cpu_s(self.process.pid)


def bencoded(thing):
    if isinstance(thing, str):
        return b"%d:%s" % (len(thing.encode()), thing.encode())
    if isinstance(thing, list):
        return b"l" + b"".join(map(bencoded, thing)) + b"e"
    return b"d" + b"".join(bencoded(name) + bencoded(thing[name]) for name in sorted(thing)) + b"e"
