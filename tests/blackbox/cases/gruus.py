"""One agent with two devices, each called by the URIs that reach it and no other (RFC 5627)."""

import re
import threading

import linphone
import sip
from trial import case

AGENTS = [{"name": name, "password": f"secret of {name}", "languages": ["it"], "queues": ["desk"]} for name in ("anna", "bruno")]
QUEUES = [{"name": "desk"}]
URN = "urn:uuid:00000000-0000-1000-8000-0000000000%02d"


class Device:
    """A device of an agent's with a lasting name, and what the exchange told it."""

    def __init__(self, t, server, user, number, call_id=None):
        self.phone, self.user, self.urn, self.count = t.phone(server, user), user, URN % number, 0
        self.contact = f"sip:{user}@127.0.0.1:{self.phone.port}"
        self.call_id = call_id or f"device-{number}"
        self.registers()

    def registers(self, expires=60):
        answer = self.proved("REGISTER", f"sip:127.0.0.1:{self.phone.server[1]}", To=f"<sip:{self.user}@127.0.0.1>",
                             Call_ID=self.call_id, Expires=str(expires), Supported="gruu",
                             Contact=f'<{self.contact}>;+sip.instance="<{self.urn}>"')
        assert answer.status == 200, answer
        for value in answer.all("contact"):
            if self.urn in value:
                self.public, self.temporary = (re.search(rf'{kind}-gruu="([^"]+)"', value)[1] for kind in ("pub", "temp"))

    def proved(self, method, target, body="", **headers):
        """The final answer to a request, with its challenge answered."""
        headers.setdefault("Call_ID", f"{method}-{sip.branch()}")
        headers["From"] = f"<sip:{self.user}@127.0.0.1>;tag={self.user}"
        for number in (2 * self.count + 1, 2 * self.count + 2):
            text = self.phone.request(method, target, body, CSeq=f"{number} {method}", **headers)
            answer = self.phone.answer_to(text)
            if method == "INVITE" and answer.status >= 300:
                self.phone.send(self.phone.request("ACK", target, **{
                    **headers, "CSeq": f"{number} ACK", "To": answer.get("to"), "Via": re.search("^Via: (.*)\r", text, re.M)[1]}))
            if answer.status == 401:
                challenge = sip.challenges(answer)["MD5"]
                headers["Authorization"] = sip.credentials(challenge, method, target, self.user, f"secret of {self.user}")
        self.count += 1
        return answer

    def asked(self, method):
        return self.phone.expect(lambda m: m.method == method)

    def says(self, request, status, reason, body="", contact=None):
        self.phone.send(sip.answer(request, status, reason, body, contact=contact))


def talks(caller, target, device, contact):
    """The caller dials, the device answers with this Contact: the INVITE that it got, and the caller's 200."""
    result = {}

    def rung():
        invite = device.asked("INVITE")
        device.says(invite, 200, "OK", sip.sdp(9), contact)
        result["invite"], result["ack"] = invite, device.asked("ACK")

    beside = threading.Thread(target=rung)
    beside.start()
    answer = caller.proved("INVITE", target, sip.sdp(9))
    beside.join()
    assert answer.status == 200, answer
    caller.phone.send(within(caller, answer, "ACK", target))
    return answer, result["invite"], result["ack"]


def within(caller, answer, method, target):
    number = int(answer.get("cseq").split()[0]) + (method != "ACK")
    return caller.phone.request(method, answer.contact_uri(), From=answer.get("from"), To=answer.get("to"), Call_ID=answer.get("call-id"),
                                CSeq=f"{number} {method}")


@case("each of an agent's two devices is called by its public and by its temporary GRUU, and the other does not ring")
def each_by_its_own(t):
    server = t.server(agents=AGENTS, queues=QUEUES)
    anna = Device(t, server, "anna", 1)
    desk, soft = Device(t, server, "bruno", 2), Device(t, server, "bruno", 3)
    assert desk.public == f"sip:bruno@blackbox;gr={desk.urn}", desk.public
    for device, other in ((desk, soft), (soft, desk)):
        for target in (device.public, device.temporary):
            answer, invite, ack = talks(anna, target, device, device.contact)
            assert invite.first.startswith(f"INVITE {device.contact} "), invite
            anna.phone.send(within(anna, answer, "BYE", target))
            device.says(device.asked("BYE"), 200, "OK")
            other.phone.silent_for(0.2)
            server.happened("call.ended")
    assert [end["cause"] for end in server.ends(4)] == ["hung_up"] * 4


@case("a device with its GRUU as Contact is hung up on where it registered last; its old temporary GRUUs are 404, its public one 480 when gone")
def followed(t):
    server = t.server(agents=AGENTS, queues=QUEUES)
    anna, bruno = Device(t, server, "anna", 1), Device(t, server, "bruno", 2)
    public, temporary = bruno.public, bruno.temporary
    answer, _, ack = talks(anna, temporary, bruno, temporary)
    assert ack.first.startswith(f"ACK {bruno.contact} "), ack
    moved = Device(t, server, "bruno", 2, "device-2-anew")
    anna.phone.send(within(anna, answer, "BYE", temporary))
    bye = moved.asked("BYE")
    assert bye.first.startswith(f"BYE {moved.contact} "), bye
    moved.says(bye, 200, "OK")
    bruno.phone.silent_for(0.2)
    server.happened("call.ended")
    assert anna.proved("INVITE", temporary, sip.sdp(9)).status == 404, "a new Call-ID takes the old ones"
    moved.registers(expires=0)
    assert anna.proved("INVITE", public, sip.sdp(9)).status == 480, "it is not registered"


@case("Linphone is called by its public and by its temporary GRUU, has the public one as Contact, and is hung up on", seconds=8)
def linphones(t):
    server = t.server(agents=AGENTS, queues=QUEUES)
    phone = linphone.Linphone(t, "anna", server, "secret of anna", answers=True)
    bruno = Device(t, server, "bruno", 1)
    for count, kind in enumerate(("pub", "temp"), 1):
        target = re.findall(rf'{kind}-gruu="([^"]+)"', phone.debug.read_text(errors="replace"))[-1]
        answer = bruno.proved("INVITE", target, sip.sdp(9))
        assert answer.status == 200, answer
        bruno.phone.send(within(bruno, answer, "ACK", target))
        phone.established(count=count)
        phone.told(r"Contact: <sip:anna@blackbox;gr=urn:uuid:[0-9a-f-]+>", count=count)
        bruno.phone.send(within(bruno, answer, "BYE", target))
        phone.told(r"to \[?LinphoneCallReleased", count=count)
    assert [(end["by"], end["cause"]) for end in server.ends(2)] == [("caller", "hung_up")] * 2
