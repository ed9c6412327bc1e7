#!/usr/bin/env python3
"""A flood of strangers: messages that are malformed or prove nothing, from many addresses of loopback.

    flood.py HOST PORT PER_SECOND SECONDS SOURCES [tcp]

By TCP each address holds a connection open, and opens another as soon as it is closed.
Prints a line after the first second, and in the end how many were sent and how many answers came.
"""

import itertools
import secrets
import select
import socket
import sys
import time


def main():
    host, port, rate, seconds, sources = sys.argv[1], *map(int, sys.argv[2:6])
    way = Stream if sys.argv[6:] == ["tcp"] else Datagrams
    # Each from a /24 of its own, as a botnet's are.
    addresses = [f"127.{10 + number // 250}.{number % 250}.7" for number in range(sources)]
    senders = [way(address, host, port) for address in addresses]
    began, sent = time.monotonic(), 0
    for sender, kind in zip(itertools.cycle(senders), itertools.cycle(KINDS)):
        while (due := int((time.monotonic() - began) * rate)) <= sent:
            time.sleep(0.001)
        if time.monotonic() - began > seconds:
            break
        if sent == rate:
            print("a second of it is sent", flush=True)
        try:
            sender.send(kind(sender.address, host, port))
            sent += 1
        except BlockingIOError:
            pass
    time.sleep(0.5)  # for the last answers
    print(sent, sum(sender.answers() for sender in senders), flush=True)


class Datagrams:
    def __init__(self, address, *to):
        self.address, self.to = address, to
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind((address, 0))

    def send(self, message):
        self.socket.sendto(message, self.to)

    def answers(self):
        count = 0
        while select.select([self.socket], [], [], 0)[0]:
            self.socket.recv(65535)
            count += 1
        return count


class Stream:
    """A connection from one address, made anew as often as it breaks."""

    def __init__(self, address, *to):
        self.address, self.to, self.socket, self.count = address, to, None, 0

    def send(self, message):
        try:
            if self.socket is None:
                self.socket = socket.create_connection(self.to, timeout=2, source_address=(self.address, 0))
                self.socket.setblocking(False)
            self.read()
            self.socket.send(message)
        except BlockingIOError:
            raise
        except OSError:
            self.hang_up()

    def read(self):
        while select.select([self.socket], [], [], 0)[0]:
            if not (answer := self.socket.recv(65535)):
                raise ConnectionResetError
            self.count += answer.count(b"SIP/2.0 4")

    def answers(self):
        try:
            self.read()
        except (OSError, TypeError):
            pass
        return self.count

    def hang_up(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None


def request(method, address, host, port, more=""):
    key = secrets.token_hex(6)
    return (f"{method} sip:{key}@{host}:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {address}:5060;rport;branch=z9hG4bK{key}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{key}@{host}>;tag={key}\r\nTo: <sip:{key}@{host}>\r\nCall-ID: {key}\r\n"
            f"CSeq: 1 {method}\r\nContact: <sip:{key}@{address}>\r\n{more}Content-Length: 0\r\n\r\n")


def plain(method):
    return lambda address, host, port: request(method, address, host, port).encode()


def malformed(address, host, port):
    return request("INVITE", address, host, port).replace("CSeq: 1", "CSeq: one").encode()


def garbage(address, host, port):
    return secrets.token_bytes(400)


def half(address, host, port):
    return request("INVITE", address, host, port)[:150].encode()


KINDS = [plain("INVITE"), malformed, plain("REGISTER"), garbage, plain("OPTIONS"), half]

if __name__ == "__main__":
    main()
