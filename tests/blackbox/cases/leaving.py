"""Transfers that leave the exchange by REFER (`refer_out`): an operator that takes them, and one that does not."""

import sip
from cases.gruus import Device
from cases.interop import into_queue
from trial import case

AGENTS = [{"name": "anna", "password": "secret of anna", "languages": ["it"], "queues": ["desk"]}]
FIXED = {"name": "fixed", "kinds": ["fixed"]}
NUMBER = "+390612345678"
CHALLENGE = 'Proxy-Authenticate: Digest realm="operator.example", nonce="n1", algorithm=MD5, qop="auth"'


class Operator:
    """An operator's server: its caller's call, and what it is asked."""

    def __init__(self, t, **more):
        self.phone, self.call = t.phone(None, "+390699990000"), None
        self.trunk = {"name": "operator", "address": f"udp:127.0.0.1:{self.phone.port}", "probe": "0s", "refer_out": True,
                      "user": "desk", "password": "secret", **more}

    def calls(self, server, number):
        self.phone.server = server.sip
        self.call = self.phone.call(number).established()

    def asked(self, method):
        return self.phone.expect(lambda m: m.method == method, timeout=10)

    def says(self, request, status, reason, more="", body=""):
        text = sip.answer(request, status, reason, body, contact=f"sip:operator@127.0.0.1:{self.phone.port}")
        self.phone.send(text.replace("\r\nContact:", f"\r\n{more}\r\nContact:") if more else text)

    def tells(self, status):
        """NOTIFY with this status, which must be taken with 200."""
        state = "active;expires=60" if status < "2" else "terminated;reason=noresource"
        body = f"SIP/2.0 {status}\r\n"
        text = self.call.message("NOTIFY", number=next(self.call.numbers), branch=sip.branch(),
                                 target=self.call.remote.contact_uri())
        head = f"\r\nEvent: refer\r\nSubscription-State: {state}\r\nContent-Type: message/sipfrag\r\nContent-Length: {len(body)}\r\n\r\n"
        answer = self.phone.answer_to(text.replace("\r\nContent-Length: 0\r\n\r\n", head + body))
        assert answer.status == 200, answer

    def hung_up_on(self):
        bye = self.asked("BYE")
        self.says(bye, 200, "OK")
        return bye


def desk(t, operator, **more):
    """A server with the number `desk` of a queue, and the device of anna, who is in it."""
    server = t.server(services=[into_queue(t)], agents=AGENTS, queues=[{"name": "desk", "wrapup": "0s"}], trunks=[operator.trunk],
                      outbound=[FIXED], scripts=t.folder / "scripts", **more)
    return server, Device(t, server, "anna", 1)


def hands_over(anna, invite, to, number=100):
    """Anna has answered this INVITE and asks for a transfer: the answer to her REFER."""
    return anna.phone.answer_to(anna.phone.request(
        "REFER", invite.contact_uri(), From=f"{invite.get('to')};tag=callee", To=invite.get("from"),
        Call_ID=invite.get("call-id"), CSeq=f"{number} REFER", Refer_To=f"<sip:{to}@127.0.0.1>"))


def rung(anna):
    invite = anna.asked("INVITE")
    anna.says(invite, 200, "OK", sip.sdp(9), anna.contact)
    anna.asked("ACK")
    return invite


def told(anna, status):
    """The next NOTIFY to anna that tells this; those before it are taken too."""
    while True:
        notify = anna.asked("NOTIFY")
        anna.says(notify, 200, "OK")
        if notify.body.startswith(f"SIP/2.0 {status}"):
            return


@case("an agent hands a caller over to a number of the caller's operator, which challenges our REFER and takes it: our legs end")
def taken(t):
    operator = Operator(t)
    server, anna = desk(t, operator)
    operator.calls(server, "desk")
    invite = rung(anna)
    refused = hands_over(anna, invite, "+393471234567")
    assert refused.status == 403, f"no rule opens mobiles: {refused}"
    assert hands_over(anna, invite, NUMBER, 101).status == 202
    first = operator.asked("REFER")
    assert first.get("refer-to") == f"<sip:{NUMBER}@127.0.0.1:{operator.phone.port}>", first.get("refer-to")
    assert first.get("referred-by").startswith("<sip:"), first.headers
    operator.says(first, 407, "Proxy Authentication Required", CHALLENGE)
    refer = operator.asked("REFER")
    assert 'username="desk"' in refer.get("proxy-authorization"), refer.headers
    operator.says(refer, 202, "Accepted")
    for status in ("100 Trying", "180 Ringing", "200 OK"):
        operator.tells(status)
    told(anna, "200")
    anna.says(anna.asked("BYE"), 200, "OK")
    operator.hung_up_on()
    assert [(end["by"], end["cause"]) for end in server.ends()] == [("service", "transferred_outwards")]
    kinds = [kind for kind in server.kinds() if kind.startswith("transfer.")]
    assert kinds == ["transfer.started", "transfer.referred", "transfer.completed"], kinds
    operator.phone.silent_for(0.3, lambda m: m.method == "INVITE")


@case("an operator that refuses our REFER, and one that takes it and fails: the exchange calls the number itself, and the two talk")
def refused(t):
    operator = Operator(t)
    server, anna = desk(t, operator)
    for count, fails_late in enumerate((False, True), 1):
        operator.calls(server, "desk")
        invite = rung(anna)
        assert hands_over(anna, invite, NUMBER, 101).status == 202
        refer = operator.asked("REFER")
        if fails_late:
            operator.says(refer, 202, "Accepted")
            operator.tells("503 Service Unavailable")
        else:
            operator.says(refer, 405, "Method Not Allowed")
        outside = operator.asked("INVITE")
        assert outside.first.startswith(f"INVITE sip:{NUMBER}@"), outside
        operator.says(outside, 200, "OK", body=sip.sdp(9))
        operator.asked("ACK")
        told(anna, "200")
        anna.says(anna.asked("BYE"), 200, "OK")
        operator.call.bye()
        operator.hung_up_on()
        server.happened("call.ended", count)
    assert [event["data"].get("sip") for event in server.happened("transfer.kept", 2)] == [405, 503]
    assert [(end["by"], end["cause"]) for end in server.ends(2)] == [("caller", "hung_up")] * 2
