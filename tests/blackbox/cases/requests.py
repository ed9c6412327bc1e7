"""Requests that are answered without a call, and those that are not understood."""

import re
import socket

import sip
from trial import case

SERVICES = [{"number": "sig", "kind": "silence"}]


@case("OPTIONS is answered 200 with Allow, to where it came from")
def options(t):
    phone = t.phone(t.server(services=SERVICES))
    elsewhere = f"SIP/2.0/UDP 192.0.2.1:5060;rport;branch={sip.branch()}"
    answer = phone.answer_to(phone.request("OPTIONS", Via=elsewhere))
    assert answer.status == 200, answer
    assert {"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"} <= set(re.split(r",\s*", answer.get("allow"))), answer.headers
    assert f"rport={phone.port}" in answer.get("via"), answer.get("via")
    assert "received=127.0.0.1" in answer.get("via"), answer.get("via")


@case("a method that nobody knows is answered 405 or 501 with Allow")
def unknown_method(t):
    phone = t.phone(t.server(services=SERVICES))
    answer = phone.answer_to(phone.request("WINK"))
    assert answer.status in (405, 501), answer
    assert "INVITE" in answer.get("allow"), answer.headers


@case("a number that is not there is answered 404")
def unknown_number(t):
    phone = t.phone(t.server(services=SERVICES))
    assert phone.call("nobody").invite().final().status == 404


@case("Max-Forwards 0 is answered 483, but OPTIONS for us 200 or 483")
def too_many_hops(t):
    phone = t.phone(t.server(services=SERVICES))
    invite = phone.request("INVITE", f"sip:sig@127.0.0.1:{phone.server[1]}", sip.sdp(9), Max_Forwards="0")
    answer = phone.answer_to(invite)
    assert answer.status == 483, answer
    assert phone.answer_to(phone.request("OPTIONS", Max_Forwards="0")).status in (200, 483)


@case("an extension that we lack is answered 420 with its name")
def required_extension(t):
    phone = t.phone(t.server(services=SERVICES))
    answer = phone.answer_to(phone.request("OPTIONS", Require="wings"))
    assert (answer.status, answer.get("unsupported")) == (420, "wings"), answer


@case("what is malformed is answered 400 or not at all, and the next call goes through")
def malformed(t):
    server = t.server(services=SERVICES)
    phone = t.phone(server)
    for lacking in ("Call-ID", "CSeq", "From", "To"):
        phone.send(phone.request("OPTIONS", drop=[lacking]))
        answer = phone.receive(1.0)
        assert answer is None or answer.status == 400, f"without {lacking}: {answer}"
    answer = phone.answer_to(phone.request("OPTIONS", CSeq="1 INVITE").replace("OPTIONS sip", "OPTIONS sip", 1))
    assert answer.status == 400, f"with the wrong method in CSeq: {answer}"
    for noise in (b"", b"\r\n\r\n", b"\0" * 100, b"INVITE", b"SIP/2.0 200 OK\r\n\r\n", b"\xff" * 1500, b"A" * 65000,
                  b"OPTIONS sip:x SIP/2.0\r\n" + b"Via: x\r\n" * 5000):
        phone.send(noise)
    phone.silent_for(0.5, lambda message: (message.status or 400) != 400)
    phone.call("sig").established().bye()
    server.ends()


@case("an answer or an ACK that belongs to nothing is passed over in silence")
def stray(t):
    phone = t.phone(t.server(services=SERVICES))
    phone.send(phone.request("ACK", f"sip:sig@127.0.0.1:{phone.server[1]}"))
    answer = phone.request("OPTIONS").replace(f"OPTIONS sip:127.0.0.1:{phone.server[1]} SIP/2.0", "SIP/2.0 200 OK", 1)
    phone.send(answer)
    phone.silent_for(1.0)


@case("BYE and CANCEL for what is not there are answered 481")
def no_such_dialog(t):
    phone = t.phone(t.server(services=SERVICES))
    target = f"sip:sig@127.0.0.1:{phone.server[1]}"
    for method in ("BYE", "CANCEL"):
        answer = phone.answer_to(phone.request(method, target, To=f"<{target}>;tag=none"))
        assert answer.status == 481, f"{method}: {answer}"


@case("one TCP stream carries two requests in one piece, and one in many pieces")
def stream_framing(t):
    server = t.server(services=SERVICES)
    phone = t.phone(server)
    text = lambda: phone.request("OPTIONS").replace("SIP/2.0/UDP", "SIP/2.0/TCP").encode()
    with socket.create_connection(server.sip, timeout=5) as stream:
        stream.settimeout(5)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.sendall(text() + b"\r\n\r\n" + text())
        whole = text()
        for at in range(0, len(whole), 40):
            stream.sendall(whole[at : at + 40])
        received = b""
        while received.count(b"SIP/2.0 200") < 3:
            data = stream.recv(65536)
            assert data, f"the server closed the stream; it had sent {received!r}"
            received += data
