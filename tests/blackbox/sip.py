"""SIP by hand: small enough to misbehave on purpose. Shares nothing with the server under test."""

import hashlib
import itertools
import re
import secrets
import select
import socket
import time

COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
           "c": "content-type", "k": "supported", "s": "subject"}


class Message:
    """One received message; header names in small letters."""

    def __init__(self, data, source=None):
        head, _, self.body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
        self.first, self.data, self.source, self.at = lines[0], data, source, time.monotonic()
        self.headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.headers.append((COMPACT.get(name, name), value.strip()))
        words = self.first.split(" ", 2)
        self.status = int(words[1]) if words[0].startswith("SIP/") else None
        self.method = None if self.status else words[0]

    def all(self, name):
        return [value for key, value in self.headers if key == name]

    def get(self, name):
        return next(iter(self.all(name)), "")

    def cseq_method(self):
        return self.get("cseq").split()[-1]

    def to_tag(self):
        found = re.search(r";\s*tag=([^;>\s]+)", self.get("to"))
        return found and found.group(1)

    def contact_uri(self):
        found = re.search(r"<([^>]+)>", self.get("contact"))
        return found.group(1) if found else self.get("contact").split(";")[0]

    def direction(self):
        """The direction of the first media line of an SDP body."""
        found = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", self.body, re.M)
        return found.group(1) if found else "sendrecv"

    def media_address(self):
        host = re.search(r"^c=IN IP4 (\S+)", self.body, re.M).group(1)
        return host, int(re.search(r"^m=audio (\d+)", self.body, re.M).group(1))

    def __repr__(self):
        return f"<{self.first}; CSeq {self.get('cseq')}>"


def sdp(port, codecs=(8, 0, 101), direction="sendrecv", version=1, address="127.0.0.1"):
    names = {0: "PCMU/8000", 8: "PCMA/8000", 18: "G729/8000", 101: "telephone-event/8000"}
    lines = ["v=0", f"o=test 7 {version} IN IP4 127.0.0.1", "s=-", f"c=IN IP4 {address}", "t=0 0",
             f"m=audio {port} RTP/AVP {' '.join(map(str, codecs))}"]
    lines += [f"a=rtpmap:{codec} {names[codec]}" for codec in codecs]
    return "\r\n".join([*lines, "a=ptime:20", f"a={direction}", ""])


class Phone:
    """A UDP socket and the words to use it. Retransmits nothing by itself."""

    def __init__(self, server, user="test"):
        self.server, self.user = server, user
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.seen = []

    def close(self):
        self.socket.close()

    def send(self, text):
        self.socket.sendto(text.encode() if isinstance(text, str) else text, self.server)

    def receive(self, timeout):
        """The next message, or nothing when the time is over."""
        if not select.select([self.socket], [], [], max(0, timeout))[0]:
            return None
        message = Message(*self.socket.recvfrom(65535))
        self.seen.append(message)
        return message

    def expect(self, wanted, timeout=5.0):
        """The next message that `wanted` is true of; others that come before are passed over."""
        end = time.monotonic() + timeout
        passed = []
        while (message := self.receive(end - time.monotonic())) is not None:
            if wanted(message):
                return message
            passed.append(message)
        raise AssertionError(f"nothing that was waited for came within {timeout:g} s; came: {passed}")

    def answer_to(self, text, timeout=5.0):
        """Sends a request and gives its final answer."""
        cseq = re.search(r"^CSeq: (.*)$", text, re.M)
        self.send(text)
        same = (lambda m: m.get("cseq") == cseq.group(1).strip()) if cseq else (lambda m: True)
        return self.expect(lambda m: m.status and m.status >= 200 and same(m), timeout)

    def silent_for(self, seconds, wanted=lambda message: True):
        end = time.monotonic() + seconds
        while (message := self.receive(end - time.monotonic())) is not None:
            assert not wanted(message), f"{message} came, but nothing should"

    def request(self, method, target=None, body="", *, drop=(), **headers):
        """A request outside of any dialog, as text. Header names are written with `_` for `-`."""
        target = target or f"sip:{self.server[0]}:{self.server[1]}"
        lines = {
            "Via": f"SIP/2.0/UDP 127.0.0.1:{self.port};rport;branch={branch()}",
            "Max-Forwards": "70",
            "From": f"<sip:{self.user}@127.0.0.1>;tag={secrets.token_hex(4)}",
            "To": f"<{target}>",
            "Call-ID": f"{secrets.token_hex(8)}@127.0.0.1",
            "CSeq": f"1 {method}",
            "Contact": f"<sip:{self.user}@127.0.0.1:{self.port}>",
        }
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        if body:
            lines["Content-Type"] = "application/sdp"
        lines["Content-Length"] = str(len(body))
        head = [f"{name}: {value}" for name, value in lines.items() if name not in drop]
        return "\r\n".join([f"{method} {target} SIP/2.0", *head, "", body])

    def call(self, user, media_port=9, **options):
        return Call(self, user, media_port, **options)


