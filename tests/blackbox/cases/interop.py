"""Other people's phones: each registers, calls, is called, holds, presses keys and transfers. Who hears whom is told
by tones."""

import time

import audio
import baresip
import linphone
import pjsip
import sip
from cases.audio_path import Callee
from cases.registering import challenged, register
from trial import case, wait_for

DEVICE, OTHER, COLLEAGUE = 450, 1000, 1500  # Hz
PASSWORD = "correct-horse"
PROGRAMS = {"baresip": baresip.Baresip, "Linphone": linphone.Linphone, "PJSIP": pjsip.Pjsip}
WAYS = {"4733": "RFC 4733", "info": "INFO"}
FLOW = """title = "Straight into the queue"
languages = ["it"]
start = "wait"
[wait]
queue = "{queue}"
"""


def agent(name, queue="desk"):
    return {"name": name, "password": PASSWORD, "languages": ["it"], "queues": [queue]}


def into_queue(t, queue="desk"):
    """The number of this name, whose script puts who calls it into the queue of this name. The script is in the folder `scripts`."""
    script = t.folder / "scripts" / queue
    (script / "phrases").mkdir(parents=True)
    (script / "flow.toml").write_text(FLOW.format(queue=queue))
    (script / "phrases" / "it.toml").write_text('please_wait = "Attenda."\n')
    return {"number": queue, "script": queue}


def desk(t, program, callee=None, of_agents=None, **parts):
    """A server with two agents, the number `desk` of their queue, and `bridge`, which dials a phone by hand."""
    services = [into_queue(t), {"number": "echo", "kind": "echo"}]
    if callee:
        services.append({"number": "bridge", "kind": "dial", "to": f"sip:uas@127.0.0.1:{callee.phone.port}"})
    return t.server(services=services, agents=[{**agent(name), **(of_agents or {})} for name in ("anna", "bruno")], queues=[{"name": "desk"}],
                    scripts=t.folder / "scripts", sip={"digest": PROGRAMS[program].digest}, **parts)


def device(t, program, server, **options):
    """The program as the device of anna, registered."""
    phone = PROGRAMS[program](t, "anna", server, PASSWORD, hertz=DEVICE, **options)
    server.happened("endpoint.registered")
    return phone


def both_hear(phone, talker, hertz):
    """From now on, the program hears this tone, and the talker hears the program and not itself."""
    talker.until_heard(DEVICE)
    since = time.monotonic()
    phone.listen(2)
    there = talker.samples(since)
    here = phone.heard()[-round(1.5 * audio.RATE):]
    in_phone = {tone: audio.heard_seconds(here, tone) for tone in (DEVICE, hertz)}
    in_talker = {tone: audio.heard_seconds(there, tone) for tone in (DEVICE, hertz)}
    assert in_phone[hertz] > 1.1 and in_phone[DEVICE] == 0, f"in the program's ear: {in_phone}"
    assert in_talker[DEVICE] > 1.5 and in_talker[hertz] == 0, f"in the ear of who talks with it: {in_talker}"


def holds_and_resumes(phone, server, talker, hertz):
    """While it is held the other one hears music, and afterwards they hear each other."""
    phone.hold()
    server.happened("leg.held")
    talker.until_music(but_not=DEVICE)
    since = time.monotonic()
    phone.listen(1)
    music = talker.samples(since)
    assert audio.level(music) > 0.001, "who waits hears no music"
    assert audio.heard_seconds(music, DEVICE) == 0, "who waits hears who holds"
    phone.resume()
    server.happened("leg.resumed")
    both_hear(phone, talker, hertz)


def calls(program, transport):
    def run(t):
        callee = Callee(t, OTHER)
        server = desk(t, program, callee, open_to_loopback=False, tls=transport == "tls")
        way = "info" if transport != "udp" and "info" in PROGRAMS[program].ways else "4733"
        phone = device(t, program, server, transport=transport, keys=way)
        phone.dial("bridge")
        callee.answer()
        phone.established()
        server.happened("call.connected")
        both_hear(phone, callee.talker, OTHER)
        holds_and_resumes(phone, server, callee.talker, OTHER)
        phone.press("5")
        assert [(one["data"]["digit"], one["data"]["source"]) for one in server.happened("dtmf.received")] == [("5", way)]
        phone.hang_up()
        callee.hung_up()
        assert [(end["by"], end["cause"]) for end in server.ends()] == [("caller", "hung_up")]
    return run


def in_the_queue(t, server, program, hertz=OTHER, **options):
    """(the program as an agent's device, the caller it talks with, the caller's talker)."""
    phone = device(t, program, server, answers=True, **options)
    talker = t.talker(hertz)
    call = t.phone(server, "caller").call("desk", talker.port).established()
    talker.to = call.answer.media_address()
    phone.established()
    server.happened("call.connected")
    return phone, call, talker


