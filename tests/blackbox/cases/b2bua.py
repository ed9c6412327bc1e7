"""Two sides, one of them SIPp or both: what crosses, what is refused, what is kept on each."""

from scenario import ack, asked, called, invite, pause, provisional, request, respond, sdp, wants
from trial import case, free_port

SIG = {"number": "sig", "kind": "silence"}
RINGS = respond(180, "Ringing", initial=True)
ANSWERS = respond(200, "OK", body=sdp(), initial=True, again=True)
ANNA = {"name": "anna", "password": "correct-horse", "languages": ["it"], "queues": ["desk"]}
ENDS = [asked("BYE"), respond(200, "OK")]


def called_by(t, name, steps, *arguments, to="sip:uas@127.0.0.1:{port}", services=(), **parts):
    """(the server, whose number `bridge` dials it; a SIPp callee that runs these steps)."""
    port = free_port()
    bridge = {"number": "bridge", "kind": "dial", "to": to.format(port=port)}
    server = t.server(services=[bridge, SIG, *services], **parts)
    return server, t.sipp_beside(steps, *arguments, local=port, name=name)


def calls(t, server, name, steps, user="bridge", *arguments, timeout=45):
    t.sipp(steps, server, user, *arguments, name=name, timeout=timeout)


def established(*more):
    return [invite(*more), provisional(), wants(200), ack()]


def as_anna(*after):
    """A call by an account, which is challenged, and what comes after."""
    challenged = "z9hG4bK-challenged-[call_number]-[pid]"
    return [invite(key=challenged), wants(100, optional=True), wants(401, auth=True), ack(key=challenged),
            invite(["[authentication username=anna password=correct-horse]"], number=2), provisional(), wants(200), ack(2),
            *after]


def causes(server, count=1):
    return [(end["by"], end["cause"]) for end in server.ends(count)]


@case("both parties hang up at the same moment: each BYE is answered, and the call has one end")
def bye_glare(t):
    server, callee = called_by(t, "callee", [
        called(), ANSWERS, asked("ACK"), asked("BYE"), request("BYE", 1, callee=True), wants(200),
    ])
    # The callee's BYE crosses ours: it has not answered ours yet. Its call ends all the same.
    calls(t, server, "caller", [*established(), request("BYE", 2), wants(200)])
    callee.wait()
    assert causes(server) == [("caller", "hung_up")]


@case("the callee's BYE crosses the caller's: both get 200")
def bye_crosses(t):
    server, callee = called_by(t, "callee", [
        called(), ANSWERS, asked("ACK"), request("BYE", 1, callee=True), wants(200)])
    calls(t, server, "caller", [
        *established(), asked("BYE"), request("BYE", 2), wants(200)])
    callee.wait()
    assert causes(server) == [("callee", "hung_up")]


@case("the callee holds and takes back, and the caller is not asked anything")
def callee_reinvites(t):
    server, callee = called_by(t, "callee", [
        called(), ANSWERS, asked("ACK"),
        request("INVITE", 1, body=sdp("sendonly", 2), callee=True), wants(100, optional=True),
        wants(200, body="a=recvonly"), ack(1, callee=True),
        request("INVITE", 2, body=sdp("sendrecv", 3), callee=True), wants(100, optional=True),
        wants(200, body="a=sendrecv"), ack(2, callee=True), request("BYE", 3, callee=True), wants(200)])
    calls(t, server, "caller", [*established(), *ENDS])
    callee.wait()
    assert causes(server) == [("callee", "hung_up")]
    assert [kind for kind in server.kinds() if kind in ("leg.held", "leg.resumed")] == ["leg.held", "leg.resumed"]


@case("a callee's re-INVITE with nothing that we speak gets 488, and the call goes on")
def callee_reinvite_refused(t):
    server, callee = called_by(t, "callee", [
        called(), ANSWERS, asked("ACK"),
        request("INVITE", 1, body=sdp(version=2, codecs="18"), callee=True, key="z9hG4bK-refused-[call_number]-[pid]"),
        wants(100, optional=True), wants(488),
        ack(1, callee=True, key="z9hG4bK-refused-[call_number]-[pid]"), request("BYE", 2, callee=True), wants(200)])
    calls(t, server, "caller", [*established(), *ENDS])
    callee.wait()
    assert causes(server) == [("callee", "hung_up")]


