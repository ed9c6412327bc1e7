"""An agent at home: a phone behind a NAT that does nothing to be found, and that is called when its NAT would long have
forgotten it."""

import time

import audio
import house
import trial
from cases.interop import PASSWORD, agent, into_queue
from trial import case

HOME, CALLER = 450, 1000  # Hz
AGENTS = {"udp": "anna", "tcp": "bruno", "tls": "carla"}
# Less than any router has by the RFCs (4787: two minutes; 5382: two hours), and about the least that is found in houses.
FORGETS = {"udp": 30, "tcp": 60}
LATER = 65


@case("phones at home are found behind their NAT when it would long have forgotten them, over UDP, TCP and TLS; audio both ways",
      seconds=90)
def at_home(t):
    house.need_root()
    trial.alone(t, __file__, "at_home")


def call_home(t):
    """In a network of our own."""
    nat = house.House(t, FORGETS)
    names = AGENTS.values()
    # Each agent has a queue of their own, so that each is called.
    server = t.server(host=house.EXCHANGE, tls=True, services=[into_queue(t, name) for name in names],
                      agents=[agent(name, name) for name in names], queues=[{"name": name} for name in names],
                      scripts=t.folder / "scripts", sip={"digest": ["MD5"]})
    with nat.inside():
        phones = [t.baresip(name, server, PASSWORD, HOME, answers=True, transport=transport, address=house.DEVICE,
                            registers_every=3600) for transport, name in AGENTS.items()]
    server.happened("endpoint.registered", len(phones))
    time.sleep(LATER)
    for phone in phones:
        rings_and_talks(t, server, phone)
    server.ends(len(phones))


def rings_and_talks(t, server, phone):
    talker = t.talker(CALLER)
    call = t.phone(server, "caller").call(phone.name, talker.port).established(timeout=10)
    talker.to = call.answer.media_address()
    phone.established()
    talker.until_heard(HOME)
    since = time.monotonic()
    phone.listen(1.5)
    there, here = talker.samples(since), phone.heard()[-audio.RATE:]
    assert audio.heard_seconds(there, HOME) > 1, f"the caller does not hear {phone.name}"
    assert audio.heard_seconds(here, CALLER) > 0.7, f"{phone.name} does not hear the caller"
    call.bye()


if __name__ == "__main__":
    trial.be_alone({"at_home": call_home})