def is_called(program, transport):
    def run(t):
        server = desk(t, program, tls=transport == "tls")
        phone, call, talker = in_the_queue(t, server, program, transport=transport)
        both_hear(phone, talker, OTHER)
        holds_and_resumes(phone, server, talker, OTHER)
        phone.hang_up()
        bye = call.phone.expect(lambda message: message.method == "BYE")
        call.phone.send(sip.answer(bye, 200, "OK"))
        assert [(end["by"], end["cause"]) for end in server.ends()] == [("callee", "hung_up")]
    return run


def presses(program, way):
    def run(t):
        server = desk(t, program, open_to_loopback=False)
        phone = device(t, program, server, **({"keys": way} if way != "4733" else {}))
        phone.dial("echo")
        phone.established()
        phone.listen(0.3)
        phone.press("5#09*")
        told = [event["data"] for event in server.happened("dtmf.received", 5)]
        assert "".join(one["digit"] for one in told) == "5#09*", told
        assert {one["source"] for one in told} == {way}, told
        phone.hang_up()
        server.ends()
        assert server.kinds().count("dtmf.received") == 5, "one press was taken for more than one"
    return run


def presses_in_band(program):
    """Nobody but the other party need understand them: they are passed on as the sound that they are."""
    def run(t):
        callee = Callee(t, OTHER)
        server = desk(t, program, callee, open_to_loopback=False)
        phone = device(t, program, server, keys="in-band")
        phone.dial("bridge")
        callee.answer()
        phone.established()
        server.happened("call.connected")
        phone.listen(0.5)
        since = time.monotonic()
        phone.press("5")
        heard = wait_for(lambda: audio.keys_heard(callee.talker.samples(since)), 5, "the callee hears no key")
        assert heard == {"5"}, f"the callee hears the keys {heard}"
        phone.hang_up()
        callee.hung_up()
        server.ends()
    return run


def colleague(t, server):
    """Bruno, whose phone by hand is registered."""
    callee = Callee(t, COLLEAGUE)
    callee.phone.server, callee.phone.user = server.sip, "bruno"
    challenge = challenged(callee.phone, "bruno")["MD5"]
    assert register(callee.phone, challenge, PASSWORD, "bruno").status == 200
    return callee


def now_talk(call, talker, callee):
    """The caller and the colleague hear each other, and nobody else."""
    talker.until_heard(COLLEAGUE)
    callee.talker.until_heard(OTHER)
    heard = audio.listen(1.5, talker, callee.talker)
    to_caller, to_colleague = ([audio.heard_seconds(ear, tone) for tone in (OTHER, COLLEAGUE, DEVICE)] for ear in heard)
    assert to_caller[1] > 1 and to_caller[0] == to_caller[2] == 0, f"in the caller's ear: {to_caller}"
    assert to_colleague[0] > 1 and to_colleague[1] == to_colleague[2] == 0, f"in the colleague's ear: {to_colleague}"
    call.bye()
    callee.hung_up()


def transfers_blind(program, transport):
    def run(t):
        server = desk(t, program, tls=transport == "tls")
        phone, call, talker = in_the_queue(t, server, program, transport=transport)
        callee = colleague(t, server)
        phone.transfer("bruno")
        callee.answer()
        server.happened("transfer.completed")
        now_talk(call, talker, callee)
        server.ends()
    return run


def transfers_attended(program, transport):
    def run(t):
        server = desk(t, program, tls=transport == "tls")
        phone, call, talker = in_the_queue(t, server, program, transport=transport)
        callee = colleague(t, server)
        phone.hold()
        server.happened("leg.held")
        phone.dial("bruno")
        callee.answer()
        phone.established(count=2)
        both_hear(phone, callee.talker, COLLEAGUE)
        phone.transfer_to_other()
        server.happened("transfer.completed")
        now_talk(call, talker, callee)
        server.ends(2)
    return run


for _program, _class in PROGRAMS.items():
    for _transport in ("udp", "tcp", "tls"):
        _by = _transport.upper()
        case(f"{_program} registers and calls over {_by}; audio both ways, holds, resumes, presses a key, hangs up",
             seconds=11)(calls(_program, _transport))
        case(f"{_program} is called through the queue over {_by}; audio both ways, holds, resumes, hangs up",
             seconds=10)(is_called(_program, _transport))
        case(f"{_program} hands its caller to a colleague, unasked, over {_by}",
             seconds=6)(transfers_blind(_program, _transport))
        if hasattr(_class, "transfer_to_other"):
            case(f"{_program} asks a colleague, then hands its caller over, over {_by}",
                 seconds=12)(transfers_attended(_program, _transport))
    for _way in _class.ways:
        case(f"{_program} presses keys by {WAYS[_way]}, and each is heard once", seconds=6)(presses(_program, _way))
    case(f"{_program} presses a key in-band, and who it talks with hears it", seconds=5)(presses_in_band(_program))
