"""SIPp scenarios from steps, for dialogs with more turns than one likes to read as XML.

A scenario is a list of steps. `invite`, `request`, `ack` and `respond` send; `wants` and `asked` wait for an answer or a
request and may check header fields. In a callee's scenario the first step is `called()`, and its own requests are made
with `callee=True`.
"""

import re
from xml.sax.saxutils import escape, quoteattr

CODECS = "m=audio [media_port] RTP/AVP {codecs}\na=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/8000\n"


def sdp(direction="sendrecv", version=1, codecs="8 101"):
    return (f"v=0\no=sipp 7 {version} IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\n"
            + CODECS.format(codecs=codecs) + f"a={direction}\n")


def write(folder, name, steps):
    """The file of the scenario."""
    text = "\n".join(steps)
    # SIPp refuses a scenario with a variable that is set and not read.
    names = sorted(set(re.findall(r'assign_to="([^"]*)"', text)))
    named = ",".join(dict.fromkeys(one for pair in names for one in pair.split(",")))
    reference = f'<Reference variables="{named}"/>' if named else ""
    path = folder / f"{name}.xml"
    path.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{name}">\n{text}\n{reference}\n</scenario>\n')
    return path


def invite(more=(), body=sdp(), target="sip:[service]@[remote_ip]:[remote_port]", number=1, key="[branch]"):
    return send("INVITE", target, number, caller_head(), more, body, key)


def request(method, number, more=(), body="", callee=False, key="[branch]", ruri=None):
    """A request within the dialog. `key` is the branch: one that is given again makes a CANCEL's or a refused INVITE's
    ACK."""
    head = callee_head() if callee else caller_head("[peer_tag_param]")
    return send(method, ruri or ("[$contact]" if callee else "[next_url]"), number, head, more, body, key)


def ack(number=1, body="", callee=False, key="[branch]"):
    return request("ACK", number, (), body, callee, key)


def send(method, target, number, head, more, body, key="[branch]"):
    lines = [f"{method} {target} SIP/2.0", f"Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch={key}",
             "Max-Forwards: 70", *head, "Call-ID: [call_id]", f"CSeq: {number} {method}",
             "Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>", *more]
    return sent(lines, body, again=method != "ACK")


def caller_head(tag=""):
    return ["From: <sip:sipp@[local_ip]:[local_port]>;tag=[pid]sipp[call_number]",
            f"To: <sip:[service]@[remote_ip]:[remote_port]>{tag}"]


def callee_head():
    return ["From:[$to];tag=[pid]callee[call_number]", "To:[$from]"]


def respond(status, reason, more=(), body="", tag="[pid]callee[call_number]", again=False, initial=False):
    """An answer to the request that came last, or with `initial` to the first INVITE."""
    if initial:
        head = ["Via:[$via]", "From:[$from]", f"To:[$to];tag={tag}", "Call-ID: [call_id]", "CSeq:[$cseq]"]
    else:
        head = ["[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]"]
    lines = [f"SIP/2.0 {status} {reason}", *head,
             "Contact: <sip:callee@[local_ip]:[local_port];transport=[transport]>", *more]
    return sent(lines, body, again)


def sent(lines, body, again):
    typed = any(line.startswith("Content-Type:") for line in lines)
    lines = lines + (["Content-Type: application/sdp"] if body and not typed else []) + ["Content-Length: [len]", "", *body.split("\n")]
    text = "\n".join(f"      {line}".rstrip() for line in lines)
    return f'  <send{" retrans=" + quoteattr("500") if again else ""}>\n    <![CDATA[\n{text}\n    ]]>\n  </send>'


def called(**has):
    """The first INVITE to a callee, of which it keeps what its answers and its own requests need."""
    actions = [keep("&lt;([^&gt;]*)&gt;", "Contact:", "whole,contact"),
               *(keep(".*", f"{name}:", name.lower()) for name in ("Via", "From", "To", "CSeq"))]
    return waited('request="INVITE" rrs="true"', actions + checks(has))


def wants(status, optional=False, auth=False, body=None, **has):
    """Waits for an answer, which must have these header fields: `Session_Expires="90.*"`."""
    marks = f'response="{status}"' + (' optional="true"' if optional else "") + (' auth="true"' if auth else "")
    return waited(marks + (' rrs="true"' if 101 <= status <= 299 else ""), checks(has) + in_body(body))


def asked(method, optional=False, body=None, **has):
    return waited(f'request="{method}"' + (' optional="true"' if optional else ""), checks(has) + in_body(body))


def provisional():
    """100 and 180 may come."""
    return "\n".join(wants(status, optional=True) for status in (100, 180))


def pause(milliseconds):
    """A person takes so long: to answer, to say what they called for. What somebody else does is waited for by `asked` and
    `wants`, never by time."""
    return f'  <pause milliseconds="{milliseconds}"/>'


def plays(how, what):
    """`play_pcap_audio` sends the packets of a file from the media port; `rtp_stream` says a file of sound from a port
    of its own."""
    return f"  <nop><action><exec {how}={quoteattr(str(what))}/></action></nop>"


def checks(has):
    return [keep(escape(pattern), name.replace("_", "-") + ":", f"c{at}") for at, (name, pattern) in enumerate(has.items())]


def in_body(pattern):
    return [f'<ereg regexp="{escape(pattern)}" search_in="body" check_it="true" assign_to="inside"/>'] if pattern else []


def keep(pattern, header, names):
    return f'<ereg regexp="{pattern}" search_in="hdr" header="{header}" check_it="true" assign_to="{names}"/>'


def waited(marks, actions):
    inside = f"<action>{''.join(actions)}</action>" if actions else ""
    return f"  <recv {marks}>{inside}</recv>"