@case("an offer that crosses ours gets 491, and one after our offer is answered is taken")
def glare(t):
    server = t.server(services=[SIG])
    crossing = "z9hG4bK-crossing-[call_number]-[pid]"
    calls(t, server, "caller", [
        invite(body=""), provisional(), wants(200, body="m=audio"),
        request("INVITE", 2, body=sdp(version=2), key=crossing), wants(100, optional=True), wants(491),
        ack(2, key=crossing), ack(1, body=sdp()),
        request("INVITE", 3, body=sdp(version=3)), wants(100, optional=True), wants(200), ack(3),
        request("BYE", 4), wants(200)], "sig")
    assert causes(server) == [("caller", "hung_up")]


@case("the operator challenges our INVITE: it is sent again with the trunk's credentials")
def challenged_by_the_trunk(t):
    port = free_port()
    challenge = 'Proxy-Authenticate: Digest realm="operator.example", nonce="n1", algorithm=MD5, qop="auth"'
    callee = t.sipp_beside([
        called(), respond(407, "Proxy Authentication Required", [challenge], initial=True), asked("ACK"),
        called(Proxy_Authorization='username="desk".*realm="operator.example"'),
        RINGS, ANSWERS, asked("ACK"), *ENDS], local=port, name="callee")
    trunk = {"name": "operator", "address": f"udp:127.0.0.1:{port}", "user": "desk", "password": "secret",
             "probe": "0s"}
    service = {"number": "out", "kind": "dial", "to": "+390612345678", "trunk": "operator"}
    server = t.server(services=[service], trunks=[trunk])
    calls(t, server, "caller", [*established(), request("BYE", 2), wants(200)], "out")
    callee.wait()
    assert causes(server) == [("caller", "hung_up")]


@case("a callee that refuses is the script's failure route: the next one is called, and answers")
def failure_route(t):
    refuses, answers = free_port(), free_port()
    first = t.sipp_beside([called(), respond(503, "Service Unavailable", initial=True), asked("ACK")],
                          local=refuses, name="refuses")
    second = t.sipp_beside([called(), RINGS, ANSWERS, asked("ACK"), request("BYE", 1, callee=True), wants(200)],
                           local=answers, name="answers")
    folder = t.folder / "scripts" / "through"
    (folder / "phrases").mkdir(parents=True)
    (folder / "phrases" / "it.toml").write_text('please_wait = "Attenda."\n')
    (folder / "flow.toml").write_text(
        'title = "Two ways"\nlanguages = ["it"]\nstart = "one"\n'
        f'[one]\ntransfer = "sip:uas@127.0.0.1:{refuses}"\non.failed = "two"\n'
        f'[two]\ntransfer = "sip:uas@127.0.0.1:{answers}"\n')
    server = t.server(services=[{"number": "through", "script": "through"}], scripts=t.folder / "scripts")
    calls(t, server, "caller", [*established(), *ENDS], "through")
    first.wait(), second.wait()
    assert [event["data"]["sip"] for event in server.happened("transfer.failed")] == [503]
    server.happened("transfer.completed")
    server.ends()


@case("a 200 from a second branch of a fork is acknowledged and hung up; the first is the call")
def forked(t):
    other = "[pid]other[call_number]"
    server, callee = called_by(t, "callee", [
        called(), ANSWERS, asked("ACK"), respond(200, "OK", body=sdp(), initial=True, tag=other), asked("ACK"),
        asked("BYE", To=f"tag=.*other"), respond(200, "OK"), request("BYE", 1, callee=True), wants(200)])
    calls(t, server, "caller", [*established(), *ENDS])
    callee.wait()
    assert causes(server) == [("callee", "hung_up")]


@case("Record-Route comes back in the 200, and our BYE has it as its Route")
def routes(t):
    route = "<sip:127.0.0.1:[local_port];lr>"
    server, callee = called_by(t, "callee", [
        called(), ANSWERS, asked("ACK"), request("BYE", 1, callee=True), wants(200)])
    calls(t, server, "caller", [
        invite([f"Record-Route: {route}"]), provisional(), wants(200, Record_Route="127.0.0.1:.*lr"), ack(),
        asked("BYE", Route="127.0.0.1:.*lr"), respond(200, "OK")])
    callee.wait()
    assert causes(server) == [("callee", "hung_up")]


