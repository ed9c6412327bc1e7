"""Other people's phones that speak something else than G.711, with callers who speak nothing but that."""

from cases import interop
from cases.audio_path import Callee
from trial import case

CODECS = ("G722", "opus")


def calls(codec):
    def run(t):
        callee = Callee(t, interop.OTHER)
        server = interop.desk(t, "baresip", callee, open_to_loopback=False)
        phone = interop.device(t, "baresip", server, codec=codec)
        phone.dial("bridge")
        callee.answer()
        phone.established()
        transcoded(server, codec, "PCMA")
        interop.both_hear(phone, callee.talker, interop.OTHER)
        interop.holds_and_resumes(phone, server, callee.talker, interop.OTHER)
        phone.press("5")
        assert [one["data"]["digit"] for one in server.happened("dtmf.received")] == ["5"]
        phone.hang_up()
        callee.hung_up()
        server.ends()
    return run


def is_called(codec):
    def run(t):
        server = interop.desk(t, "baresip")
        phone, _call, talker = interop.in_the_queue(t, server, "baresip", codec=codec)
        transcoded(server, "PCMA", codec)
        interop.both_hear(phone, talker, interop.OTHER)
        interop.holds_and_resumes(phone, server, talker, interop.OTHER)
        phone.hang_up()
        server.ends()
    return run


def hears_itself(codec):
    def run(t):
        server = interop.desk(t, "baresip", open_to_loopback=False)
        phone = interop.device(t, "baresip", server, codec=codec)
        phone.dial("echo")
        phone.established()
        phone.listen(2.5)
        heard = interop.audio.heard_seconds(phone.heard(), interop.DEVICE)
        assert heard > 1.1, f"{codec}: its own tone is heard for {heard} s of 2.5"
        phone.hang_up()
        server.ends()
    return run


def transcoded(server, codec_a, codec_b):
    told = [fact["data"] for fact in server.happened("call.transcoded")]
    assert [(one["codec_a"], one["codec_b"]) for one in told] == [(codec_a, codec_b)], told


for _codec in CODECS:
    case(f"baresip, which speaks {_codec}, calls who speaks A-law; audio both ways, holds, resumes, presses a key", seconds=11)(calls(_codec))
    case(f"baresip, which speaks {_codec}, is called by who speaks A-law; audio both ways, holds, resumes", seconds=10)(is_called(_codec))
    case(f"baresip, which speaks {_codec}, hears itself from the echo", seconds=5)(hears_itself(_codec))
