"""Agents' devices: REGISTER with digest."""

import re

import sip
from trial import case

AGENTS = [{"name": "anna", "password": "correct horse", "languages": ["it"], "queues": ["desk"]}]
QUEUES = [{"name": "desk"}]


def register(phone, challenge=None, password="correct horse", user="anna", expires=60, count=1, cnonce=None):
    uri = f"sip:127.0.0.1:{phone.server[1]}"
    headers = {"To": f"<sip:{user}@127.0.0.1>", "Expires": str(expires)}
    if challenge:
        headers["Authorization"] = sip.credentials(challenge, "REGISTER", uri, user, password, count, cnonce)
    return phone.answer_to(phone.request("REGISTER", uri, **headers))


def desk(t):
    server = t.server(agents=AGENTS, queues=QUEUES)
    return server, t.phone(server, "anna")


def challenged(phone, user="anna"):
    answer = register(phone, user=user)
    assert answer.status == 401, f"REGISTER without credentials: {answer}"
    return sip.challenges(answer)


@case("SIPp registers with digest, and takes it back")
def sipp_registers(t):
    # SIPp 3.6 stops at a challenge that has SHA-256 beside MD5.
    server = t.server(agents=AGENTS, queues=QUEUES, sip={"digest": ["MD5"]})
    t.sipp("register", server, "anna", "-au", "anna", "-ap", "correct horse", "-d", 500)
    server.happened("endpoint.registered", 1)
    server.happened("endpoint.unregistered", 1)


@case("SIPp with a wrong password is refused")
def sipp_is_refused(t):
    server = t.server(agents=AGENTS, queues=QUEUES, sip={"digest": ["MD5"]})
    try:
        t.sipp("register", server, "anna", "-au", "anna", "-ap", "wrong", "-d", 500)
    except AssertionError:
        assert server.settled().count("endpoint.registered") == 0, "a wrong password registered a device"
        return
    raise AssertionError("SIPp was let in with a wrong password")


@case("an agent registers with SHA-256, and again with MD5")
def both_algorithms(t):
    server, phone = desk(t)
    offered = challenged(phone)
    assert list(offered) == ["SHA-256", "MD5"], f"challenges, the better one first: {list(offered)}"
    for algorithm in offered:
        challenge = challenged(phone)[algorithm]
        assert challenge["qop"] == "auth", challenge
        answer = register(phone, challenge)
        assert answer.status == 200, f"{algorithm}: {answer}"
        seconds = re.search(r"expires=(\d+)", answer.get("contact"))
        assert seconds and 0 < int(seconds.group(1)) <= 60, answer.get("contact")
    assert server.settled().count("endpoint.registered") == 1, "a device that is there already is no new device"


@case("a wrong password and an unknown user are refused alike")
def refused(t):
    server, phone = desk(t)
    for user, password in (("anna", "wrong"), ("nobody", "correct horse")):
        for challenge in challenged(phone, user).values():
            answer = register(phone, challenge, password, user)
            assert answer.status in (401, 403), f"{user}: {answer}"
    blocked = server.happened("security.blocked", timeout=70)
    assert blocked[0]["data"]["rule"] == "bad_credentials", blocked
    assert "endpoint.registered" not in server.kinds()


@case("credentials that were used once are refused when they are replayed")
def replayed(t):
    _, phone = desk(t)
    challenge = challenged(phone)["SHA-256"]
    assert register(phone, challenge, cnonce="0123456789abcdef").status == 200
    again = register(phone, challenge, cnonce="0123456789abcdef")
    assert again.status in (401, 403), f"the same nonce count once more: {again}"
    assert register(phone, challenge, count=2).status == 200, "the next count must be good"


@case("a nonce that is not ours is refused as stale, with a new one")
def stale(t):
    _, phone = desk(t)
    offered = challenged(phone)["SHA-256"]
    answer = register(phone, {**offered, "nonce": "00" + offered["nonce"][2:][::-1]})
    assert answer.status == 401, answer
    fresh = sip.challenges(answer)["SHA-256"]
    assert fresh.get("stale", "").lower() == "true", fresh
    assert register(phone, fresh).status == 200


@case("a device that registers for 0 seconds is gone, and the agent is logged off")
def unregistered(t):
    server, phone = desk(t)
    challenge = challenged(phone)["MD5"]
    assert register(phone, challenge).status == 200
    server.happened("agent.state")
    assert server.snapshot()["agents"]["anna"]["state"] == "ready"
    assert register(phone, challenge, expires=0, count=2).status == 200
    server.happened("endpoint.unregistered")
    server.happened("agent.state", 2)
    assert server.snapshot()["agents"]["anna"]["state"] == "logged_off"


@case("a call from a network that is not open is challenged, and is no call in the log")
def closed_to_strangers(t):
    server = t.server(services=[{"number": "sig", "kind": "silence"}], agents=AGENTS, queues=QUEUES,
                      open_to_loopback=False)
    phone = t.phone(server)
    assert phone.call("sig").invite().final().status in (401, 403, 407)
    assert "call.arrived" not in server.settled()
