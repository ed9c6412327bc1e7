"""Telephones in pages, by the libraries that such pages are made with, in Chromium: what docs/browsers.md shows does what it says."""

import audio
import sip
from cases import interop
from softphone import SIPJS, Softphone
from trial import case

AGENT, CALLER = 1000, 600  # Hz
SILENT = 0.001


def desk(t, **parts):
    return interop.desk(t, "baresip", wss=True, open_to_loopback=True, **parts)


def page(t, server, script=None, **options):
    return Softphone(t, server, AGENT, interop.PASSWORD, script, **options).registered(server)


def rung(t, server, anna, ringing="session && session.isInProgress()", hertz=CALLER):
    """A caller of the queue's, whom the page has answered."""
    talker = t.talker(hertz)
    call = t.phone(server, "caller").call("desk", talker.port).established()
    talker.to = call.answer.media_address()
    anna.until(ringing, "it is not rung")
    anna.does("answer()")
    server.happened("call.connected")
    return call, talker


def both_hear(anna, talker, hertz=CALLER):
    anna.until_heard(hertz)
    talker.until_heard(AGENT, timeout=10)


def holds_and_is_muted(server, anna, talker):
    anna.does("hold()")
    server.happened("leg.held")
    talker.until_music(but_not=AGENT)
    anna.does("resume()")
    server.happened("leg.resumed")
    both_hear(anna, talker)
    anna.does("mute()")
    talker.until(lambda part: audio.level(part) < SILENT, "the page is muted, and still heard", 5)
    for _ in range(5):
        assert audio.heard_seconds(audio.listen(0.3, talker), AGENT) == 0, "the page is muted, and still heard"
    anna.does("unmute()")
    both_hear(anna, talker)


def is_loaded_anew(server, anna, talker):
    anna.loads_anew()
    server.happened("media.secured", 2, timeout=15)
    # It may be there again before it is missed.
    assert [event["data"]["end"]["cause"] for event in server.happened("leg.ended")] == ["transferred"]
    both_hear(anna, talker)


def leaves(server, call, anna):
    anna.does("hangUp()")
    bye = call.phone.expect(lambda message: message.method == "BYE")
    call.phone.send(sip.answer(bye, 200, "OK"))
    assert [(end["by"], end["cause"]) for end in server.ends()] == [("callee", "hung_up")]
    assert not (faults := anna.says("faults")), faults


@case("the guide's page (JsSIP in Chromium, by wss) is rung by a queue, answers, holds, resumes, mutes itself and hangs up", seconds=18)
def jssip_is_called(t):
    server = desk(t)
    anna = page(t, server)
    call, talker = rung(t, server, anna)
    both_hear(anna, talker)
    holds_and_is_muted(server, anna, talker)
    leaves(server, call, anna)


@case("the guide's page (JsSIP) calls, is heard, presses keys as tones of events and as INFO, and hangs up", seconds=14)
def jssip_calls(t):
    server = desk(t)
    presses_keys(server, page(t, server))


def presses_keys(server, anna):
    anna.does('call("echo")')
    anna.until_heard(AGENT)
    for key in "5#":
        anna.does(f'press("{key}")')
    told = [event["data"] for event in server.happened("dtmf.received", 2)]
    assert [(one["digit"], one["source"]) for one in told] == [("5", "4733"), ("#", "4733")], told
    # As JsSIP sends them unless told otherwise.
    anna.run('session.sendDTMF("7")')
    last = server.happened("dtmf.received", 3)[-1]["data"]
    assert (last["digit"], last["source"]) == ("7", "info"), last
    anna.does("hangUp()")
    assert [(end["by"], end["cause"]) for end in server.ends()] == [("caller", "hung_up")]
    assert not (faults := anna.says("faults")), faults


@case("the guide's page (JsSIP) hands its caller to a colleague", seconds=14)
def jssip_transfers(t):
    server = desk(t)
    anna = page(t, server)
    call, talker = rung(t, server, anna, hertz=interop.OTHER)
    anna.until_heard(interop.OTHER)
    callee = interop.colleague(t, server)
    anna.does('transfer("bruno")')
    callee.answer()
    server.happened("transfer.completed")
    anna.until("session.isEnded()", "it has handed its call over and is still in it")
    interop.now_talk(call, talker, callee)
    server.ends()


@case("the guide's page (JsSIP) that is loaded anew takes its call back with its ticket", seconds=16)
def jssip_loaded_anew(t):
    server = desk(t)
    anna = page(t, server)
    call, talker = rung(t, server, anna)
    both_hear(anna, talker)
    is_loaded_anew(server, anna, talker)
    holds_and_is_muted(server, anna, talker)
    leaves(server, call, anna)


@case("a page of SIP.js, by wss, is rung by a queue, answers, holds, resumes, mutes itself and hangs up", seconds=18)
def sipjs_is_called(t):
    server = desk(t)
    anna = page(t, server, SIPJS)
    call, talker = rung(t, server, anna, "ringing")
    both_hear(anna, talker)
    holds_and_is_muted(server, anna, talker)
    leaves(server, call, anna)


@case("a page of SIP.js calls, is heard, presses a key and hangs up", seconds=12)
def sipjs_calls(t):
    server = desk(t)
    anna = page(t, server, SIPJS)
    anna.does('call("echo")')
    anna.until_heard(AGENT)
    anna.does('press("5")')
    told = server.happened("dtmf.received")[0]["data"]
    assert told["digit"] == "5", told
    anna.does("hangUp()")
    assert [(end["by"], end["cause"]) for end in server.ends()] == [("caller", "hung_up")]
