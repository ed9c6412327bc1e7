"""Pages in houses behind a NAT: networks that let no datagrams through, and addresses that change in mid-call."""

import chromium
import firefox
import house
import softphone
import trial
import turn
from cases import libraries
from cases.interop import PASSWORD, agent, into_queue
from trial import case

SERVED = {"wss": True, "host": house.EXCHANGE, "queues": [{"name": "desk"}], "agents": [agent("anna")]}


def in_a_house(t, what):
    softphone.there()
    house.need_root()
    trial.alone(t, __file__, what)


@case("a page (JsSIP) in a network that lets no datagrams through is heard by coturn, set up as the guide says", seconds=20)
def by_relay(t):
    turn.there()
    in_a_house(t, "by_relay")


@case("a page (JsSIP) whose provider gives its house another address in mid-call goes on by itself", seconds=20)
def seen_elsewhere(t):
    in_a_house(t, "seen_elsewhere")


@case("a page (JsSIP) that gets another address in mid-call is asked to look anew, and keeps its call", seconds=30)
def moves(t):
    in_a_house(t, "moves")


def at_home(t, nat, script=None, kind=chromium.Chromium):
    """(server, the page in the house)"""
    server = t.server(services=[into_queue(t), {"number": "echo", "kind": "echo"}], scripts=t.folder / "scripts", **SERVED)
    return server, softphone.Softphone(t, server, libraries.AGENT, PASSWORD, script, kind, nat.inside).registered(server)


def talking(t, nat, **options):
    """(server, the page, the caller's call, the caller's talker), once both are heard."""
    server, anna = at_home(t, nat, **options)
    call, talker = libraries.rung(t, server, anna)
    libraries.both_hear(anna, talker)
    return server, anna, call, talker


@case("the guide's page (JsSIP in Firefox, behind a NAT) is rung, holds, mutes itself, is loaded anew, and hangs up", seconds=30)
def firefox_is_called(t):
    in_a_house(t, "firefox_is_called")


@case("the guide's page (JsSIP in Firefox, behind a NAT) calls, is heard, presses keys as tones of events and as INFO", seconds=20)
def firefox_calls(t):
    in_a_house(t, "firefox_calls")


@case("a page (JsSIP in Firefox) that gets another address in mid-call is asked to look anew, and keeps its call", seconds=40)
def firefox_moves(t):
    in_a_house(t, "firefox_moves")


def has_moved(server, anna, call, talker, found_by):
    """Both are heard again, the page by this address; the call is that of before."""
    trial.wait_for(lambda: found(server)[-1].startswith(found_by), 40, f"the page was found at {found(server)} only")
    anna.until_heard(libraries.CALLER, timeout=20)
    talker.until_heard(libraries.AGENT, timeout=10)
    assert server.kinds().count("media.secured") == 1, "the keys are those of before"
    call.bye()
    assert [end["by"] for end in server.ends()] == ["caller"]


def found(server):
    return [event["data"]["at"] for event in server.happened("media.path_found")]


def relayed(t):
    nat = house.House(t, {"udp": 30, "tcp": 60})
    nat.lets_no_datagrams_through()
    relay = turn.Relay(t, house.EXCHANGE)
    name, password = relay.pass_for_an_agent()
    turned = softphone.of_the_guide("```js turn\n").replace("…", name, 1).replace("…", password, 1)
    # Nobody resolves names here.
    turned = turned.replace(turn.NAME, relay.AT)
    server, _anna, call, _talker = talking(t, nat, script=softphone.of_the_guide() + turned)
    assert found(server)[-1].startswith(f"{relay.AT}:"), found(server)
    call.bye()
    server.ends()


def house_moves(t):
    nat = house.House(t, {"udp": 30, "tcp": 60})
    server, anna, call, talker = talking(t, nat)
    nat.is_seen_elsewhere()
    has_moved(server, anna, call, talker, f"{house.ROUTER_LATER}:")


def device_moves(t, **options):
    nat = house.House(t, {"udp": 30, "tcp": 60})
    server, anna, call, talker = talking(t, nat, **options)
    nat.device_moves()
    server.happened("media.path_found", 2, timeout=40)
    has_moved(server, anna, call, talker, f"{house.ROUTER_OUTSIDE}:")


def firefox_is_rung(t):
    nat = house.House(t, {"udp": 30, "tcp": 60})
    server, anna, call, talker = talking(t, nat, kind=firefox.Firefox)
    libraries.holds_and_is_muted(server, anna, talker)
    libraries.is_loaded_anew(server, anna, talker)
    libraries.leaves(server, call, anna)


def firefox_presses_keys(t):
    server, anna = at_home(t, house.House(t, {"udp": 30, "tcp": 60}), kind=firefox.Firefox)
    libraries.presses_keys(server, anna)


def firefox_device_moves(t):
    device_moves(t, kind=firefox.Firefox)


if __name__ == "__main__":
    trial.be_alone({"by_relay": relayed, "seen_elsewhere": house_moves, "moves": device_moves,
                    "firefox_is_called": firefox_is_rung, "firefox_calls": firefox_presses_keys, "firefox_moves": firefox_device_moves})
