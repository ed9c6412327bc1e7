#!/usr/bin/env python3
"""A flood of strangers: messages that are malformed or prove nothing, from many addresses of loopback.

    flood.py HOST PORT PER_SECOND SECONDS SOURCES

Prints a line after the first second, and in the end how many were sent and how many answers came.
"""

import itertools
import secrets
import select
import socket
import sys
import time


def main():
    host, port, rate, seconds, sources = sys.argv[1], *map(int, sys.argv[2:])
    # Each from a /24 of its own, as a botnet's are.
    addresses = [f"127.{10 + number // 250}.{number % 250}.7" for number in range(sources)]
    sockets = [bound(address) for address in addresses]
    began, sent = time.monotonic(), 0
    for address, own, kind in zip(itertools.cycle(addresses), itertools.cycle(sockets), itertools.cycle(KINDS)):
        while (due := int((time.monotonic() - began) * rate)) <= sent:
            time.sleep(0.001)
        if time.monotonic() - began > seconds:
            break
        if sent == rate:
            print("a second of it is sent", flush=True)
        try:
            own.sendto(kind(address, host, port), (host, port))
            sent += 1
        except BlockingIOError:
            pass
    time.sleep(0.5)  # for the last answers
    print(sent, sum(map(answers, sockets)), flush=True)


def bound(address):
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.setblocking(False)
    own.bind((address, 0))
    return own


def answers(own):
    count = 0
    while select.select([own], [], [], 0)[0]:
        own.recv(65535)
        count += 1
    return count


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