@case("what is asked of one of our addresses is answered from it, and names it")
def multihomed(t):
    port = free_port()
    places = [("127.0.0.1", port), ("127.0.0.2", port)]
    server = t.server(services=[SIG], sip={"listen": [f"udp:{host}:{at}" for host, at in places]}, at=places[0])
    for place in places:
        phone = t.phone(server)
        phone.server = place
        call = phone.call("sig").established()
        assert call.answer.source == place, f"asked at {place}, answered by {call.answer.source}"
        assert f"@{place[0]}" in call.answer.contact_uri() or call.answer.contact_uri().startswith(f"sip:{place[0]}"), \
            call.answer.contact_uri()
        call.bye()
    server.ends(2)


@case("an INVITE of ours that is too long for UDP goes by TCP")
def oversized(t):
    long = "x" * 1300
    server, callee = called_by(t, "callee", [called(Via="TCP"), ANSWERS, asked("ACK"), *ENDS], "-t", "t1",
                               to=f"sip:uas{long}@127.0.0.1:{{port}}")
    calls(t, server, "caller", [*established(), request("BYE", 2), wants(200)])
    callee.wait()
    assert causes(server) == [("caller", "hung_up")]


@case("an INVITE of 9 kB comes over TCP and is answered")
def long_request(t):
    server = t.server(services=[SIG])
    more = [f"X-Long-{at}: {'y' * 900}" for at in range(9)]
    calls(t, server, "caller", [invite(more), provisional(), wants(200), ack(), request("BYE", 2), wants(200)], "sig",
          "-t", "t1")
    assert causes(server) == [("caller", "hung_up")]


@case("header fields that nobody knows change nothing, and do not cross")
def custom_headers(t):
    server, callee = called_by(t, "callee", [called(), RINGS, ANSWERS, asked("ACK"), *ENDS])
    calls(t, server, "caller", [invite(["X-Secret: of the caller's side", "Subject: help"]), provisional(), wants(200), ack(),
                                request("BYE", 2), wants(200)])
    callee.wait()
    sent = (t.folder / "callee.messages.log").read_text()
    assert "X-Secret" not in sent, "a header field of the caller's side was told to the other side"
    server.ends()


@case("one call more than the limit gets 503, and the next one is taken again")
def too_many(t):
    server = t.server(services=[SIG], limits={"calls": 1})
    phone = t.phone(server)
    call = phone.call("sig").established()
    assert phone.call("sig").invite().final().status == 503
    call.bye()
    server.happened("call.ended")
    phone.call("sig").established().bye()


def transferring(t, carol_does):
    """(the server, a SIPp bob who answers `bridge`, a SIPp carol who is the number `carol`)."""
    port = free_port()
    carol = {"number": "carol", "kind": "dial", "to": f"sip:carol@127.0.0.1:{port}"}
    server, bob = called_by(t, "bob", [called(), ANSWERS, asked("ACK"), *ENDS], services=[carol], agents=[ANNA],
                            queues=[{"name": "desk"}], open_to_loopback=False, sip={"digest": ["MD5"]})
    return server, bob, t.sipp_beside(carol_does, local=port, name="carol")


def notified(status):
    return [asked("NOTIFY", body=f"SIP/2.0 {status}"), respond(200, "OK")]


REFER = request("REFER", 3, ["Refer-To: <sip:carol@127.0.0.1>"])


@case("an account's REFER is accepted: bob talks with carol, and anna is told and let go")
def refer_accepted(t):
    server, bob, carol = transferring(t, [called(), ANSWERS, asked("ACK"), request("BYE", 1, callee=True), wants(200)])
    calls(t, server, "anna", as_anna(REFER, wants(202), *notified(100), *notified(200), *ENDS), "bridge",
          "-au", "anna", "-ap", "correct-horse")
    bob.wait(), carol.wait()
    server.happened("transfer.completed")
    server.ends()


@case("carol is busy: anna is told 486, and talks on with bob")
def refer_to_busy(t):
    server, bob, carol = transferring(t, [called(), respond(486, "Busy Here", initial=True), asked("ACK")])
    calls(t, server, "anna", as_anna(REFER, wants(202), *notified(100), *notified(486), request("BYE", 4), wants(200)),
          "bridge", "-au", "anna", "-ap", "correct-horse")
    bob.wait(), carol.wait()
    server.happened("transfer.failed")
    assert causes(server) == [("caller", "hung_up")]


@case("a REFER of somebody who is no account gets 603, and the call goes on")
def refer_refused(t):
    server, callee = called_by(t, "callee", [called(), ANSWERS, asked("ACK"), *ENDS])
    calls(t, server, "caller", [*established(), request("REFER", 2, ["Refer-To: <sip:sig@127.0.0.1>"]), wants(603),
                                request("BYE", 3), wants(200)])
    callee.wait()
    assert causes(server) == [("caller", "hung_up")]


