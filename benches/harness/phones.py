"""Callers and a callee that speak just enough SIP over UDP to stand up calls, and leave the media to others."""

import re
import selectors
import socket
import threading
import time

from .server import HOST

# Above the ports that the system gives out by itself.
MEDIA_FROM = 61_000
SDP = (
    "v=0\r\no=bench 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na=sendrecv\r\n"
)


KEYS = SDP.replace("AVP 8", "AVP 8 101") + "a=rtpmap:101 telephone-event/8000\r\n"


def header(message, name):
    found = re.search(rf"^{name}:[ \t]*(.*?)\r$", message, re.M | re.I)
    return found[1] if found else ""


def media_port(message):
    found = re.search(r"^m=audio (\d+)", message, re.M)
    return int(found[1]) if found else None


def caller_port(number):
    """Where the caller of a call speaks from. Its callee speaks from the even port after that."""
    return MEDIA_FROM + 4 * number


def callee_port(number):
    return caller_port(number) + 2


class Call:
    """A call as its caller knows it."""

    def __init__(self, number, port):
        self.number, self.port = number, port
        self.id = f"bench-{number}-{time.monotonic_ns()}"
        self.answered = threading.Event()
        self.ended = threading.Event()
        self.failed = None
        self.to = self.target = self.their_port = self.answered_at = None


class Phones:
    """Callers on one socket, the callee on another, both served by one thread."""

    def __init__(self, server):
        self.server = (HOST, server.port)
        self.caller = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.callee = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for sock in (self.caller, self.callee):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.caller.bind((HOST, 0))
        self.callee.bind((HOST, server.callee))
        self.address = "%s:%d" % self.caller.getsockname()
        self.callee_address = "%s:%d" % self.callee.getsockname()
        self.calls = {}
        self.callee_calls = {}
        self.running = True
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.running = False
        self.thread.join()
        self.caller.close()
        self.callee.close()

    def invite(self, service, number, port=None, sdp=SDP):
        """Begins a call; `answered` tells when it stands or has failed."""
        call = Call(number, port or caller_port(number))
        self.calls[call.id] = call
        body = sdp.format(port=call.port)
        call.to = f"<sip:{service}@{HOST}:{self.server[1]}>"
        call.target = f"sip:{service}@{HOST}:{self.server[1]}"
        self.send(call, "INVITE", 1, body)
        return call

    def stand_up(self, service, count):
        """Answered calls, one after the other, so that the callee's are in the same order. Raises if one is not."""
        calls = []
        for number in range(count):
            call = self.invite(service, number)
            if not call.answered.wait(5) or call.failed:
                raise RuntimeError(f"call {number} to {service} was not answered: {call.failed or 'nothing came'}")
            calls.append(call)
        return calls

    def ways(self, calls):
        """The lines that tell `load` of the streams of these calls."""
        lines = []
        # The calls were stood up one after the other: the callee's are in the callers' order.
        for call, (port, their_port) in zip(calls, self.callee_calls.values(), strict=True):
            lines += [f"{call.port} {HOST}:{call.their_port}", f"{port} {HOST}:{their_port}"]
        return lines

    def hang_up(self, calls):
        for call in calls:
            self.send(call, "BYE", 2)
            time.sleep(0.005)
        for call in calls:
            call.ended.wait(5)

    def send(self, call, method, sequence, body=""):
        content = "Content-Type: application/sdp\r\n" if body else ""
        message = (
            f"{method} {call.target} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.address};rport;branch=z9hG4bK{call.id}-{sequence}-{method}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:bench@{self.address}>;tag={call.id}\r\nTo: {call.to}\r\n"
            f"Call-ID: {call.id}\r\nCSeq: {sequence} {method}\r\nContact: <sip:bench@{self.address}>\r\n"
            f"{content}Content-Length: {len(body)}\r\n\r\n{body}"
        )
        self.caller.sendto(message.encode(), self.server)

    def serve(self):
        ready = selectors.DefaultSelector()
        ready.register(self.caller, selectors.EVENT_READ, self.for_caller)
        ready.register(self.callee, selectors.EVENT_READ, self.for_callee)
        while self.running:
            for key, _ in ready.select(0.1):
                data, source = key.fileobj.recvfrom(65_535)
                key.data(data.decode(errors="replace"), source)

    def for_caller(self, message, source):
        call = self.calls.get(header(message, "Call-ID"))
        if call is None:
            return
        if not message.startswith("SIP/2.0 "):
            if message.startswith("BYE "):
                call.failed = "the server hung up"
                self.caller.sendto(response(message, "200 OK"), source)
            return
        status, method = int(message[8:11]), header(message, "CSeq").split()[-1]
        if status < 200:
            return
        if method == "BYE":
            del self.calls[call.id]
            call.ended.set()
        elif method == "INVITE":
            call.to = header(message, "To")
            if status < 300:
                call.answered_at = call.answered_at or time.monotonic()
                call.their_port = media_port(message)
                call.target = header(message, "Contact").split("<")[-1].split(">")[0]
            else:
                call.failed = message.split("\r\n")[0]
            self.send(call, "ACK", 1)
            call.answered.set()

    def for_callee(self, message, source):
        call_id = header(message, "Call-ID")
        if message.startswith("INVITE "):
            if call_id not in self.callee_calls:
                self.callee_calls[call_id] = (callee_port(len(self.callee_calls)), media_port(message))
            body = SDP.format(port=self.callee_calls[call_id][0])
            self.callee.sendto(response(message, "200 OK", self.callee_address, body), source)
        elif message.startswith("BYE "):
            self.callee.sendto(response(message, "200 OK"), source)


def response(request, status, contact=None, body=""):
    vias = "".join(f"Via: {via}\r\n" for via in re.findall(r"^Via:[ \t]*(.*?)\r$", request, re.M | re.I))
    to = header(request, "To")
    to += "" if ";tag=" in to else ";tag=callee"
    lines = vias + f"From: {header(request, 'From')}\r\nTo: {to}\r\nCall-ID: {header(request, 'Call-ID')}\r\n"
    lines += f"CSeq: {header(request, 'CSeq')}\r\n"
    if contact:
        lines += f"Contact: <sip:callee@{contact}>\r\nContent-Type: application/sdp\r\n"
    return f"SIP/2.0 {status}\r\n{lines}Content-Length: {len(body)}\r\n\r\n{body}".encode()
