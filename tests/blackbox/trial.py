"""One case as it runs: its folder, its programs, its sockets. All is ended when the case is over."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import audio
import baresip
import events
import scenario as steps
import sip

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOKEN = "a-secret-for-the-black-box-tests"
CASES = []


class Skipped(Exception):
    """What a case needs is not on this machine; it says what."""


class Case:
    def __init__(self, name, run, seconds):
        self.name, self.run, self.seconds = name, run, seconds
        self.file = run.__module__.rpartition(".")[2]


def case(name, seconds=5):
    """Makes a function a case. `seconds` is about how long it takes: long ones are begun first."""
    def add(run):
        CASES.append(Case(name, run, seconds))
        return run
    return add


class Trial:
    def __init__(self, program, folder):
        self.program, self.folder = Path(program).resolve(), Path(folder)
        self.folder.mkdir(parents=True)
        self.closing = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.closing.close()

    def keep(self, thing):
        """Closes it when the case is over."""
        self.closing.callback(thing.close)
        return thing

    def run_beside(self, name, command, **options):
        """Starts a program whose output goes to the file NAME, and which ends with the case."""
        log = self.folder / name
        with open(log, "ab") as out:
            program = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=out, cwd=self.folder, **options)
        program.log = log
        self.closing.callback(end, program)
        return program

    def server(self, **parts):
        server = Server(self, **parts)
        server.start()
        return server

    def phone(self, server, user="test"):
        return self.keep(sip.Phone(server and server.sip, user))

    def talker(self, hertz=None):
        return self.keep(audio.Talker(hertz))

    def events(self, server, since=1):
        return self.keep(events.ServerSentEvents(server.http, since, TOKEN))

    def websocket(self, server, since=None):
        return self.keep(events.WebSocket(server.http, since, TOKEN))

    def baresip(self, *arguments, **options):
        return baresip.Baresip(self, *arguments, **options)

    def sipp_beside(self, scenario, *arguments, local=None, name=None, seconds=40):
        """Starts SIPp with a scenario of sipp/ by its name, or with one made of steps. `wait` of what is given back says
        whether all its calls were as the scenario says."""
        need("sipp", "sip-tester")
        if isinstance(scenario, list):
            file = steps.write(self.folder, name, scenario)
        else:
            file, name = HERE / "sipp" / f"{scenario}.xml", name or scenario
        command = ["sipp", *arguments, "-sf", file, "-i", "127.0.0.1",
                   "-p", local or free_port(), "-mp", free_port(), "-nostdin", "-timeout", f"{seconds}s", "-timeout_error",
                   "-trace_err", "-error_file", self.folder / f"{name}.errors.log",
                   "-trace_msg", "-message_file", self.folder / f"{name}.messages.log"]
        if "-m" not in command:
            command += ["-m", 1]
        return Sipp(name, self.run_beside(f"{name}.screen", command), self.folder)

    def sipp(self, scenario, server, user, *arguments, timeout=45, name=None):
        """Runs a SIPp scenario against the server to its end."""
        target = "%s:%d" % server.sip
        self.sipp_beside(scenario, target, "-s", user, *arguments, name=name, seconds=timeout - 5).wait(timeout)


class Sipp:
    def __init__(self, name, program, folder):
        self.name, self.program, self.folder = name, program, folder

    def wait(self, timeout=45):
        try:
            status = self.program.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"SIPp {self.name} did not end within {timeout} s") from None
        errors = self.folder / f"{self.name}.errors.log"
        told = errors.read_text(errors="replace")[:1500] if errors.exists() else ""
        assert status == 0, f"SIPp {self.name} ended with {status}\n{told}"


class Server:
    """`cornetta serve` with a configuration and a data folder of its own."""

    def __init__(self, trial, services=(), agents=(), queues=(), scripts=None, open_to_loopback=True, sip=None,
                 trunks=(), routes=(), outbound=(), tls=False, at=None, data="data", ports=200, trace=None, limits=None, trust=None,
                 host="127.0.0.1", also=None, media=None, ws=False, sounds=None, wss=False, bodies=None):
        self.trial, self.process = trial, None
        self.sip, self.http = at or (host, free_port()), ("127.0.0.1", free_port())
        self.tls = (host, free_port()) if tls else None
        self.ws = (host, free_port()) if ws else None
        self.wss = (host, free_port()) if wss else None
        hosts = [host, also] if also else [host]  # one of each family
        listen = [f"{kind}:{place(one)}:{self.sip[1]}" for one in hosts for kind in ("udp", "tcp")]
        self.config = trial.folder / "cornetta.toml"
        low = free_range(ports)
        empty = trial.folder / "no-scripts"
        empty.mkdir(exist_ok=True)
        tables = [
            ("node", {"name": "bb1", "data": str(trial.folder / data)}),
            ("sip", {"listen": listen + ([f"tls:{place(host)}:{self.tls[1]}"] if tls else [])
                     + ([f"ws:{place(host)}:{self.ws[1]}"] if ws else [])
                     + ([f"wss:{place(host)}:{self.wss[1]}"] if wss else []), "realm": "blackbox",
                     "open_to": ["127.0.0.0/8"] if open_to_loopback else [], **(sip or {})}),
            *([("sip.tls", certificate(trial.folder, host))] if tls or wss else []),
            ("media", {"address": hosts if also else host, "ports": f"{low}-{low + ports - 1}", **(media or {})}),
            ("trace", trace or {}),
            ("limits", limits or {}),
            ("trust", trust or {}),
            ("http", {"listen": "%s:%d" % self.http}),
            ("[token]", {"name": "tests", "secret": TOKEN, "scopes": ["events:read", "call:any", "call:capture",
                                                                      "agent:any", "pii:clear", "security:any", "record", "recording:read"]}),
            ("sounds", {"folders": [str(folder) for folder in (sounds, ROOT / "sounds") if folder]}),
            ("scripts", {"folder": str(scripts or empty)}),
            *([("bodies", {"folder": str(bodies)})] if bodies else []),
        ]
        tables += [("[queue]", queue) for queue in queues]
        tables += [("[agent]", agent) for agent in agents]
        tables += [("[trunk]", trunk) for trunk in trunks]
        tables += [("[route]", route) for route in routes]
        tables += [("[outbound]", rule) for rule in outbound]
        tables += [("[service]", service) for service in services]
        self.config.write_text("\n".join(map(table, tables)))

    def start(self):
        command = [self.trial.program, "serve", "-c", self.config]
        self.process = self.trial.run_beside("cornetta", command)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            assert self.process.poll() is None, f"the server ended with {self.process.returncode}:\n{self.said()}"
            with contextlib.suppress(OSError):
                if events.get(self.http, "/readyz")[0] == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"the server was not ready within 20 s:\n{self.said()}")

    def port(self, transport):
        """Where it listens for `udp`, `tcp` or `tls`."""
        return (self.tls if transport == "tls" else self.sip)[1]

    def said(self):
        return self.process.log.read_text(errors="replace")[-2000:]

    def ended(self, timeout):
        """The exit code, once it has ended by itself."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server did not end within {timeout} s") from None

    def kill(self):
        """`kill -9`, as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def facts(self):
        """Every fact so far, in order."""
        head = self.snapshot()["as_of"]
        if head == 0:
            return []
        reader = events.ServerSentEvents(self.http, 1, TOKEN)
        with contextlib.closing(reader):
            return reader.until(lambda event: events.number(event) >= head)

    def snapshot(self):
        return events.get_json(self.http, "/v1/snapshot", TOKEN)

    def happened(self, kind, count=1, timeout=10.0):
        """Waits until so many facts of a kind are in the log, and gives them. A fact is there when it is on disk,
        which is a little after what it tells of."""
        found = lambda: [event for event in self.facts() if events.kind(event) == kind]
        end = time.monotonic() + timeout
        while len(facts := found()) < count:
            assert time.monotonic() < end, f"{len(facts)} of {count} {kind} in {timeout:g} s; facts: {self.kinds()}"
            time.sleep(0.05)
        return facts

    def kinds(self):
        return [events.kind(event) for event in self.facts()]

    def settled(self):
        """The kinds of all facts, once none has come for half a second: for what must not have happened."""
        head, since = self.snapshot()["as_of"], time.monotonic()
        while time.monotonic() - since < 0.5:
            time.sleep(0.05)
            if (now := self.snapshot()["as_of"]) != head:
                head, since = now, time.monotonic()
        return self.kinds()

    def ends(self, count=1):
        """The `end` of so many calls; no more may have been, and nothing may be left of any."""
        ended = self.happened("call.ended", count)
        kinds = self.settled()
        assert kinds.count("call.arrived") == kinds.count("call.ended") == count, kinds
        assert not self.snapshot()["calls"], "calls are left"
        events.check_contiguous(self.facts())
        return [event["data"]["end"] for event in ended]


def place(host):
    """A host as it stands before a port."""
    return f"[{host}]" if ":" in host else host


def certificate(folder, host):
    """A certificate for an address that is its own authority: tls.pem and tls.key in the folder."""
    need("openssl", "openssl")
    pem, key = folder / "tls.pem", folder / "tls.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "60",
               "-subj", f"/CN={host}", "-addext", f"subjectAltName=IP:{host}", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", pem]
    subprocess.run(command, check=True, capture_output=True)
    return {"certificate": str(pem), "key": str(key)}


def alone(t, file, what, seconds=150):
    """Runs `what` of a file of cases in a network of its own, in which there is nothing but loopback."""
    net = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    if not shutil.which("unshare") or subprocess.run([*net, "true"], capture_output=True, check=False).returncode:
        raise Skipped("no network of its own can be made here (unshare --net)")
    command = [*net, "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable, "-B", file, what, t.program,
               t.folder / what]
    with open(t.folder / f"{what}.log", "wb") as log:
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(HERE)}, stdout=log, stderr=log, timeout=seconds,
                              check=False)
    assert done.returncode == 0, tail(t.folder / f"{what}.log", 25)


def be_alone(parts):
    """The program that `alone` starts: runs one of these functions by its name."""
    what, program, folder = sys.argv[1:]
    with Trial(program, folder) as one:
        parts[what](one)


def table(pair):
    name, values = pair
    return "\n".join([f"[{name}]", *(f"{key} = {toml(value)}" for key, value in values.items()), ""])


def toml(value):
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return str(value).lower() if isinstance(value, (bool, int)) else '"' + value.replace("\\", "\\\\") + '"'


def wait_for(done, timeout, otherwise):
    """Gives what `done` gives as soon as it is true."""
    end = time.monotonic() + timeout
    while not (result := done()):
        assert time.monotonic() < end, otherwise
        time.sleep(0.05)
    return result


def end(program):
    """Ends a program that this case started."""
    if program.poll() is None:
        program.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(3)
    if program.poll() is None:
        program.kill()
        program.wait()


def need(command, package):
    assert shutil.which(command), f"{command} is not installed: apt-get install {package}"


class Ports:
    """Gives out the ports of a range in turn, so that cases at the same time do not get the same ones."""

    def __init__(self, first, beyond):
        self.first, self.beyond, self.lock = first, beyond, threading.Lock()
        self.next = random.randrange(first, beyond, 4)

    def take(self, count, tcp):
        """The first of so many free ports, an even one."""
        with self.lock:
            for _ in range(1000):
                low, self.next = self.next, self.next + count + count % 2
                if self.next > self.beyond:
                    self.next = self.first
                elif all(is_free(port, tcp) for port in range(low, low + count)):
                    return low
        raise AssertionError(f"no {count} free ports were found in a row")


SINGLE, RANGES = Ports(20_000, 32_000), Ports(10_000, 19_000)


def free_port():
    """A port that nobody uses, for UDP and TCP, and three more: SIPp takes ports beside the one that it is told."""
    return SINGLE.take(4, tcp=True)


def free_range(count):
    """The first of so many free UDP ports, an even one."""
    return RANGES.take(count, tcp=False)


def is_free(port, tcp):
    kinds = [socket.SOCK_DGRAM] + ([socket.SOCK_STREAM] if tcp else [])
    for kind in kinds:
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def tail(path, lines=40):
    text = Path(path).read_text(errors="replace").splitlines()
    return "\n".join(text[-lines:])


def logs(folder):
    """What was written to logs, the ends of them, for a case that failed."""
    found = sorted(Path(folder).glob("*.log"))
    return [(path.name, tail(path)) for path in found if os.path.getsize(path)]
