"""A script asks an HTTP service who calls; the service is Python's own."""

import contextlib
import http.server
import json
import threading

import events
from trial import case, wait_for

FLOW = """
title     = "Clients"
languages = ["it"]
start     = "client"
[client]
look_up = "clients"
with    = { number = "$caller" }
found   = "wait"
missing = "stranger"
failed  = "unknown"
[wait]
queue          = "desk"
music          = "moh/calm"
overflow_after = "5m"
on.nobody      = "end"
on.full        = "end"
on.overflow    = "end"
[stranger]
hang_up = "stranger"
refusal = true
[unknown]
hang_up = "unknown"
refusal = true
[end]
hang_up = "end"
refusal = true
"""
CLIENTS = """
takes    = ["number"]
gives    = { priority = "/profile/priority" }
deadline = "2s"
[http]
url     = "http://127.0.0.1:%d/clients/{number}"
headers = { Authorization = "file:token" }
"""
ANNA = {"name": "anna", "password": "correct-horse", "languages": ["it"], "topics": ["operator"], "queues": ["desk"]}
ECHO = {"number": "echo", "kind": "echo"}
PRIORITY, TOKEN = 7, "Bearer of-the-desk"


class Service(http.server.ThreadingHTTPServer):
    """Knows the number `known`; hangs while `hangs` is set."""

    def __init__(self):
        self.hangs, self.released, self.asked = False, threading.Event(), []
        super().__init__(("127.0.0.1", 0), Answering)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.released.set()
        self.shutdown()
        self.server_close()


class Answering(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        service = self.server
        service.asked.append((self.path, self.headers.get("Authorization")))
        if service.hangs:
            service.released.wait(30)
        known = self.path == "/clients/known"
        body = json.dumps({"profile": {"priority": PRIORITY}} if known else {"error": "nobody"}).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        # Whoever has asked may have gone.
        with contextlib.suppress(OSError):
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def desk(t):
    """The server and the service that its script asks."""
    service = t.keep(Service())
    folder = t.folder / "scripts" / "clients"
    for place, text in (("flow.toml", FLOW), ("phrases/it.toml", ""), ("look_ups/token", TOKEN + "\n"),
                        ("look_ups/clients.toml", CLIENTS % service.server_address[1])):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text)
    server = t.server(services=[{"number": "desk", "script": "clients"}, ECHO], scripts=folder.parent, agents=[ANNA],
                      queues=[{"name": "desk"}], sip={"digest": ["MD5"]})
    return server, service


def looked_up(server, count):
    return server.happened("lookup.answered", count)[-1]["data"]


@case("a call's priority comes from an HTTP service; one whom it does not know is missing")
def priority(t):
    server, service = desk(t)
    t.baresip("anna", server, "correct-horse")
    wait_for(lambda: server.snapshot()["agents"].get("anna", {}).get("state") == "ready", 10, "anna is not ready")
    call = t.phone(server, "known").call("desk").invite()
    assert looked_up(server, 1)["outcome"] == "found"
    entered = server.happened("queue.entered")[0]["data"]
    assert entered["priority"] == PRIORITY, entered
    # It was classified before it came to the queue, by several keys.
    known = {event["data"]["key"]: event["data"]["value"] for event in server.happened("call.classified")}
    assert known["priority"] == str(PRIORITY), known
    assert call.final().status == 200
    t.phone(server, "stranger").call("desk").invite().final()
    assert looked_up(server, 2)["outcome"] == "missing"
    assert service.asked == [("/clients/known", TOKEN), ("/clients/stranger", TOKEN)], service.asked


@case("the service that is asked hangs: calls go on after the deadline, and no call waits for another's", seconds=8)
def hung(t):
    server, service = desk(t)
    service.hangs = True
    for _ in range(2):
        t.phone(server, "known").call("desk").invite()
    wait_for(lambda: len(service.asked) == 2, 5, "the service is not asked for both")
    t.phone(server).call("echo").established()
    waited = server.happened("lookup.answered", 2)
    # Both questions were open when a third call came and was answered.
    last = server.happened("call.arrived", 3)[-1]
    answered = [event for event in server.happened("leg.connected") if event["partitionkey"] == last["partitionkey"]]
    assert answered and events.number(answered[0]) < events.number(waited[0]), server.kinds()
    for data in (event["data"] for event in waited):
        assert data["outcome"] in ("late", "failed") and 1900 <= data["waited_ms"] < 2500, data
    ends = [event["data"]["end"] for event in server.happened("call.ended", 2)]
    assert [end["place"] for end in ends] == ["unknown", "unknown"], ends
