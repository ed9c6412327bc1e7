"""Pages in browsers: SIP over WebSockets; ICE, DTLS-SRTP and the ears by stacks that are not ours, aiortc and Chromium."""

import time

import audio
import chromium
from cases import interop
from page import Page, aiortc_media
from trial import case

AGENT, CALLER = 1000, 600  # Hz
SERVICES = [{"number": "echo", "kind": "echo"}]
STACKS = {"aiortc": aiortc_media, "Chromium": chromium.Media}


def keys(server, offered_by, count=1):
    told = [fact["data"]["keys"] for fact in server.happened("media.secured", count)]
    assert {one["exchange"] for one in told} == {"dtls"} and {one["offered_by"] for one in told} == {offered_by}, told


def calls(stack):
    def run(t):
        server = t.server(services=SERVICES, ws=True)
        page = Page(t, server, hertz=AGENT, media=STACKS[stack])
        call = page.dial("echo")
        page.media.connected()
        page.media.until_heard(AGENT)
        keys(server, "peer")
        assert ":" in server.happened("media.path_found")[0]["data"]["at"]
        call.bye()
        assert [end["by"] for end in server.ends()] == ["caller"]
    return run


def is_called(stack):
    def run(t):
        server = interop.desk(t, "baresip", ws=True)
        page = Page(t, server, "anna", AGENT, interop.PASSWORD, STACKS[stack])
        page.register()
        talker = t.talker(CALLER)
        call = t.phone(server, "caller").call("desk", talker.port).established()
        talker.to = call.answer.media_address()
        page.takes(page.rung())
        server.happened("call.connected")
        page.media.until_heard(CALLER)
        talker.until_heard(AGENT)
        keys(server, "us")
        call.bye()
        assert [end["by"] for end in server.ends()] == ["caller"]
    return run


for _stack in STACKS:
    case(f"a page ({_stack}) calls and hears itself; its way and its keys are in the log", seconds=8)(calls(_stack))
    case(f"a page ({_stack}) is an agent's device: rung by a queue, it and the caller hear each other", seconds=9)(is_called(_stack))


@case("an agent's page that is loaded anew takes its call back while the caller is asked to wait", seconds=14)
def loaded_anew(t):
    server = interop.desk(t, "baresip", ws=True)
    page = Page(t, server, "anna", AGENT, interop.PASSWORD)
    page.register()
    talker = t.talker(CALLER)
    call = t.phone(server, "caller").call("desk", talker.port).established()
    talker.to = call.answer.media_address()
    page.takes(invite := page.rung())
    talker.until_heard(AGENT)
    page.flow.close()
    page.media.close()
    server.happened("leg.lost")
    talker.until_music(but_not=AGENT)
    again = Page(t, server, "anna", AGENT, interop.PASSWORD)
    again.register()
    again.takes_back(invite)
    again.media.until_heard(CALLER)
    talker.until_heard(AGENT)
    assert server.happened("leg.taken_back")[0]["data"]["after_ms"] < 15_000
    call.bye()
    assert [end["by"] for end in server.ends()] == ["caller"]


@case("a page that calls hears a prompt from its first frame", seconds=6)
def from_the_beginning(t):
    (t.folder / "more" / "moh").mkdir(parents=True)
    audio.write_wav(t.folder / "more" / "moh" / "beginning.wav", audio.tone(AGENT, 0.6) + audio.tone(CALLER, 3))
    server = t.server(services=[{"number": "play", "kind": "play", "sound": "moh/beginning"}], ws=True, sounds=t.folder / "more")
    page = Page(t, server)
    call = page.dial("play")
    page.media.until_heard(CALLER)
    heard = page.media.samples()
    assert audio.heard_seconds(heard, AGENT) >= 0.5, "the beginning is cut off"
    call.bye()
    server.ends()


@case("a page (Chromium) that restarts ICE is found anew and goes on with the keys that it has", seconds=8)
def restarts(t):
    server = t.server(services=SERVICES, ws=True)
    page = Page(t, server, hertz=AGENT, media=chromium.Media)
    call = page.dial("echo")
    page.media.until_heard(AGENT)
    again = call.within("INVITE", page.media.offer(restart=True))
    assert again.status == 200, again
    page.media.answered(again.body)
    assert len(server.happened("media.path_found", 2)) == 2
    time.sleep(1)
    page.media.until_heard(AGENT)
    assert server.settled().count("media.secured") == 1, "the keys are those of before"
    call.bye()
    server.ends()
