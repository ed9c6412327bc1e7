"""Calls by IPv6: from another host, at a global address and at a link-local one, which nobody can write into SIP with its link;
and to an agent who has only IPv4."""

import subprocess

import audio
import house
import trial
from cases.interop import PASSWORD, agent
from trial import case

TONE, OTHER = 450, 1000  # Hz
ECHO = {"number": "echo", "kind": "echo"}


@case("baresip calls from another host by IPv6, over UDP, TCP and TLS, and hears itself come back", seconds=10)
def by_global_address(t):
    house.need_root()
    trial.alone(t, __file__, "global")


@case("a phone calls from another host by link-local addresses, over UDP, TCP and TLS, and hears itself come back", seconds=6)
def by_link_local_address(t):
    house.need_root()
    trial.alone(t, __file__, "link_local")


@case("a phone at ::1 calls an agent at 127.0.0.1, and each hears the other's tone", seconds=8)
def an_agent_by_ipv4(t):
    server = t.server(also="::1", agents=[agent("anna"), agent("bruno")], queues=[{"name": "desk"}], sip={"digest": ["MD5"]})
    anna = t.baresip("anna", server, PASSWORD, TONE, answers=True)
    server.happened("endpoint.registered")
    command = [t.program, "phone", "call", "anna", "--server", f"[::1]:{server.sip[1]}", "--bind", "::1", "--user", "bruno",
               "--password", PASSWORD, "--play", f"tone:{OTHER}", "--expect", f"tone:{TONE}", "--within", "10s", "--hang-up-after", "3s"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, f"by IPv6 the agent is not heard: {done.stdout}{done.stderr}\n{server.said()}"
    anna.wait_for("CALL_CLOSED")
    heard = {tone: audio.heard_seconds(anna.heard(), tone) for tone in (OTHER, TONE)}
    assert heard[OTHER] > 1 and heard[TONE] == 0, f"in the ear of the agent, by IPv4: {heard}"
    server.ends()


# ---- inside

def served(t, at):
    neighbour = house.Neighbour(t)
    return neighbour, t.server(host=neighbour.OURS[at], tls=True, services=[ECHO], agents=[agent("anna")],
                               queues=[{"name": "desk"}], open_to_loopback=False, sip={"digest": ["MD5"]})


def call_by_global_address(t):
    neighbour, server = served(t, 0)
    for number, transport in enumerate(("udp", "tcp", "tls"), 1):
        with neighbour.inside():
            phone = t.baresip("anna", server, PASSWORD, TONE, transport=transport, address=neighbour.THEIRS[0], folder=transport)
        server.happened("endpoint.registered", number)
        phone.dial("echo")
        phone.established()
        phone.listen(2)
        assert audio.heard_seconds(phone.heard(), TONE) > 1, f"over {transport} it does not hear itself"
        phone.hang_up()
        server.happened("call.ended", number)
        phone.quit()
    server.ends(3)


def call_by_link_local_address(t):
    neighbour, server = served(t, 1)
    for transport in ("udp", "tcp", "tls"):
        command = [t.program, "phone", "call", "echo", "--server", f"[{server.sip[0]}]:{server.port(transport)}", "--bind",
                   neighbour.THEIRS[1], "--transport", transport, "--ca", t.folder / "tls.pem", "--user", "anna", "--password",
                   PASSWORD, "--play", f"tone:{TONE}", "--expect", f"tone:{TONE}", "--within", "10s"]
        with neighbour.inside():
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, f"over {transport}: {done.stdout}{done.stderr}\n{server.said()}"
    server.ends(3)


if __name__ == "__main__":
    trial.be_alone({"global": call_by_global_address, "link_local": call_by_link_local_address})
