"""Calls that are recorded by command, and what can be heard in the file."""

import struct
import time
from datetime import datetime

import audio
import events
from cases import interop
from cases.audio_path import Callee
from trial import TOKEN, case, wait_for

DEVICE, OTHER = interop.DEVICE, interop.OTHER
ECHO = {"number": "echo", "kind": "echo"}


def command(server, call, body):
    status, answer = events.put_json(server.http, f"/v1/calls/{call}/recording", body, TOKEN)
    assert status == 200, answer
    return answer


def channels(server, recording):
    """What is said, and what is told, as samples."""
    status, headers, data = events.get(server.http, f"/v1/recordings/{recording}", TOKEN)
    assert status == 200 and headers["Content-Type"] == "audio/wav", (status, headers)
    assert len(data) == int(headers["Content-Length"]) == 44 + struct.unpack_from("<I", data, 40)[0]
    channels, rate = struct.unpack_from("<HI", data, 22)
    assert (channels, rate) == (2, audio.RATE), (channels, rate)
    samples = [sample / 32768 for sample in struct.unpack(f"<{(len(data) - 44) // 2}h", data[44:])]
    return samples[::2], samples[1::2]


def call_of(server):
    return server.happened("call.connected")[0]["partitionkey"]


@case("a recorded call has each party's tone in its own channel, and silence where it paused", seconds=12)
def both_channels(t):
    callee = Callee(t, OTHER)
    server = interop.desk(t, "baresip", callee, open_to_loopback=False)
    phone = interop.device(t, "baresip", server)
    phone.dial("bridge")
    callee.answer()
    phone.established()
    call = call_of(server)
    interop.both_hear(phone, callee.talker, OTHER)
    recording = command(server, call, {"basis": "prova"})["recording"]
    phone.listen(2)
    command(server, call, {"paused": True})
    phone.listen(1.5)
    command(server, call, {"paused": False})
    phone.listen(2)
    phone.hang_up()
    callee.hung_up()
    stopped = server.happened("recording.stopped")[0]["data"]
    assert stopped["recording"] == recording and stopped["why"] == "call_ended" and stopped["lost_ms"] == 0, stopped
    said, told = channels(server, recording)
    assert abs(len(said) / audio.RATE * 1000 - stopped["length_ms"]) < 1, stopped
    kinds = ("recording.started", "recording.paused", "recording.resumed")
    started, paused, resumed = (datetime.fromisoformat(server.happened(kind)[0]["time"]) for kind in kinds)
    pause, on = (paused - started).total_seconds(), (resumed - started).total_seconds()
    for channel, own, others in ((said, DEVICE, OTHER), (told, OTHER, DEVICE)):
        for start, end in ((0.3, pause - 0.1), (on + 0.3, on + 1.8)):
            parts = audio.parts(cut(channel, start, end), 0.1)
            assert len(parts) >= 12, (own, start, end, len(channel))
            for part in parts:
                assert audio.share(part, own) > 0.9 and audio.share(part, others) < 0.01, (own, start, end)
        silence = cut(channel, pause + 0.04, on - 0.04)
        assert len(silence) > audio.RATE and not any(silence), "something is heard of the pause"


@case("the two channels of a recording keep to each other from its begin to its end, also after a pause", seconds=14)
def aligned(t):
    server = t.server(services=[ECHO])
    talker = t.talker(OTHER)
    talker.speaking = False
    call = t.phone(server).call("echo", talker.port).established()
    talker.to = call.answer.media_address()
    name = server.happened("leg.connected")[0]["partitionkey"]
    recording = command(server, name, {"basis": "prova"})["recording"]

    def bursts(count):
        for _ in range(count):
            talker.speaking = True
            time.sleep(0.3)
            talker.speaking = False
            time.sleep(0.5)

    time.sleep(0.2)
    bursts(4)
    command(server, name, {"paused": True})
    bursts(1)
    command(server, name, {"paused": False})
    bursts(4)
    call.bye()
    wait_for(lambda: "recording.stopped" in server.kinds(), 5, "the recording does not end")
    said, told = channels(server, recording)
    begins = [onsets(channel) for channel in (said, told)]
    assert [len(one) for one in begins] == [8, 8], begins
    # What the caller says comes back in the same tick: 60 ms are for the two jitter buffers.
    apart = [back - out for out, back in zip(*begins)]
    assert all(abs(samples) <= 0.06 * audio.RATE for samples in apart), apart


def onsets(samples):
    """Where a tone begins after a fifth of a second of silence."""
    found, quiet = [], audio.RATE
    for at, sample in enumerate(samples):
        loud = abs(sample) > 0.02
        if loud and quiet > audio.RATE / 5:
            found.append(at)
        quiet = 0 if loud else quiet + 1
    return found


def cut(samples, start, end):
    return samples[round(start * audio.RATE) : round(end * audio.RATE)]
