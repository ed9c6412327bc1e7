"""What is heard: every party has a tone of its own, and each ear is asked for exactly the right ones."""

import re
import time

import audio
import sip
from audio import heard_seconds
from trial import case, wait_for

CALLER, CALLEE = 450, 1000


class Callee:
    """Answers one call by hand, with a mouth and an ear."""

    def __init__(self, t, hertz):
        self.talker = t.talker(hertz)
        self.phone = t.phone(None)

    def answer(self):
        invite = self.phone.expect(lambda message: message.method == "INVITE")
        self.phone.server = invite.source
        self.talker.to = invite.media_address()
        contact = f"sip:uas@127.0.0.1:{self.phone.port}"
        self.phone.send(sip.answer(invite, 200, "OK", sip.sdp(self.talker.port, [8, 101]), contact=contact))
        self.phone.expect(lambda message: message.method == "ACK")

    def hung_up(self):
        bye = self.phone.expect(lambda message: message.method == "BYE")
        self.phone.send(sip.answer(bye, 200, "OK"))


def bridged(t, **parts):
    """(server, caller's call, caller's talker, callee), connected."""
    callee, talker = Callee(t, CALLEE), t.talker(CALLER)
    services = [{"number": "bridge", "kind": "dial", "to": f"sip:uas@127.0.0.1:{callee.phone.port}"},
                {"number": "sig", "kind": "silence"}]
    server = t.server(services=services, **parts)
    call = t.phone(server).call("bridge", talker.port).invite()
    callee.answer()
    assert call.final().status == 200
    call.ack()
    talker.to = call.answer.media_address()
    return server, call, talker, callee


def talking(talker, callee):
    """Waits until they hear each other."""
    talker.until_heard(CALLEE)
    callee.talker.until_heard(CALLER)


@case("two parties hear each other and not themselves", seconds=6)
def both_ways(t):
    server, call, talker, callee = bridged(t)
    talking(talker, callee)
    here, there = audio.listen(2, talker, callee.talker)
    assert heard_seconds(here, CALLEE) > 1.5, "the caller does not hear the callee"
    assert heard_seconds(there, CALLER) > 1.5, "the callee does not hear the caller"
    assert heard_seconds(here, CALLER) == heard_seconds(there, CALLEE) == 0, "an echo"
    call.bye()
    callee.hung_up()
    server.ends()


@case("who holds hears nothing and the other hears music; after resume both hear each other", seconds=9)
def hold(t):
    server, call, talker, callee = bridged(t)
    talking(talker, callee)
    held = call.within("INVITE", sip.sdp(talker.port, direction="sendonly", version=2))
    assert (held.status, held.direction()) == (200, "recvonly"), (held, held.body)
    talker.speaking = False
    callee.talker.until_music(but_not=CALLER)
    since = time.monotonic()
    music = audio.listen(2, callee.talker)
    assert len(music) > 1.5 * audio.RATE and audio.level(music) > 0.001, "the party that waits hears no music"
    assert heard_seconds(music, CALLER) == 0, "the party that waits hears who holds"
    assert not talker.packets(since), "who offered sendonly is sent packets"
    resumed = call.within("INVITE", sip.sdp(talker.port, version=3))
    assert (resumed.status, resumed.direction()) == (200, "sendrecv"), resumed
    talker.speaking = True
    talking(talker, callee)
    here, there = audio.listen(1.5, talker, callee.talker)
    assert heard_seconds(here, CALLEE) > 1.2 and heard_seconds(there, CALLER) > 1.2
    call.bye()
    callee.hung_up()


