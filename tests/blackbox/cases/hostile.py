"""What was written to break SIP servers, sent to a running one: the PROTOS suite and the torture messages of RFC 4475 and
RFC 5118. They name foreign addresses, so server and sender run in a network of their own that has only loopback."""

import json
import os
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import trial
from trial import ROOT, Skipped, case

SHARED = Path(os.environ.get("CORNETTA_SHARED", ROOT.parent / "shared"))
GROWTH_MAX_KB = 40_000
# Longer, or without an end, by their own account: on a stream the rest may still come.
INCOMPLETE = [("tcp", name, "no answer") for name in ("baddn.dat", "clerr.dat")]
SERVICES = [{"number": "1001", "kind": "silence"}, {"number": "sig", "kind": "silence"}]


def alone(t, what, *paths):
    """Runs `what` of this file in a network of its own, for the messages name foreign addresses."""
    lacking = [path for path in paths if not path.exists()]
    if lacking:
        raise Skipped(f"{lacking[0]} is not there: the messages are not part of this project")
    trial.alone(t, __file__, what)


@case("2 000 malformed INVITEs of PROTOS change nothing: no crash, flat memory, calls during and after", seconds=30)
def protos(t):
    alone(t, "protos", SHARED / "testtools/protos_send.py", SHARED / "testdata/protos-c07-sip-0000-1999.tar.xz")


@case("the torture messages of RFC 4475 and 5118 get the answers that their RFC asks for, over UDP and TCP", seconds=60)
def torture(t):
    alone(t, "torture", SHARED / "testtools/torture_send.py", SHARED / "testdata/torture/manifest.json")


# ---- inside

class Caller(threading.Thread):
    """Makes one ordinary call after the other until it is told to stop."""

    def __init__(self, t, server):
        super().__init__(daemon=True)
        self.phone, self.made, self.problem, self.over = t.phone(server), 0, None, False

    def run(self):
        try:
            while not self.over:
                self.phone.call("sig").established().bye()
                self.made += 1
                time.sleep(0.2)  # an ordinary caller, not another flood
        except AssertionError as error:
            self.problem = error


def memory_kb(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))


def send_protos(t):
    with tarfile.open(SHARED / "testdata/protos-c07-sip-0000-1999.tar.xz") as tar:
        tar.extractall(t.folder / "cases", filter="data")
    cases = next(path.parent for path in (t.folder / "cases").rglob("0000000"))
    server = t.server(services=SERVICES, ports=6000)
    t.phone(server).call("sig").established().bye()
    before, caller = memory_kb(server), Caller(t, server)
    caller.start()
    result = t.folder / "protos.json"
    subprocess.run([sys.executable, SHARED / "testtools/protos_send.py", "--target", "%s:%d" % server.sip, "--cases", cases,
                    "--pid", str(server.process.pid), "--json", result], check=True, timeout=120)
    caller.over = True
    caller.join(10)
    told = json.loads(result.read_text())
    assert told["alive"] and "dead_after" not in told and told["sent"] == 2000, told
    assert caller.problem is None and caller.made > 10, f"ordinary calls meanwhile: {caller.made}, {caller.problem}"
    assert set(told["answers"]) <= {str(status) for status in range(100, 700)}, told["answers"]
    assert told["answers"].get("400", 0) > 100, f"malformed INVITEs are not told so: {told['answers']}"
    grown = memory_kb(server) - before
    assert grown < GROWTH_MAX_KB, f"memory grew by {grown} kB over 2 000 messages"
    t.phone(server).call("sig").established().bye()
    print(f"answers {told['answers']}, {caller.made} calls meanwhile, memory {before} kB + {grown} kB")


def send_torture(t):
    messages = json.loads((SHARED / "testdata/torture/manifest.json").read_text())["messages"]
    failed = []
    for transport in ("udp", "tcp"):
        for number, names in enumerate(rounds(messages)):
            server = t.server(services=SERVICES, data=f"{transport}{number}")
            result = t.folder / f"{transport}{number}.json"
            # Over TCP the tool waits for all of its time.
            how = ["--wait", "0.6"] if transport == "udp" else ["--wait", "0.25", "--tcp"]
            subprocess.run([sys.executable, SHARED / "testtools/torture_send.py", "--target", "%s:%d" % server.sip, "--no-gap",
                            *how, "--only", ",".join(names), "--json", result], check=True, timeout=120)
            told = json.loads(result.read_text())
            assert len(told) == len(names), f"{len(told)} of {len(names)} messages were sent"
            failed += [(transport, one["file"], one["why"]) for one in told if one["verdict"] != "PASS"]
            t.phone(server).call("sig").established().bye()
            trial.end(server.process)  # what it still repeats is not for the next round
    assert sorted(failed) == INCOMPLETE, failed


def rounds(messages):
    """Names of files, so that within a round no two share a transaction, for each round has a server of its own."""
    seen, out = {}, []
    for message in messages:
        key = (message["top_via"], message["method"])
        seen[key] = seen.get(key, -1) + 1
        if seen[key] == len(out):
            out.append([])
        out[seen[key]].append(message["file"].rsplit(".", 1)[0])
    return out


if __name__ == "__main__":
    trial.be_alone({"protos": send_protos, "torture": send_torture})
