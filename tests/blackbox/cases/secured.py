"""Media that is encrypted (SRTP) with keys in offer and answer (SDES), by other people's phones. Who talks with them does not encrypt:
what one says, the other hears."""

from cases import interop
from cases.audio_path import Callee
from trial import case

PROGRAMS = ("baresip", "Linphone")


def secured(server, offered_by, count=1):
    """The keys that the log tells of: one leg's, and never what they are."""
    keys = [fact["data"]["keys"] for fact in server.happened("media.secured", count)]
    assert {one["offered_by"] for one in keys} == {offered_by} and {one["exchange"] for one in keys} == {"sdes"}, keys
    assert "inline:" not in str(server.facts())
    return keys


def calls(program, encrypts, transport):
    def run(t):
        callee = Callee(t, interop.OTHER)
        server = interop.desk(t, program, callee, open_to_loopback=False, tls=transport == "tls")
        phone = interop.device(t, program, server, transport=transport, encrypts=encrypts)
        phone.dial("bridge")
        callee.answer()
        phone.established()
        server.happened("call.connected")
        secured(server, "peer")
        interop.both_hear(phone, callee.talker, interop.OTHER)
        interop.holds_and_resumes(phone, server, callee.talker, interop.OTHER)
        phone.press("5")
        assert [one["data"]["digit"] for one in server.happened("dtmf.received")] == ["5"]
        phone.hang_up()
        callee.hung_up()
        assert not [fact for fact in server.facts() if fact["type"].endswith("media.unauthenticated")]
    return run


def is_called(program, encrypts, ours):
    def run(t):
        server = interop.desk(t, program, tls=True, of_agents={"media_security": ours})
        phone, _call, talker = interop.in_the_queue(t, server, program, transport="tls", encrypts=encrypts)
        secured(server, "us")
        interop.both_hear(phone, talker, interop.OTHER)
        interop.holds_and_resumes(phone, server, talker, interop.OTHER)
        phone.hang_up()
        server.ends()
    return run


for _program in PROGRAMS:
    for _encrypts in ("optional", "required"):
        case(f"{_program}, whose encryption is {_encrypts}, calls over TLS; audio both ways, holds, resumes, presses a key",
             seconds=11)(calls(_program, _encrypts, "tls"))
        case(f"{_program}, whose encryption is {_encrypts}, is called where media must be encrypted; audio both ways, holds, resumes",
             seconds=10)(is_called(_program, _encrypts, "required"))
    case(f"{_program} calls over UDP with a key that others can read, and is answered with one", seconds=11)(calls(_program, "required", "udp"))


case("baresip, whose encryption is optional, takes a key that is offered beside plain RTP", seconds=10)(is_called("baresip", "optional", "optional"))


@case("baresip, which does not encrypt, is refused where media must be encrypted", seconds=3)
def refused(t):
    server = interop.desk(t, "baresip", open_to_loopback=False, tls=True, media={"media_security": "required"})
    phone = interop.device(t, "baresip", server, transport="tls")
    phone.dial("echo")
    phone.wait_for("CALL_CLOSED")
    assert [(end["by"], end["cause"], end["sip"]) for end in server.ends()] == [("engine", "no_common_media", 488)]
