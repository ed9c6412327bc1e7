"""Operators' lines, played by SIPp: which is called, which follows it, and which has no room."""

from scenario import ack, asked, called, invite, pause, provisional, request, respond, sdp, wants
from trial import case, free_port

OUT = {"number": "out", "kind": "dial", "to": "+390612345678"}
SIG = {"number": "sig", "kind": "silence"}
RINGS = respond(180, "Ringing", initial=True)
ANSWERS = respond(200, "OK", body=sdp(), initial=True, again=True)
TAKES = [called(), RINGS, ANSWERS, asked("ACK"), asked("BYE"), respond(200, "OK")]
TALKS = [invite(), provisional(), wants(200), ack(), pause(300), request("BYE", 2), wants(200)]
ROUTE = {"name": "all", "trunks": ["first", "second"]}


def line(name, port, **more):
    return {"name": name, "address": f"udp:127.0.0.1:{port}", "probe": "0s", **more}


def routed(server):
    """The trunks that were tried, and those that were passed over for each."""
    passed = lambda data: [(over["trunk"], over["why"]) for over in data.get("passed_over", [])]
    return [(event["data"]["trunk"], passed(event["data"])) for event in server.happened("leg.routed")]


def passed_on(t, first, **more):
    """A call by a route whose first trunk runs these steps (nobody is there if there are none) and whose second takes it.
    `more` is written of the first."""
    ports = free_port(), free_port()
    failing = t.sipp_beside(first, local=ports[0], name="first") if first else None
    taking = t.sipp_beside(TAKES, local=ports[1], name="second")
    server = t.server(services=[OUT], trunks=[line("first", ports[0], **more), line("second", ports[1])], routes=[ROUTE])
    t.sipp(TALKS, server, "out", name="caller")
    taking.wait()
    if failing:
        failing.wait()
    assert [(end["by"], end["cause"]) for end in server.ends()] == [("caller", "hung_up")]
    assert routed(server) == [("first", []), ("second", [])]
    return server


@case("a trunk answers 503: the next of the route takes the call, and the caller hears nothing of it")
def refused(t):
    server = passed_on(t, [called(), respond(503, "Service Unavailable", initial=True), asked("ACK")])
    ends = [event["data"]["end"] for event in server.happened("leg.ended", 3)]
    assert [end["sip"] for end in ends if end["cause"] == "refused"] == [503]


@case("a trunk is dead: the next of the route takes the call after four seconds")
def dead(t):
    server = passed_on(t, None)
    causes = [event["data"]["end"]["cause"] for event in server.happened("leg.ended", 3)]
    assert "peer_timeout" in causes or "unreachable" in causes, causes


@case("a trunk says 100 and nothing else: it gets CANCEL, and the next of the route takes the call", seconds=6)
def mute(t):
    server = passed_on(t, [
        called(), respond(100, "Trying", initial=True), asked("CANCEL", Reason="Q.850;cause=16"), respond(200, "OK"),
        respond(487, "Request Terminated", initial=True), asked("ACK")], progress_within="2s")
    causes = [event["data"]["end"]["cause"] for event in server.happened("leg.ended", 3)]
    assert "peer_timeout" in causes, causes


@case("a trunk says that the party is busy: no other is asked, and the caller hears 486")
def busy(t):
    ports = free_port(), free_port()
    first = t.sipp_beside("callee_busy", local=ports[0], name="first")
    server = t.server(services=[OUT], trunks=[line("first", ports[0]), line("second", ports[1])], routes=[ROUTE])
    t.sipp([invite(), provisional(), wants(486, Reason="Q.850;cause=17"), ack()], server, "out", name="caller")
    first.wait()
    assert [(end["by"], end["cause"]) for end in server.ends()] == [("callee", "busy")]
    assert routed(server) == [("first", [])]


@case("a trunk that carries as many calls as it may gets 503 and Q.850 34 for the next, and room again after one")
def channels(t):
    port = free_port()
    server = t.server(services=[SIG], trunks=[line("operator", port, channels=1)])
    first = t.sipp_beside([invite(), provisional(), wants(200), ack(), pause(3000), request("BYE", 2), wants(200)],
                          "%s:%d" % server.sip, "-s", "sig", local=port, name="first")
    server.happened("leg.connected")
    t.sipp([invite(), wants(100, optional=True), wants(503, Reason="Q.850;cause=34"), ack()], server, "sig", name="second")
    congested = server.happened("call.congested")[0]["data"]
    assert congested["passed_over"] == [{"trunk": "operator", "why": "channels"}], congested
    first.wait()
    server.happened("call.ended", 2)
    t.sipp(TALKS, server, "sig", name="third")
    ends = sorted(end["cause"] for end in server.ends(3))
    assert ends == ["capacity", "hung_up", "hung_up"], ends
