"""Readers of the log over HTTP: server-sent events and WebSocket, small enough to be cut anywhere."""

import base64
import http.client
import json
import os
import socket
import struct


def get(address, path, token=None):
    """(status, headers, body) of a GET."""
    connection = http.client.HTTPConnection(*address, timeout=10)
    connection.request("GET", path, headers=bearer(token))
    response = connection.getresponse()
    result = response.status, response.headers, response.read()
    connection.close()
    return result


def get_json(address, path, token=None):
    status, _, body = get(address, path, token)
    assert status == 200, f"GET {path} was answered {status}: {body[:300]!r}"
    return json.loads(body)


def put_json(address, path, body, token=None):
    """(status, answer) of a PUT."""
    connection = http.client.HTTPConnection(*address, timeout=10)
    connection.request("PUT", path, json.dumps(body), {"Content-Type": "application/json", **bearer(token)})
    response = connection.getresponse()
    result = response.status, json.loads(response.read() or b"null")
    connection.close()
    return result


def bearer(token):
    return {"Authorization": f"Bearer {token}"} if token else {}


def number(event):
    return int(event["sequence"])


def kind(event):
    """`call.arrived` of `cti.call.arrived.v1`."""
    return event["type"].removeprefix("cti.").removesuffix(".v1")


class Cut(Exception):
    """The connection is over."""


class Reader:
    """What both kinds have in common: facts one by one, the server's own frames passed over."""

    def facts(self, timeout=10.0):
        """Facts until nothing but heartbeats came for `timeout` seconds, which is an error."""
        self.socket.settimeout(timeout)
        while True:
            message = self.message()
            if message.get("op") == "error":
                raise AssertionError(f"the server refused to go on: {message}")
            if "specversion" in message:
                yield message

    def until(self, wanted, timeout=10.0):
        """All facts up to the first that `wanted` is true of, that one included."""
        read = []
        try:
            for event in self.facts(timeout):
                read.append(event)
                if wanted(event):
                    return read
        except (Cut, OSError) as error:
            raise AssertionError(f"{error!r}; facts before it: {[kind(event) for event in read]}") from error
        raise AssertionError("unreachable")

    def cut(self):
        """As a network would: no close frame, no FIN, a reset at once."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.socket.close()


class ServerSentEvents(Reader):
    def __init__(self, address, since=None, token=None, last_event_id=None):
        query = "" if since is None else f"?from={since}"
        self.socket = socket.create_connection(address, timeout=10)
        head = {"Host": "%s:%d" % address, "Accept": "text/event-stream", **bearer(token)}
        if last_event_id is not None:
            head["Last-Event-ID"] = str(last_event_id)
        lines = [f"GET /v1/events{query} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        self.response = http.client.HTTPResponse(self.socket)
        self.response.begin()
        assert self.response.status == 200, f"/v1/events was answered {self.response.status} {self.response.read()!r}"
        assert self.response.getheader("content-type", "").startswith("text/event-stream")

    def message(self):
        fields = {}
        while True:
            try:
                line = self.response.readline().decode()
            except http.client.HTTPException as error:
                raise Cut(str(error)) from error
            if not line:
                raise Cut("the stream ended")
            line = line.rstrip("\n").rstrip("\r")
            if not line and "data" in fields:
                message = json.loads(fields["data"])
                if "specversion" in message:
                    assert int(fields["id"]) == number(message), "the id of an event is not its number"
                return message
            name, _, value = line.partition(":")
            if name:
                fields[name] = value.removeprefix(" ")

    def close(self):
        self.response.close()
        self.socket.close()


class WebSocket(Reader):
    """RFC 6455, text frames only."""

    def __init__(self, address, since=None, token=None):
        query = "" if since is None else f"?from={since}"
        self.socket = socket.create_connection(address, timeout=10)
        head = {"Host": "%s:%d" % address, "Upgrade": "websocket", "Connection": "Upgrade", **bearer(token),
                "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), "Sec-WebSocket-Version": "13"}
        lines = [f"GET /v1/events{query} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        self.rest = b""
        answer = self.take_until(b"\r\n\r\n")
        assert answer.split()[1] == b"101", f"no WebSocket: {answer[:200]!r}"

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise Cut("the server closed the connection")
        self.rest += data

    def take_until(self, end):
        while end not in self.rest:
            self.more()
        taken, self.rest = self.rest[: self.rest.index(end) + len(end)], self.rest[self.rest.index(end) + len(end) :]
        return taken

    def take(self, count):
        while len(self.rest) < count:
            self.more()
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def send(self, opcode, payload):
        mask = os.urandom(4)
        length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack("!H", len(payload))
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self.socket.sendall(bytes([0x80 | opcode]) + length + mask + masked)

    def say(self, message):
        self.send(1, json.dumps(message).encode())

    def message(self):
        text = b""
        while True:
            first, second = self.take(2)
            length = second & 0x7F
            if length == 126:
                length = struct.unpack("!H", self.take(2))[0]
            elif length == 127:
                length = struct.unpack("!Q", self.take(8))[0]
            payload, opcode = self.take(length), first & 15
            if opcode == 8:
                raise Cut(f"closed by the server: {payload[:2].hex()} {payload[2:].decode()}")
            if opcode == 9:
                self.send(10, payload)
            elif opcode in (0, 1):
                text += payload
                if first & 0x80:
                    return json.loads(text)


def check_contiguous(events, first=1):
    """Numbers without a gap or a double, one source, ids all different."""
    numbers = [number(event) for event in events]
    expected = list(range(first, first + len(numbers)))
    wrong = [(at, number) for at, number in zip(expected, numbers) if at != number]
    assert not wrong, f"{len(wrong)} numbers are not where they should be; the first: {wrong[0]} of {len(numbers)}"
    assert len({event["source"] for event in events}) <= 1, "more than one source"
    assert len({event["id"] for event in events}) == len(events), "an id was given twice"
