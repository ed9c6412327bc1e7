"""A page in a browser, without the browser: SIP over a WebSocket by hand, and media by aiortc, whose ICE and DTLS-SRTP are not ours.

Its package is no distribution's; `make needs-test` puts it into target/aiortc, and where it is not, the cases say so and are skipped.
"""

import array
import asyncio
import fractions
import importlib.util
import math
import re
import select
import socket
import sys
import threading
import time

import audio
import events
import sip
import trial

PACKAGE = trial.ROOT / "target" / "aiortc"
RATE = 48_000
FRAME = RATE // 50


def there():
    """Lets Python find aiortc; otherwise the case is skipped."""
    if (PACKAGE / "aiortc").is_dir() and str(PACKAGE) not in sys.path:
        sys.path.append(str(PACKAGE))
    if not importlib.util.find_spec("aiortc"):
        raise trial.Skipped("there is no aiortc: no Debian package has it, and the one of PyPI (tests/blackbox/aiortc.txt) is "
                            "not in target/aiortc")


class Flow(events.WebSocket):
    """SIP over a WebSocket (RFC 7118), as `sip.Phone` uses a socket."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=10)
        head = ["GET / HTTP/1.1", "Host: %s:%d" % address, "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: sip"]
        self.socket.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        self.rest = b""
        answer = self.take_until(b"\r\n\r\n")
        assert answer.split()[1] == b"101", f"no WebSocket: {answer[:200]!r}"

    def waits(self, timeout):
        return bool(self.rest) or bool(select.select([self.socket], [], [], max(0, timeout))[0])

    def next(self):
        """One whole message: nothing for a ping, which is answered."""
        first, length = self.take(2)
        if length == 126:
            length = int.from_bytes(self.take(2), "big")
        data, opcode = self.take(length), first & 15
        if opcode == 9:
            self.send(10, data)
        return data if opcode in (1, 2) and data.strip() else None

    def close(self):
        self.socket.close()


class Page(sip.Phone):
    """One page; what it says is a tone."""

    def __init__(self, run, server, user="test", hertz=1000, password=None, media=None):
        media = media or aiortc_media
        self.server, self.user, self.seen, self.password = server.ws, user, [], password
        self.host = f"{user}.invalid"
        self.port, self.flow = 9, Flow(server.ws)
        run.closing.callback(self.flow.close)
        self.media = run.keep(media(run, hertz))

    def send(self, text):
        text = text.replace("SIP/2.0/UDP 127.0.0.1:9;rport", f"SIP/2.0/WS {self.host}").replace("@127.0.0.1:9>", f"@{self.host};transport=ws>")
        self.flow.send(1, text.encode())

    def receive(self, timeout):
        end = time.monotonic() + timeout
        while self.flow.waits(end - time.monotonic()):
            if data := self.flow.next():
                self.seen.append(message := sip.Message(data))
                return message
        return None

    def register(self):
        request = self.request("REGISTER", "sip:127.0.0.1", To=f"<sip:{self.user}@127.0.0.1>", Expires="300")
        refusal = self.answer_to(request)
        challenge = next(iter(sip.challenges(refusal).values()))
        proof = sip.credentials(challenge, "REGISTER", "sip:127.0.0.1", self.user, self.password)
        number = request.replace("CSeq: 1 ", "CSeq: 2 ").replace("Content-Length", f"Authorization: {proof}\r\nContent-Length")
        done = self.answer_to(number)
        assert done.status == 200, f"the page cannot register: {done}"

    def dial(self, user, **options):
        """Calls, and gives the established call."""
        call = sip.Call(self, user, 9, offer=self.media.offer(**options)).established()
        self.media.answered(call.answer.body)
        return call

    def takes_back(self, invite):
        """Takes the place of the page that this INVITE had rung (RFC 3891)."""
        ours = re.search(r"tag=([^;>\s]+)", invite.get("from")).group(1)
        ticket = f"Replaces: {invite.get('call-id')};to-tag={ours};from-tag=callee\r\n"
        call = sip.Call(self, self.user, 9, offer=self.media.offer())
        first = call.invite_text().replace("Content-Type", f"{ticket}Content-Type")
        self.send(first)
        refusal = call.final()
        assert refusal.status == 401, refusal
        proof = sip.credentials(next(iter(sip.challenges(refusal).values())), "INVITE", call.target, self.user, self.password)
        call.number, call.branch = next(call.numbers), sip.branch()
        self.send(call.invite_text().replace("Content-Type", f"{ticket}Authorization: {proof}\r\nContent-Type"))
        taken = call.final()
        assert taken.status == 200, f"the page cannot take its call back: {taken}"
        call.ack()
        self.media.answered(taken.body)
        return call

    def rung(self, timeout=15):
        return self.expect(lambda message: message.method == "INVITE", timeout)

    def takes(self, invite):
        """Answers a call."""
        self.send(sip.answer(invite, 200, "OK", self.media.answer(invite.body), contact=f"sip:{self.user}@{self.host};transport=ws"))
        self.expect(lambda message: message.method == "ACK")


def aiortc_media(_run, hertz):
    there()
    return Media(hertz)


class Media:
    """The RTCPeerConnection of a page, in a thread with a loop of its own."""

    def __init__(self, hertz):
        import aioice.ice  # found only now
        import aiortc
        # Nobody but this machine is to be found.
        aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
        self.aiortc, self.heard, self.began = aiortc, [], None
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.does(self.open(hertz))

    def does(self, what, timeout=10):
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(timeout)

    async def open(self, hertz):
        self.connection = self.aiortc.RTCPeerConnection(self.aiortc.RTCConfiguration(iceServers=[]))
        self.connection.addTrack(tone(self.aiortc, hertz))
        self.connection.on("track", lambda track: self.loop.create_task(self.hear(track)))

    def offer(self):
        async def make():
            await self.connection.setLocalDescription(await self.connection.createOffer())
            return self.connection.localDescription.sdp
        return self.does(make())

    def answered(self, sdp):
        self.does(self.connection.setRemoteDescription(self.aiortc.RTCSessionDescription(sdp, "answer")))

    def answer(self, offer):
        async def make():
            await self.connection.setRemoteDescription(self.aiortc.RTCSessionDescription(offer, "offer"))
            await self.connection.setLocalDescription(await self.connection.createAnswer())
            return self.connection.localDescription.sdp
        return self.does(make())

    def connected(self, timeout=10):
        trial.wait_for(lambda: self.connection.connectionState == "connected", timeout,
                       f"the page's media is {self.connection.connectionState}: ICE {self.connection.iceConnectionState}")

    async def hear(self, track):
        try:
            while True:
                frame = await track.recv()
                samples = array.array("h", bytes(frame.planes[0])[: 2 * frame.samples * len(frame.layout.channels)])
                apart = len(frame.layout.channels) * frame.sample_rate // audio.RATE
                self.heard.append((time.monotonic(), [sample / 32768 for sample in samples[::apart]]))
        except self.aiortc.mediastreams.MediaStreamError:
            return

    def samples(self, since=0.0):
        return [sample for at, part in list(self.heard) if at >= since for sample in part]

    def until_heard(self, hertz, timeout=8):
        def heard():
            last = self.samples(time.monotonic() - 0.3)
            return len(last) > 800 and audio.share(last, hertz) > 0.5
        trial.wait_for(heard, timeout, f"the page does not hear {hertz} Hz within {timeout} s")

    def close(self):
        if self.loop.is_running():
            self.does(self.connection.close())
            self.loop.call_soon_threadsafe(self.loop.stop)


def tone(aiortc, hertz):
    import av

    class Tone(aiortc.mediastreams.AudioStreamTrack):
        """20 ms at a time, on a clock of its own."""

        said, began = 0, None

        async def recv(self):
            self.began = self.began or time.monotonic()
            await asyncio.sleep(max(0, self.began + self.said / RATE - time.monotonic()))
            frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME)
            turn = 2 * math.pi * hertz / RATE
            frame.planes[0].update(array.array("h", (round(9000 * math.sin(turn * (self.said + n))) for n in range(FRAME))).tobytes())
            frame.pts, frame.sample_rate, frame.time_base = self.said, RATE, fractions.Fraction(1, RATE)
            self.said += FRAME
            return frame

    return Tone()
