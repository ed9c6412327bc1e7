"""Readers of the log that are cut, and a server that is."""

import threading
import time

import events
from trial import TOKEN, case, end, wait_for

SERVICES = [{"number": "sig", "kind": "silence"}]


def read_with_cuts(open_at, server, last, every):
    """Reads facts 1 to `last`, cut without a word after every so many; returns all that was read."""
    read, cuts = [], 0
    while len(read) < last:
        reader = open_at(len(read) + 1)
        for count, event in enumerate(reader.facts(), 1):
            read.append(event)
            if count == every or len(read) >= last:
                break
        reader.cut()
        cuts += 1
    assert cuts > 3, f"only {cuts} connections: the test proves nothing"
    return read


def calls_meanwhile(t, server, count):
    """SIPp calls that go on while something else is looked at."""
    sipp = t.sipp_beside("basic_call", "%s:%d" % server.sip, "-s", "sig", "-m", count, "-r", 25, "-d", 200)
    return sipp


def resumes(t, open_at):
    server = t.server(services=SERVICES)
    sipp = calls_meanwhile(t, server, 60)
    server.happened("call.ended")
    read = read_with_cuts(lambda since: open_at(server, since), server, last=200, every=37)
    sipp.wait()
    server.ends(60)
    events.check_contiguous(read)
    whole = server.facts()
    events.check_contiguous(whole)
    assert read == whole[:200], "what was read in pieces is not what the log holds"
    per_call = {}
    for event in whole:
        if "callseq" in event:
            per_call.setdefault(event["correlationid"], []).append(event["callseq"])
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in per_call.values())


@case("a WebSocket reader that is cut resumes without loss or double", seconds=8)
def websocket(t):
    resumes(t, lambda server, since: t.websocket(server, since))


@case("a reader of server-sent events that is cut resumes without loss or double", seconds=8)
def server_sent(t):
    resumes(t, lambda server, since: t.events(server, since))


@case("Last-Event-ID resumes after it, and so does a WebSocket's first message")
def other_ways(t):
    server = t.server(services=SERVICES)
    t.phone(server).call("sig").established().bye()
    server.ends()
    whole = server.facts()
    head = len(whole)
    by_id = t.keep(events.ServerSentEvents(server.http, None, TOKEN, last_event_id=3))
    assert by_id.until(lambda event: events.number(event) == head) == whole[3:]
    socket = t.websocket(server)
    socket.say({"op": "subscribe", "from": 4, "filter": []})
    assert socket.until(lambda event: events.number(event) == head) == whole[3:]


@case("a reader without a token is refused, and one with a wrong token")
def refused(t):
    server = t.server(services=SERVICES)
    for token in (None, "another-secret-of-some-length"):
        for path in ("/v1/events", "/v1/snapshot"):
            status, headers, body = events.get(server.http, path, token)
            assert status == 401 and "bearer" in headers.get("www-authenticate", "").lower(), (path, status, body)


@case("a number that is not in the log is an explicit gap, never a silent skip")
def gap(t):
    server = t.server(services=SERVICES)
    reader = t.websocket(server, 1_000_000)
    reader.socket.settimeout(5)
    messages = []
    try:
        while not messages or messages[-1].get("op") != "error":
            messages.append(reader.message())
    except (events.Cut, OSError) as error:
        raise AssertionError(f"no gap was told: {error!r}, {messages}") from error
    last = messages[-1]
    assert last["code"] == "gap" and "oldest" in last and "head" in last, last


@case("a snapshot and the facts after it fit together")
def snapshot(t):
    server = t.server(services=SERVICES)
    call = t.phone(server).call("sig").established()
    now = wait_for(lambda: (seen := server.snapshot())["calls"] and seen, 3, "the call is in no snapshot")
    call.bye()
    after = t.events(server, now["as_of"] + 1).until(lambda event: events.kind(event) == "call.ended")
    events.check_contiguous(after, now["as_of"] + 1)
    assert {event["correlationid"] for event in after} == set(now["calls"])


@case("after kill -9 in mid-call nothing acknowledged is lost, and the call is ended in the log", seconds=12)
def killed(t):
    server = t.server(services=SERVICES)
    phone = t.phone(server)
    for _ in range(5):
        phone.call("sig").established().bye()
    call = phone.call("sig").established()
    read = t.events(server).until(lambda event: events.kind(event) == "call.arrived"
                                  and event["data"]["sip_call_id"] == call.call_id)
    broken = read[-1]["correlationid"]
    read += t.events(server, len(read) + 1).until(lambda event: events.kind(event) == "leg.connected")
    server.kill()
    server.start()
    server.happened("call.ended", 6)
    whole = server.facts()
    events.check_contiguous(whole)
    assert whole[: len(read)] == read, "a fact that a reader had is not in the log, or is another one"
    ended = [event for event in whole if events.kind(event) == "call.ended" and event["correlationid"] == broken]
    assert [event["data"]["end"]["cause"] for event in ended] == ["engine_restarted"], ended
    assert events.number(ended[0]) > len(read)
    of_call = [event["callseq"] for event in whole if event.get("correlationid") == broken]
    assert of_call == list(range(1, len(of_call) + 1)), f"the broken call's numbers: {of_call}"
    assert not server.snapshot()["calls"]
    phone.call("sig").established().bye()


@case("three times kill -9 under load: every fact that a reader had is there", seconds=20)
def killed_under_load(t):
    server = t.server(services=SERVICES)
    read = []
    for round_ in range(3):
        load = follow_calls(t, server, read, 0.7 + 0.4 * round_)
        server.kill()
        end(load.program)
        server.start()
        server.happened("system.started", round_ + 2)
        whole = server.facts()
        events.check_contiguous(whole)
        assert whole[: len(read)] == read, f"round {round_ + 1}: an acknowledged fact is lost or changed"
    kinds = server.settled()
    arrived, ended = kinds.count("call.arrived"), kinds.count("call.ended")
    assert arrived == ended > 20, f"{arrived} calls arrived, {ended} ended"


def follow_calls(t, server, read, seconds):
    """Calls and a reader for a while; what the reader was given is added to `read`."""
    name = f"round{len(read)}"
    load = t.sipp_beside("basic_call", "%s:%d" % server.sip, "-s", "sig", "-m", 1000, "-r", 30, "-d", 300, name=name)
    reader, stop = t.events(server, len(read) + 1), threading.Event()

    def follow():
        try:
            for event in reader.facts():
                read.append(event)
                if stop.is_set():
                    return
        except (events.Cut, OSError):
            return
    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    time.sleep(seconds)
    stop.set()
    follower.join(5)
    assert read, "nothing was read"
    return load
