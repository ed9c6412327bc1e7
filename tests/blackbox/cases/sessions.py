"""Calls as signalling: every order in which INVITE, ACK, CANCEL and BYE can come."""

import time

import sip
from trial import case, free_port

SIG = {"number": "sig", "kind": "silence"}
PLAY = {"number": "play", "kind": "play", "sound": "moh/calm"}


def simple(t):
    return t.server(services=[SIG, PLAY])


def bridging(t, scenario, *arguments):
    """A server whose number `bridge` dials a SIPp callee that behaves as its scenario says."""
    port = free_port()
    server = t.server(services=[{"number": "bridge", "kind": "dial", "to": f"sip:uas@127.0.0.1:{port}"}])
    return server, t.sipp_beside(scenario, *arguments, local=port)


@case("SIPp calls, talks and hangs up over UDP")
def basic_udp(t):
    server = simple(t)
    t.sipp("basic_call", server, "sig", "-d", 300)
    t.sipp("basic_call", server, "play", "-d", 300, name="basic_call_play")
    assert [(end["by"], end["cause"]) for end in server.ends(2)] == [("caller", "hung_up")] * 2


@case("SIPp calls, talks and hangs up over TCP")
def basic_tcp(t):
    server = simple(t)
    t.sipp("basic_call", server, "sig", "-t", "t1", "-d", 300)
    assert [(end["by"], end["cause"]) for end in server.ends()] == [("caller", "hung_up")]


@case("200 calls at 50 a second all succeed and leave nothing behind", seconds=8)
def many(t):
    server = simple(t)
    t.sipp("basic_call", server, "sig", "-m", 200, "-r", 50, "-d", 500)
    server.ends(200)


@case("calls survive a network that loses one message in ten", seconds=15)
def lossy(t):
    server = simple(t)
    t.sipp("basic_call", server, "sig", "-m", 30, "-r", 10, "-d", 300, "-lost", 10,
           "-max_invite_retrans", 8, "-max_non_invite_retrans", 10)
    # If its last ACK and BYE are lost, SIPp is gone before it repeats them: such a call ends when the answer has been
    # repeated for 32 s.
    server.happened("call.ended", 30, timeout=45.0)
    server.ends(30)


@case("an INVITE that is sent again is the same call and gets the same 200")
def retransmitted_invite(t):
    server = simple(t)
    phone = t.phone(server)
    call = phone.call("sig").invite()
    first = call.final()
    for _ in range(3):
        call.invite()
    again = phone.expect(lambda message: call.about(message, "INVITE") and message.status == 200)
    assert (again.to_tag(), again.body) == (first.to_tag(), first.body), "the second 200 is another one"
    call.ack()
    call.bye()
    server.ends()


@case("an INVITE that is sent again while it rings gets the last provisional answer again")
def retransmitted_while_ringing(t):
    server, callee = bridging(t, "callee_cancelled")
    phone = t.phone(server)
    call = phone.call("bridge").invite()
    ringing = lambda message: call.about(message, "INVITE") and message.status == 180
    phone.expect(ringing)
    call.invite()
    phone.expect(ringing)
    call.cancel()
    assert call.final().status == 487
    callee.wait()


@case("a late ACK confirms the call")
def late_ack(t):
    server = simple(t)
    t.sipp("late_ack", server, "sig")
    assert [end["cause"] for end in server.ends()] == ["hung_up"]


@case("an answer that is never acknowledged is repeated at growing intervals, then hung up (slow)", seconds=40)
def lost_ack(t):
    server = simple(t)
    phone = t.phone(server)
    call = phone.call("sig").invite()
    times, bye = [], None
    end = time.monotonic() + 45
    while bye is None and time.monotonic() < end:
        message = phone.receive(1.0)
        if message and message.method == "BYE":
            bye = message
        elif message and call.about(message, "INVITE") and message.status == 200:
            times.append(message.at)
    assert bye is not None, f"no BYE within 45 s after {len(times)} times 200"
    phone.send(sip.answer(bye, 200, "OK"))
    gaps = [after - before for before, after in zip(times, times[1:])]
    expected = [0.5, 1, 2, 4, 4, 4, 4, 4, 4, 4]
    assert len(gaps) == len(expected), f"RFC 3261 13.3.1.4 repeats {len(expected)} times; gaps were {gaps}"
    wrong = [(gap, wanted) for gap, wanted in zip(gaps, expected) if abs(gap - wanted) > 0.2]
    assert not wrong, f"gaps and what RFC 3261 asks for: {wrong}"
    assert 31 < bye.at - times[0] < 34, f"BYE came after {bye.at - times[0]:.1f} s, not 32"
    assert [end["cause"] for end in server.ends()] == ["not_acknowledged"]


@case("CANCEL while the callee rings: 200, 487, and the callee is cancelled")
def cancel_ringing(t):
    server, callee = bridging(t, "callee_cancelled")
    t.sipp("cancel_ringing", server, "bridge")
    callee.wait()
    assert [(end["by"], end["cause"]) for end in server.ends()] == [("caller", "cancelled")]


@case("the callee's 200 crosses our CANCEL: it is acknowledged and hung up, the caller gets 487")
def cancel_crosses_answer(t):
    server, callee = bridging(t, "callee_answers_cancel")
    t.sipp("cancel_ringing", server, "bridge")
    callee.wait()
    server.ends()


@case("CANCEL that crosses our 200 is answered, and the call is ended by BYE or by 487, never both")
def cancel_at_once(t):
    server = simple(t)
    phone = t.phone(server)
    for _ in range(20):
        call = phone.call("sig").invite()
        call.cancel()
        final = call.final()
        assert final.status in (200, 487), final
        if final.status == 200:
            call.ack()
            call.bye()
        to_cancel = [m for m in phone.seen if call.about(m, "CANCEL")] or [
            phone.expect(lambda message: call.about(message, "CANCEL"))]
        assert to_cancel[0].status in (200, 481), to_cancel
    server.ends(20)