class Call:
    """One call that we make: its INVITE, and the dialog that may come of it."""

    def __init__(self, phone, user, media_port, offer=None):
        self.phone, self.media_port = phone, media_port
        self.target = f"sip:{user}@{phone.server[0]}:{phone.server[1]}"
        self.call_id, self.tag = f"{secrets.token_hex(8)}@127.0.0.1", secrets.token_hex(4)
        self.numbers = itertools.count(1)
        self.number, self.branch, self.remote, self.answer = next(self.numbers), branch(), None, None
        self.offer = offer or sdp(media_port)

    def message(self, method, body="", *, number, branch, target=None, tagged=True):
        to = f"<{self.target}>" + (f";tag={self.remote.to_tag()}" if tagged and self.remote else "")
        lines = [f"{method} {target or self.target} SIP/2.0",
                 f"Via: SIP/2.0/UDP 127.0.0.1:{self.phone.port};rport;branch={branch}", "Max-Forwards: 70",
                 f"From: <sip:{self.phone.user}@127.0.0.1>;tag={self.tag}", f"To: {to}", f"Call-ID: {self.call_id}",
                 f"CSeq: {number} {method}", f"Contact: <sip:{self.phone.user}@127.0.0.1:{self.phone.port}>"]
        if body:
            lines.append("Content-Type: application/sdp")
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])

    def invite_text(self):
        return self.message("INVITE", self.offer, number=self.number, branch=self.branch, tagged=False)

    def invite(self):
        self.phone.send(self.invite_text())
        return self

    def about(self, message, method=None):
        return message.get("call-id") == self.call_id and (method is None or message.cseq_method() == method)

    def final(self, timeout=5.0):
        """The final answer to the INVITE; a dialog, if it is 2xx."""
        final = self.phone.expect(lambda m: self.about(m, "INVITE") and (m.status or 0) >= 200, timeout)
        if final.status < 300:
            self.remote = self.answer = final
        else:
            self.remote = final
            self.phone.send(self.message("ACK", number=self.number, branch=self.branch))
            self.remote = None
        return final

    def established(self, timeout=5.0):
        final = self.invite().final(timeout)
        assert final.status == 200, f"the call was not answered: {final}"
        self.ack()
        return self

    def ack(self):
        text = self.message("ACK", number=self.number, branch=branch(), target=self.remote.contact_uri())
        self.phone.send(text)

    def cancel_text(self):
        return self.message("CANCEL", number=self.number, branch=self.branch, tagged=False)

    def cancel(self):
        self.phone.send(self.cancel_text())

    def within(self, method, body="", timeout=5.0):
        """A request inside the dialog and its final answer; an INVITE's 2xx is acknowledged."""
        number = next(self.numbers)
        text = self.message(method, body, number=number, branch=(key := branch()), target=self.remote.contact_uri())
        self.phone.send(text)
        final = self.phone.expect(
            lambda m: self.about(m) and (m.status or 0) >= 200 and m.get("cseq") == f"{number} {method}", timeout)
        if method == "INVITE":
            if final.status < 300:
                self.number = number
                self.ack()
            else:
                self.phone.send(self.message("ACK", number=number, branch=key, target=self.remote.contact_uri()))
        return final

    def bye_text(self):
        return self.message("BYE", number=next(self.numbers), branch=branch(), target=self.remote.contact_uri())

    def bye(self):
        final = self.phone.answer_to(self.bye_text())
        assert final.status == 200, f"BYE was answered {final}"


def branch():
    return f"z9hG4bK{secrets.token_hex(8)}"


def answer(request, status, reason, body="", tag="callee", contact=None):
    """An answer to a request that we received, as text."""
    copied = [f"Via: {value}" for value in request.all("via")]
    to = request.get("to") + ("" if "tag=" in request.get("to") or status == 100 else f";tag={tag}")
    lines = [f"SIP/2.0 {status} {reason}", *copied, f"From: {request.get('from')}", f"To: {to}",
             f"Call-ID: {request.get('call-id')}", f"CSeq: {request.get('cseq')}"]
    lines += [f"Contact: <{contact}>"] if contact else []
    lines += ["Content-Type: application/sdp"] if body else []
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])


# ---- digest (RFC 7616)

def challenges(message):
    """The challenges of a 401 or 407: {algorithm: {parameter: value}}."""
    found = {}
    for value in message.all("www-authenticate") + message.all("proxy-authenticate"):
        pairs = re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', value.partition(" ")[2])
        parameters = {name.lower(): quoted or plain for name, quoted, plain in pairs}
        found[parameters.get("algorithm", "MD5").upper()] = parameters
    return found


def credentials(challenge, method, uri, user, password, count=1, cnonce=None):
    """The value of an Authorization header for a challenge."""
    algorithm = challenge.get("algorithm", "MD5")
    digest = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm.upper()]
    hashed = lambda *parts: digest(":".join(parts).encode()).hexdigest()
    cnonce, nc = cnonce or secrets.token_hex(8), f"{count:08x}"
    first, second = hashed(user, challenge["realm"], password), hashed(method, uri)
    response = hashed(first, challenge["nonce"], nc, cnonce, "auth", second)
    value = (f'Digest username="{user}", realm="{challenge["realm"]}", nonce="{challenge["nonce"]}", uri="{uri}", '
             f'response="{response}", algorithm={algorithm}, qop=auth, nc={nc}, cnonce="{cnonce}"')
    return value + (f', opaque="{challenge["opaque"]}"' if "opaque" in challenge else "")
