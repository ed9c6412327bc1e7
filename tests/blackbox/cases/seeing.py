"""What went over the wire is seen afterwards."""

import re
import shutil
import socket
import struct
import subprocess

from xml.dom import minidom

import events
from trial import Skipped, TOKEN, case, tail, wait_for

ECHO = {"number": "echo", "kind": "echo"}
ANNA = {"name": "anna", "password": "a-password-of-anna", "queues": ["desk"], "languages": ["it"]}


def cornetta(t, *arguments):
    """A command of the program to its end; gives what it wrote."""
    done = subprocess.run([t.program, *arguments], cwd=t.folder, capture_output=True, text=True, timeout=30,
                          env={"CORNETTA_TOKEN": TOKEN, "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, f"{arguments} ended with {done.returncode}: {done.stderr}"
    return done.stdout


def url(server):
    return "http://%s:%d" % server.http


def stand_in_order(text, parts):
    at = 0
    for part in parts:
        found = text.find(part, at)
        assert found >= 0, f"no {part!r} in its place:\n{text}"
        at = found + len(part)


@case("a call with a password is seen as a ladder from its challenge to its end, and its digest is masked")
def ladder(t):
    server = t.server(services=[ECHO], queues=[{"name": "desk"}], agents=[ANNA], open_to_loopback=False,
                      sip={"digest": ["MD5"]})
    t.sipp("authenticated_call", server, "echo", "-au", "anna", "-ap", ANNA["password"], "-d", 300)
    call = server.happened("call.ended")[0]["partitionkey"]
    live = wait_for(lambda: (text := cornetta(t, "events", "show", call, "--sip", "--url", url(server)))
                    .count("200 OK (BYE)") and text, 5, "the answer to the BYE is not kept")
    stand_in_order(live, [" INVITE sip:echo@", " 401 Unauthorized", " ACK ", " INVITE sip:echo@", "call.arrived",
                          " 200 OK (INVITE) ", "audio sendrecv PCM", " ACK ", " BYE ", "call.ended"])
    full = cornetta(t, "events", "show", call, "--sip", "--full", "--url", url(server))
    assert "response=***" in full and not re.search(r'response="?[0-9a-f]{32}', full), full
    for file in (t.folder / "data" / "trace").iterdir():
        assert not re.search(rb'response="?[0-9a-f]{32}', file.read_bytes()), file
    server.process.terminate()
    assert server.ended(20) == 0
    assert cornetta(t, "events", "show", call, "--sip", "--data", t.folder / "data") == live
    cornetta(t, "events", "show", call, "--sip", "--svg", t.folder / "call.svg", "--data", t.folder / "data")
    assert minidom.parse(str(t.folder / "call.svg")).documentElement.tagName == "svg"


@case("a captured call can be opened with tshark: its SIP, and the speech of both ways")
def capture(t):
    server = t.server(services=[ECHO])
    file = t.folder / "call.pcapng"
    capturing = t.run_beside("capture.log", [t.program, "capture", "--next", "echo", "-o", file, "--url", url(server)],
                             env={"CORNETTA_TOKEN": TOKEN, "PATH": "/usr/bin:/bin"})
    wait_for(lambda: "capturing" in capturing.log.read_text(), 5, "the capture did not begin")
    talker = t.talker(450)
    call = t.phone(server).call("echo", talker.port).established()
    talker.to = call.answer.media_address()
    wait_for(lambda: len(talker.heard) > 30, 5, "the caller hears nothing")
    call.bye()
    assert capturing.wait(10) == 0, tail(capturing.log)
    server.happened("capture.started")
    if not shutil.which("tshark"):
        raise Skipped("tshark is not installed: apt-get install tshark")
    sip = tshark(file, "sip", "sip.Method", "sip.Status-Code", "sip.Call-ID")
    assert [line[0] or line[1] for line in sip if line[0] or line[1]][0] == "INVITE", sip
    assert {line[0] for line in sip} >= {"INVITE", "ACK", "BYE"} and {line[1] for line in sip} >= {"200"}, sip
    rtp = tshark(file, "rtp", "udp.srcport", "rtp.p_type")
    assert len(rtp) > 20 and len({line[0] for line in rtp}) == 2, rtp[:5]
    assert not tshark(file, "ip.checksum.status == 0 || udp.checksum.status == 0", "frame.number")


def tshark(file, wanted, *fields):
    command = ["tshark", "-r", file, "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o",
               "rtp.heuristic_rtp:TRUE", "-Y", wanted, "-T", "fields"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


@case("what the sockets and the trace took, sent and kept is counted at /metrics")
def counted(t):
    server = t.server(services=[ECHO])
    t.sipp("basic_call", server, "echo", "-d", 300)
    server.happened("call.ended")

    def all_counted():
        page = events.get(server.http, "/metrics", TOKEN)[2].decode()
        figures = dict(line.rsplit(" ", 1) for line in page.splitlines() if line.startswith("cornetta_"))
        # INVITE, ACK and BYE came; both answers, at the least, went.
        return (figures['cornetta_sip_messages_total{way="in"}'] == "3"
                and int(figures['cornetta_sip_messages_total{way="out"}']) >= 2
                and int(figures['cornetta_trace_messages_total{outcome="stored"}']) >= 5
                and figures['cornetta_sip_dropped_total{why="banned"}'] == "0")
    wait_for(all_counted, 5, "the figures are not those of one call")


@case("Homer gets every message of a call with the call's id")
def homer(t):
    receiver = t.keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(5)
    trace = {"hep": "udp:127.0.0.1:%d" % receiver.getsockname()[1], "hep_id": 7, "hep_password": "hep-secret"}
    server = t.server(services=[ECHO], trace=trace)
    t.sipp("basic_call", server, "echo", "-d", 200)
    call = server.happened("call.ended")[0]["partitionkey"]
    seen = []
    while not any(chunks[15].startswith(b"BYE ") for chunks in seen):
        seen.append(hep(receiver.recv(65535)))
    assert seen[0][15].startswith(b"INVITE "), seen[0]
    for chunks in seen:
        assert (chunks[17].decode(), chunks[14], chunks[11]) == (call, b"hep-secret", b"\x01")
        assert chunks[12] == struct.pack(">I", 7) and {chunks[3], chunks[4]} == {bytes([127, 0, 0, 1])}
        assert server.sip[1] in {int.from_bytes(chunks[kind], "big") for kind in (7, 8)}


def hep(packet):
    """The chunks of a HEP3 packet by their types."""
    assert packet[:4] == b"HEP3" and struct.unpack(">H", packet[4:6])[0] == len(packet)
    at, chunks = 6, {}
    while at < len(packet):
        vendor, kind, length = struct.unpack(">HHH", packet[at:at + 6])
        assert vendor == 0
        chunks[kind] = packet[at + 6:at + length]
        at += length
    return chunks
