"""SIPp as a phone: it registers, calls, is called, holds, presses keys; what it hears it says again (`-rtp_echo`), so that who
talks with it hears itself."""

import os
import time
from pathlib import Path

import audio
from cases.audio_path import Callee
from cases.b2bua import ANNA, ANSWERS, ENDS, as_anna, called_by
from scenario import ack, asked, called, pause, plays, request, sdp, wants
from trial import Skipped, case, wait_for

TONE = 1000  # Hz
KEYS = Path("/usr/share/sip-tester")


def bridge(t, steps, *arguments):
    """(server, who answers `bridge` by hand, SIPp that calls it as anna)."""
    callee = Callee(t, TONE)
    server = t.server(services=[{"number": "bridge", "kind": "dial", "to": f"sip:uas@127.0.0.1:{callee.phone.port}"}],
                      agents=[ANNA], queues=[{"name": "desk"}], open_to_loopback=False, sip={"digest": ["MD5"]})
    caller = t.sipp_beside(as_anna(*steps), "%s:%d" % server.sip, "-s", "bridge", *arguments, name="anna")
    callee.answer()
    server.happened("call.connected")
    return server, callee, caller


def hears_itself(talker):
    def heard(since):
        return lambda: audio.heard_seconds(talker.samples(since), TONE) > 1
    wait_for(heard(time.monotonic()), 4, "what SIPp heard does not come back")


def reinvite(number, direction):
    return [request("INVITE", number, body=sdp(direction, number)), wants(100, optional=True), wants(200), ack(number)]


def calls(transport):
    def run(t):
        steps = [pause(2500), *reinvite(3, "sendonly"), pause(2000), *reinvite(4, "sendrecv"), pause(2500),
                 request("BYE", 5), wants(200)]
        server, callee, caller = bridge(t, steps, "-t", transport, "-rtp_echo")
        hears_itself(callee.talker)
        server.happened("leg.held")
        callee.talker.until_music(but_not=TONE)
        music = audio.listen(1, callee.talker)
        assert audio.level(music) > 0.001 and audio.heard_seconds(music, TONE) == 0, "who waits hears no music"
        server.happened("leg.resumed")
        hears_itself(callee.talker)
        callee.hung_up()
        caller.wait()
        assert [(end["by"], end["cause"]) for end in server.ends()] == [("caller", "hung_up")]
    return run


case("SIPp calls over UDP; audio both ways, holds, resumes, hangs up", seconds=10)(calls("u1"))
case("SIPp calls over TCP; audio both ways, holds, resumes, hangs up", seconds=10)(calls("t1"))


@case("SIPp is called; audio both ways", seconds=5)
def is_called(t):
    server, callee = called_by(t, "callee", [called(), ANSWERS, asked("ACK"), *ENDS], "-rtp_echo")
    talker = t.talker(TONE)
    call = t.phone(server).call("bridge", talker.port).established()
    talker.to = call.answer.media_address()
    hears_itself(talker)
    call.bye()
    callee.wait()
    server.ends()


@case("SIPp presses keys by INFO and by RFC 4733, and each is heard once", seconds=5)
def presses(t):
    if os.geteuid():
        raise Skipped("SIPp plays packets from a file only as root")
    info = request("INFO", 3, ["Content-Type: application/dtmf-relay"], "Signal=4\nDuration=200\n")
    steps = [pause(500), info, wants(200), pause(1000), plays("play_pcap_audio", KEYS / "dtmf_2833_5.pcap"), pause(1500),
             request("BYE", 4), wants(200)]
    server, callee, caller = bridge(t, steps)
    told = [event["data"] for event in server.happened("dtmf.received", 2)]
    assert [(one["digit"], one["source"]) for one in told] == [("4", "info"), ("5", "4733")], told
    callee.hung_up()
    caller.wait()
    server.ends()
    assert server.kinds().count("dtmf.received") == 2, "one press was taken for more than one"


def holds_a_key(t, offer):
    """Calls, and sends the two tones of the key 5 as its speech until it hangs up."""
    (t.folder / "key.alaw").write_bytes(bytes(map(audio.alaw_encode, audio.key("5", 1))))
    media = offer.replace("[media_port]", "[rtpstream_audio_port]")
    return [request("INVITE", 3, body=media), wants(100, optional=True), wants(200), ack(3),
            plays("rtp_stream", f"{t.folder / 'key.alaw'},-1,8"), pause(1500), request("BYE", 4), wants(200)]


@case("SIPp presses a key in-band, and who it talks with hears it", seconds=4)
def presses_in_band(t):
    server, callee, caller = bridge(t, holds_a_key(t, sdp()))
    since = time.monotonic()
    heard = wait_for(lambda: audio.keys_heard(callee.talker.samples(since)), 4, "the callee hears no key")
    assert heard == {"5"}, f"the callee hears the keys {heard}"
    callee.hung_up()
    caller.wait()
    server.ends()


@case("SIPp presses a key in-band without telephone-events, and we hear it once", seconds=4)
def presses_in_band_for_us(t):
    server = t.server(services=[{"number": "silence", "kind": "silence"}],
                      agents=[ANNA], queues=[{"name": "desk"}], open_to_loopback=False, sip={"digest": ["MD5"]})
    caller = t.sipp_beside(as_anna(*holds_a_key(t, sdp(codecs="8"))), "%s:%d" % server.sip, "-s", "silence", name="anna")
    told = server.happened("dtmf.received", 1)[0]["data"]
    assert (told["digit"], told["source"]) == ("5", "tones"), told
    caller.wait()
    server.ends()
    assert server.kinds().count("dtmf.received") == 1, "one press was taken for more than one"