@case("CANCEL after the 200 changes nothing")
def cancel_after_answer(t):
    server = simple(t)
    t.sipp("cancel_after_answer", server, "sig")
    assert [end["cause"] for end in server.ends()] == ["hung_up"]


@case("BYE together with the ACK ends the call")
def bye_at_once(t):
    server = simple(t)
    t.sipp("bye_at_once", server, "play")
    assert [end["cause"] for end in server.ends()] == ["hung_up"]


@case("BYE instead of the ACK ends the call too")
def bye_without_ack(t):
    server = simple(t)
    call = t.phone(server).call("sig").invite()
    assert call.final().status == 200
    call.bye()
    call.phone.silent_for(1.2, lambda message: message.status == 200)
    assert [end["cause"] for end in server.ends()] == ["hung_up"]


@case("the same BYE twice is answered twice; another one afterwards gets 481")
def bye_twice(t):
    server = simple(t)
    t.sipp("bye_again", server, "sig")
    phone = t.phone(server)
    call = phone.call("sig").established()
    bye = call.bye_text()
    assert [phone.answer_to(bye).status for _ in range(3)] == [200] * 3
    server.ends(2)


@case("hold is answered recvonly, resume sendrecv, inactive inactive; a held call can be hung up")
def hold(t):
    server = simple(t)
    t.sipp("hold", server, "play")
    server.ends()
    kinds = server.kinds()
    assert [kind for kind in kinds if kind in ("leg.held", "leg.resumed")] == ["leg.held", "leg.resumed", "leg.held"]


@case("a re-INVITE with nothing that we speak is refused with 488, and the call goes on")
def unacceptable_reinvite(t):
    server = simple(t)
    t.sipp("reinvite_unacceptable", server, "play")
    assert [end["cause"] for end in server.ends()] == ["hung_up"]


@case("a call with nothing that we speak is refused with 488")
def unacceptable_call(t):
    server = simple(t)
    phone = t.phone(server)
    assert phone.call("sig", offer=sip.sdp(9, codecs=[18])).invite().final().status == 488
    assert [end["cause"] for end in server.ends()] == ["no_common_media"]


@case("an INVITE without an offer gets ours in the 200")
def no_offer(t):
    server = simple(t)
    phone = t.phone(server)
    call = phone.call("sig")
    text = call.message("INVITE", number=call.number, branch=call.branch, tagged=False)
    phone.send(text)
    final = call.final()
    assert final.status == 200 and final.media_address()[1] > 0, final.body
    ack = call.message("ACK", sip.sdp(9, codecs=[8]), number=call.number, branch=sip.branch(),
                       target=final.contact_uri())
    phone.send(ack)
    call.bye()


@case("two callers' dialogs are two, though all but the tags is the same")
def merged_tags(t):
    server = simple(t)
    phones = t.phone(server, "one"), t.phone(server, "two")
    calls = [phone.call("sig").established() for phone in phones]
    assert calls[0].remote.to_tag() != calls[1].remote.to_tag()
    stolen = calls[0].bye_text().replace(f"tag={calls[0].remote.to_tag()}", "tag=guessed")
    assert phones[1].answer_to(stolen).status == 481, "a BYE with a guessed tag ended somebody's call"
    for call in calls:
        call.bye()


@case("a busy callee is a busy call")
def busy(t):
    server, callee = bridging(t, "callee_busy")
    assert t.phone(server).call("bridge").invite().final().status == 486
    callee.wait()
    assert [(end["cause"], end["sip"]) for end in server.ends()] == [("busy", 486)]


@case("a callee that answers is connected, and hung up when the caller hangs up")
def bridged(t):
    server, callee = bridging(t, "callee_answers")
    t.sipp("basic_call", server, "bridge", "-d", 500)
    callee.wait()
    server.happened("call.connected")
    assert [(end["by"], end["cause"]) for end in server.ends()] == [("caller", "hung_up")]


@case("when the callee hangs up, so do we towards the caller")
def callee_hangs_up(t):
    server, callee = bridging(t, "callee_hangs_up", "-d", "500")
    phone = t.phone(server)
    phone.call("bridge").established()
    bye = phone.expect(lambda message: message.method == "BYE")
    phone.send(sip.answer(bye, 200, "OK"))
    callee.wait()
    assert [(end["by"], end["cause"]) for end in server.ends()] == [("callee", "hung_up")]


@case("a callee that is not there ends the call with a reason, and the caller is told within 40 s (slow)", seconds=36)
def nobody_there(t):
    server = t.server(services=[{"number": "bridge", "kind": "dial", "to": f"sip:uas@127.0.0.1:{free_port()}"}])
    final = t.phone(server).call("bridge").invite().final(timeout=40)
    assert final.status in (408, 480, 503, 504), final
    assert [end["cause"] for end in server.ends()][0] in ("peer_timeout", "unreachable", "no_answer")


@case("SIGTERM drains: no new call; a second one ends the calls and the program, with 0 and a fact that says why")
def terminated(t):
    server = simple(t)
    phone = t.phone(server)
    phone.call("sig").established()
    server.happened("leg.connected")
    server.process.terminate()
    server.happened("system.stopping")
    assert phone.call("sig").invite().final().status == 503, "a call was taken while draining"
    server.process.terminate()
    assert server.ended(15) == 0, server.said()
    server.start()
    causes = [event["data"]["end"]["cause"] for event in server.happened("call.ended", 2)]
    assert causes == ["capacity", "shutting_down"] or causes == ["shutting_down"] * 2, causes