@case("towards one party SSRC, sequence and timestamp run on through talk, music and talk", seconds=8)
def one_line(t):
    _, call, talker, callee = bridged(t)
    audio.listen(1, callee.talker)
    call.within("INVITE", sip.sdp(talker.port, direction="sendonly", version=2))
    audio.listen(1, callee.talker)
    call.within("INVITE", sip.sdp(talker.port, version=3))
    audio.listen(1, callee.talker)
    packets = callee.talker.packets(0)
    assert len({packet.ssrc for packet in packets}) == 1, "the SSRC changed in mid-call"
    steps = [after.sequence - before.sequence & 0xFFFF for before, after in zip(packets, packets[1:])]
    assert set(steps) == {1}, f"sequence numbers jump by {sorted(set(steps))}"
    turns = [after.timestamp - before.timestamp & 0xFFFFFFFF for before, after in zip(packets, packets[1:])]
    assert all(0 < turn < 2**31 for turn in turns), "the timestamp runs backwards"
    assert len(packets) > 130, f"only {len(packets)} packets in 3 s"
    call.bye()
    callee.hung_up()


@case("a prompt begins with the call, one packet every 20 ms, no packet twice", seconds=5)
def prompt(t):
    server = t.server(services=[{"number": "play", "kind": "play", "sound": "moh/calm"}])
    talker = t.talker()
    began = time.monotonic()
    call = t.phone(server).call("play", talker.port).established()
    audio.listen(3, talker)
    packets = talker.packets(0)
    assert packets, "nothing was played"
    # How soon exactly is measured by the benchmarks; what must not be is a wait for something.
    assert packets[0].at - began < 1, f"the first packet came after {packets[0].at - began:.3f} s"
    pairs = list(zip(packets, packets[1:]))
    steps = {after.sequence - before.sequence & 0xFFFF for before, after in pairs}
    turns = {after.timestamp - before.timestamp & 0xFFFFFFFF for before, after in pairs}
    gaps = sorted(after.at - before.at for before, after in pairs)
    assert (steps, turns) == ({1}, {audio.FRAME}), f"sequence by {sorted(steps)}, timestamp by {sorted(turns)}"
    assert 0.015 < gaps[len(gaps) // 2] < 0.025, f"the median gap is {gaps[len(gaps) // 2] * 1000:.1f} ms"
    # A machine that is busy with something else may make packets late, but not many.
    assert 110 <= len(packets) <= 165, f"{len(packets)} packets in 3 s"
    assert len({packet.payload for packet in packets}) > 50, "the same packet over and over is no music"
    call.bye()
    server.happened("call.ended")
    assert not audio.listen(0.5, talker), "packets after BYE"


@case("echo gives back what is said", seconds=4)
def echo(t):
    server = t.server(services=[{"number": "echo", "kind": "echo"}])
    talker = t.talker(CALLER)
    call = t.phone(server).call("echo", talker.port).established()
    talker.to = call.answer.media_address()
    talker.until_heard(CALLER)
    assert heard_seconds(audio.listen(1.5, talker), CALLER) > 1.2
    call.bye()


@case("a party that falls silent is a fact within 4 s, with evidence; so is its return", seconds=9)
def silence(t):
    server, call, talker, callee = bridged(t)
    talking(talker, callee)
    wait_for(lambda: talker.said > 30, 5, "the caller says too little to fall silent")
    talker.speaking = False
    (silent,) = server.happened("media.silent", timeout=4)
    assert re.match(r"call/[\w-]+/leg/1$", silent["subject"]), f"the caller is silent, not {silent['subject']}"
    assert silent["data"]["evidence"]["received"] > 20, silent["data"]
    talker.speaking = True
    server.happened("media.restored", timeout=4)
    call.bye()
    callee.hung_up()


@case("a stranger's packets are not heard and do not take the call over", seconds=6)
def stranger(t):
    _, call, talker, callee = bridged(t)
    talking(talker, callee)
    intruder = t.talker(1500)
    intruder.to = call.answer.media_address()
    wait_for(lambda: intruder.said > 10, 5, "the stranger says nothing")
    here, there, stolen = audio.listen(1.5, talker, callee.talker, intruder)
    assert heard_seconds(there, CALLER) > 1.2 and heard_seconds(there, 1500) == 0
    assert heard_seconds(here, CALLEE) > 1.2, "what the caller should hear went elsewhere"
    assert not stolen, "the stranger is sent the call's packets"
    call.bye()
    callee.hung_up()
