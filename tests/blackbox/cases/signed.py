"""What callers' operators sign, with certificates that are fetched over HTTPS while the call goes on."""

import time

import events
from stir import CertificateServer, Operator
from trial import case, free_port, wait_for

CALLER, CALLED = "393331234567", "39800100100"


def desk(t, operator, certificates, fetch_from):
    """A server with a trunk on loopback, which believes the operator's authority and fetches from these hosts."""
    trunk = {"name": "operator", "address": f"udp:127.0.0.1:{free_port()}", "networks": ["127.0.0.1/32"], "probe": "0s"}
    trust = {"roots": [str(operator.authority)], "fetch_from": fetch_from, "fetch_ca": [certificates.ca]}
    return t.server(services=[{"number": "800100100", "kind": "silence"}], trunks=[trunk], open_to_loopback=False,
                    trust=trust)


def calls(t, server, identity):
    """A signed call, answered: the call, and after how many seconds the answer came."""
    call = t.phone(server, f"+{CALLER}").call(f"+{CALLED}")
    began = time.monotonic()
    call.phone.send(call.invite_text().replace("Max-Forwards: 70\r\n", f"Max-Forwards: 70\r\n{identity}"))
    assert call.final().status == 200, call.answer
    call.ack()
    return call, time.monotonic() - began


def says(server, reason):
    """Waits until that is among the reasons that were told last."""
    told = lambda: reason in (assessed(server) or [("", "", [])])[-1][2]
    wait_for(told, 8, f"{reason} was not told")


def assessed(server):
    """What was said of callers so far, in order: verification, attestation, reasons."""
    told = [event["data"] for event in server.facts() if events.kind(event) == "call.trust_assessed"]
    return [(data["verification"], data["attestation"], data["reasons"]) for data in told]


@case("a signed call is verified with the certificate chain that its x5u names; the next one with what is known")
def verified(t):
    operator = Operator(t.folder)
    certificates = t.keep(CertificateServer(t.folder, operator.chain))
    server = desk(t, operator, certificates, [certificates.host])
    passed = ("passed", "A", ["signed"])
    for told in (2, 3):
        call, _ = calls(t, server, operator.signs(certificates.x5u, CALLER, CALLED))
        wait_for(lambda told=told: len(assessed(server)) >= told, 5, "nothing was said of it")
        call.bye()
    assert assessed(server) == [("no_certificate", "", ["certificate_awaited"]), passed, passed]
    assert certificates.asked == ["/operator.pem"], certificates.asked
    server.ends(2)


@case("the server of certificates takes the question and says nothing: no call waits, and the fact says why", seconds=8)
def hanging(t):
    operator = Operator(t.folder)
    certificates = t.keep(CertificateServer(t.folder, operator.chain, hangs=True))
    server = desk(t, operator, certificates, [certificates.host])
    plain, without = calls(t, server, "")
    plain.bye()
    call, took = calls(t, server, operator.signs(certificates.x5u, CALLER, CALLED))
    assert took < without + 0.5, f"a signed call was answered after {took:.2f} s, another one after {without:.2f} s"
    wait_for(lambda: certificates.asked, 2, "it was not asked")
    says(server, "certificate_awaited")
    says(server, "certificate_unreachable")
    assert assessed(server)[-1][0] == "no_certificate", assessed(server)
    call.bye()
    server.ends(2)


@case("a certificate is fetched from no host that is not named, and believed of nobody whom no authority speaks for")
def not_believed(t):
    operator, (stranger, folder) = Operator(t.folder), apart(t, "stranger")
    certificates = t.keep(CertificateServer(t.folder, operator.chain))
    others = t.keep(CertificateServer(folder, stranger.chain))
    server = desk(t, operator, others, [others.host])
    call, _ = calls(t, server, operator.signs(certificates.x5u, CALLER, CALLED))
    call.bye()
    says(server, "certificate_unlisted")
    call, _ = calls(t, server, stranger.signs(others.x5u, CALLER, CALLED))
    says(server, "not_trusted")
    call.bye()
    assert (certificates.asked, others.asked) == ([], ["/operator.pem"])
    server.ends(2)


def apart(t, name):
    """An operator of another authority, in a folder of its own."""
    folder = t.folder / name
    folder.mkdir()
    return Operator(folder), folder