@case("early media of the callee is heard by the caller before the answer")
def early_media(t):
    server, callee = called_by(t, "callee", [
        called(), respond(183, "Session Progress", body=sdp(), initial=True), pause(500), ANSWERS, asked("ACK"), *ENDS])
    calls(t, server, "caller", [invite(), wants(100, optional=True), wants(180, optional=True), wants(183, body="m=audio"),
                                wants(200), ack(), request("BYE", 2), wants(200)])
    callee.wait()
    server.happened("leg.early_media")
    server.ends()


@case("a caller that requires 100rel is rung reliably; its PRACK gets 200, and so does the call")
def reliable_to_the_caller(t):
    server, callee = called_by(t, "callee", [called(), RINGS, pause(700), ANSWERS, asked("ACK"), *ENDS])
    calls(t, server, "caller", [
        invite(["Supported: 100rel", "Require: 100rel"]), wants(100, optional=True),
        wants(180, RSeq="[0-9]+", Require="100rel"), request("PRACK", 2, ["RAck: [$c0] 1 INVITE"]), wants(200), wants(200),
        ack(), request("BYE", 3), wants(200)])
    callee.wait()
    assert causes(server) == [("caller", "hung_up")]


@case("a callee that rings reliably gets our PRACK for each answer, and is connected")
def reliable_from_the_callee(t):
    rings = lambda number: respond(180, "Ringing", ["Require: 100rel", f"RSeq: {number}"], initial=True, again=True)
    server, callee = called_by(t, "callee", [
        called(Supported="100rel"), rings(7), asked("PRACK", RAck="^ *7 [0-9]+ INVITE"), respond(200, "OK"),
        rings(8), asked("PRACK", RAck="^ *8 [0-9]+ INVITE"), respond(200, "OK"), ANSWERS, asked("ACK"), *ENDS])
    calls(t, server, "caller", [*established(), request("BYE", 2), wants(200)])
    callee.wait()
    assert causes(server) == [("caller", "hung_up")]


@case("UPDATE holds and takes back as a re-INVITE does, without one")
def update(t):
    server = t.server(services=[SIG])
    calls(t, server, "caller", [
        *established(), request("UPDATE", 2, body=sdp("sendonly", 2)), wants(200, body="a=recvonly"),
        request("UPDATE", 3, body=sdp("sendrecv", 3)), wants(200, body="a=sendrecv"), request("BYE", 4), wants(200)], "sig")
    assert causes(server) == [("caller", "hung_up")]
    assert [kind for kind in server.kinds() if kind in ("leg.held", "leg.resumed")] == ["leg.held", "leg.resumed"]


@case("a session timer that is too short gets 422 with ours; one that is long enough is agreed, and refreshed by UPDATE")
def session_timer(t):
    server = t.server(services=[SIG])
    short = "z9hG4bK-short-[call_number]-[pid]"
    timer = lambda seconds: ["Supported: timer", f"Session-Expires: {seconds};refresher=uac"]
    calls(t, server, "caller", [
        invite([*timer(60), "Min-SE: 60"], key=short), wants(100, optional=True), wants(422, Min_SE="90"), ack(key=short),
        invite([*timer(90), "Min-SE: 90"], number=2), provisional(), wants(200, Session_Expires="90.*refresher=uac"), ack(2),
        request("UPDATE", 3, timer(90)), wants(200, Session_Expires="90.*refresher=uac"), request("BYE", 4), wants(200)],
        "sig")
    server.happened("call.ended")


@case("we refresh in half of the time by re-INVITE; a 491 is tried again, and the call goes on (slow)", seconds=55)
def refresh_glare(t):
    server = t.server(services=[SIG])
    calls(t, server, "caller", [
        invite(["Supported: timer", "Session-Expires: 90;refresher=uas", "Allow: INVITE, ACK, BYE, CANCEL"]), provisional(),
        wants(200, Session_Expires="90.*refresher=uas"), ack(),
        asked("INVITE", Session_Expires="90"), respond(491, "Request Pending"), asked("ACK"),
        asked("INVITE"), respond(200, "OK", ["Require: timer", "Session-Expires: 90;refresher=uac"], sdp(version=2), again=True),
        asked("ACK"), request("BYE", 2), wants(200)], "sig", timeout=70)
    assert causes(server) == [("caller", "hung_up")]
