"""Two bodies on one exchange: each has its own calls, agents and tokens, and none sees anything of the other's."""

import json
import urllib.error
import urllib.request

from cases import registering
from trial import case

FLOW = """
title     = "Town"
languages = ["it"]
start     = "wait"
[wait]
queue     = "desk"
music     = "moh/calm"
"""
# Whose desk is empty sends its callers to the neighbours.
SENDS = FLOW + """on.nobody = "neighbours"
[neighbours]
transfer  = "body:mestre"
"""
BODY = """
title = "Comune"
[[service]]
number = "%s"
script = "town"
[[queue]]
name = "desk"
[[agent]]
name      = "anna"
password  = "correct-horse"
queues    = ["desk"]
languages = ["it"]
[[token]]
name   = "crm"
secret = "secret-of-%s-0001"
scopes = ["events:read", "pii:clear", "call:any", "agent:any"]
"""
VENEZIA, MESTRE = "0411111111", "0412222222"


def town(t, name, number, flow):
    """A body's folder."""
    folder = t.folder / "bodies" / name
    phrases = folder / "scripts" / "town" / "phrases"
    phrases.mkdir(parents=True)
    (folder / "body.toml").write_text(BODY % (number, name))
    (phrases.parent / "flow.toml").write_text(flow)
    (phrases / "it.toml").write_text("")


def ask(server, body, path, method="GET"):
    """The status and the answer to a body's token."""
    headers = {"Authorization": f"Bearer secret-of-{body}-0001"}
    request = urllib.request.Request("http://%s:%d%s" % (*server.http, path), method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def facts(server, body):
    return [json.loads(line) for line in ask(server, body, "/v1/log")[1].splitlines()]


def kinds(server, body):
    return [fact["kind"]["type"] for fact in facts(server, body)]


def registered(t, server, user):
    """A telephone of an agent's, which rings and is not answered."""
    phone = t.phone(server, user)
    challenge = registering.challenged(phone, user=user)["SHA-256"]
    answer = registering.register(phone, challenge, "correct-horse", user)
    assert answer.status == 200, answer
    return phone


@case("two bodies in one process: both are called, and each token sees its own alone", seconds=10)
def apart(t):
    town(t, "venezia", VENEZIA, SENDS)
    town(t, "mestre", MESTRE, FLOW)
    server = t.server(bodies=t.folder / "bodies")
    registered(t, server, "mestre/anna")
    t.phone(server).call(MESTRE).established()
    entered = server.happened("queue.entered")
    assert entered[0]["data"]["queue"] == "mestre/desk" and entered[0]["body"] == "mestre", entered
    assert "call.arrived" not in kinds(server, "venezia"), kinds(server, "venezia")

    # Nobody is at Venezia's desk: the caller goes on at Mestre's, and is a call of Mestre from then on.
    t.phone(server).call(VENEZIA).established()
    server.happened("queue.entered", 2)
    assert kinds(server, "venezia")[-1] == "call.ended", kinds(server, "venezia")
    assert kinds(server, "mestre").count("call.arrived") == 2, kinds(server, "mestre")
    for body in ("venezia", "mestre"):
        told = [fact for fact in facts(server, body) if fact["kind"]["type"] != "system.started"]
        assert told and all(fact["body"] == body for fact in told), told

    assert json.loads(ask(server, "venezia", "/v1/snapshot")[1])["calls"] == {}
    calls = json.loads(ask(server, "mestre", "/v1/snapshot")[1])["calls"]
    assert len(calls) == len(server.snapshot()["calls"]) == 2, calls
    for call in calls:
        for method in ("GET", "DELETE"):
            theirs, nobodys = (ask(server, "venezia", f"/v1/calls/{name}", method) for name in (call, "no-such-call"))
            assert theirs[0] == 404 and theirs == nobodys, (theirs, nobodys)
    assert ask(server, "venezia", "/v1/bans")[0] == 403
    assert "mestre" not in ask(server, "venezia", "/v1/ivr")[1] + ask(server, "venezia", "/metrics")[1]
    for call in calls:
        assert ask(server, "mestre", f"/v1/calls/{call}", "DELETE")[0] == 200
    server.happened("call.ended", 3)
