"""One PJSIP device, told what to do by JSON lines on its input; what happens goes to its output as JSON lines.

It is a program of its own, because PJSIP has one endpoint a process. `pjsip.py` starts it.
"""

import json
import os
import queue
import sys
import threading

import pjsua2 as pj

KINDS = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP, "tls": pj.PJSIP_TRANSPORT_TLS}
KEEP = []  # what PJSIP still points to must not be freed by Python


def tell(**what):
    print(json.dumps(what), flush=True)


class Call(pj.Call):
    def __init__(self, device, number=pj.PJSUA_INVALID_ID):
        super().__init__(device.account, number)
        self.device = device
        KEEP.append(self)

    def onCallState(self, _):
        info = self.getInfo()
        tell(event="state", call=info.id, state=info.stateText, status=info.lastStatusCode)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED and self in self.device.calls:
            self.device.calls.remove(self)

    def onCallMediaState(self, _):
        info = self.getInfo()  # its media live only as long as this
        for at, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                audio = self.getAudioMedia(at)
                self.device.mouth.startTransmit(audio)
                self.device.tones.startTransmit(audio)
                audio.startTransmit(self.device.ear)

    def onCallTransferStatus(self, given):
        tell(event="transfer", status=given.statusCode, final=bool(given.finalNotify))
        given.cont = not given.finalNotify


class Account(pj.Account):
    def __init__(self, device):
        super().__init__()
        self.device = device

    def onRegState(self, given):
        tell(event="registered" if self.getInfo().regIsActive else "unregistered", status=given.code)

    def onIncomingCall(self, given):
        call = Call(self.device, given.callId)
        self.device.calls.append(call)
        tell(event="incoming", call=given.callId)
        if self.device.settings["answers"]:
            call.answer(answer(200))


class Device:
    def __init__(self, settings):
        self.settings, self.calls = settings, []
        self.endpoint = pj.Endpoint()
        self.endpoint.libCreate()
        self.endpoint.libInit(self.configuration())
        transport = pj.TransportConfig()
        transport.boundAddress = transport.publicAddress = "127.0.0.1"
        self.endpoint.transportCreate(KINDS[settings["transport"]], transport)
        self.endpoint.libStart()
        self.endpoint.audDevManager().setNullDev()
        for codec in self.endpoint.codecEnum2():
            self.endpoint.codecSetPriority(codec.codecId, 255 if codec.codecId.startswith("PCMA") else 0)
        self.mouth, self.ear = pj.AudioMediaPlayer(), pj.AudioMediaRecorder()
        self.tones = pj.ToneGenerator()
        self.mouth.createPlayer(settings["tone"])
        self.tones.createToneGenerator(8000, 1)
        self.ear.createRecorder(settings["recording"])
        self.account = Account(self)
        self.account.create(self.account_configuration())

    def configuration(self):
        wanted = pj.EpConfig()
        wanted.logConfig.level, wanted.logConfig.consoleLevel = 5, 0
        wanted.logConfig.filename = self.settings["log"]
        # One thread, that of `serve`, does all: Python and PJSIP need not agree on more.
        wanted.uaConfig.threadCnt = 0
        wanted.medConfig.clockRate = wanted.medConfig.sndClockRate = 8000
        wanted.medConfig.noVad, wanted.medConfig.ecTailLen = True, 0
        return wanted

    def account_configuration(self):
        name, place = self.settings["name"], self.settings["place"]
        wanted = pj.AccountConfig()
        wanted.idUri = f"sip:{name}@127.0.0.1"
        wanted.sipConfig.proxies.append(f"sip:{place};lr")
        wanted.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
        wanted.mediaConfig.transportConfig.port = self.settings["rtp"]
        wanted.mediaConfig.srtpUse = pj.PJMEDIA_SRTP_DISABLED
        if self.settings["password"]:
            wanted.regConfig.registrarUri = f"sip:{place}"
            wanted.regConfig.timeoutSec = 120
            word = pj.AuthCredInfo("digest", "*", name, 0, self.settings["password"])
            wanted.sipConfig.authCreds.append(word)
        return wanted

    def serve(self, orders):
        while True:
            self.endpoint.libHandleEvents(10)
            try:
                order = orders.get_nowait()
            except queue.Empty:
                continue
            if order is None:
                break
            try:
                self.carry_out(**order)
            except pj.Error as error:
                tell(event="error", order=order, reason=error.info())
        self.endpoint.hangupAllCalls()
        self.endpoint.libDestroy()
        os._exit(0)  # Python would free calls that PJSIP has freed

    def carry_out(self, do, **what):
        if do == "dial":
            call = Call(self)
            call.makeCall(f"sip:{what['user']}@127.0.0.1", pj.CallOpParam(True))
            self.calls.append(call)
        elif do == "hang_up":
            self.calls[-1].hangup(answer(200))
        elif do == "hold":
            self.calls[-1].setHold(pj.CallOpParam(True))
        elif do == "resume":
            given = pj.CallOpParam(True)
            given.opt.flag = pj.PJSUA_CALL_UNHOLD
            self.calls[-1].reinvite(given)
        elif do == "press" and self.settings["keys"] == "in-band":
            digit = pj.ToneDigit()
            digit.digit, digit.on_msec, digit.off_msec = what["key"], 300, 50
            digits = pj.ToneDigitVector()
            digits.append(digit)
            self.tones.playDigits(digits)
        elif do == "press":
            given = pj.CallSendDtmfParam()
            given.digits, given.duration = what["key"], 200
            by_info = self.settings["keys"] == "info"
            given.method = pj.PJSUA_DTMF_METHOD_SIP_INFO if by_info else pj.PJSUA_DTMF_METHOD_RFC2833
            self.calls[-1].sendDtmf(given)
        elif do == "transfer":
            self.calls[-1].xfer(f"sip:{what['user']}@127.0.0.1", pj.CallOpParam(True))
        elif do == "transfer_to_other":
            self.calls[0].xferReplaces(self.calls[1], pj.CallOpParam(True))


def answer(status):
    given = pj.CallOpParam()
    given.statusCode = status
    return given


def read_orders(orders):
    for line in sys.stdin:
        orders.put(json.loads(line))
    orders.put(None)


if __name__ == "__main__":
    given = queue.Queue()
    device = Device(json.loads(sys.stdin.readline()))
    threading.Thread(target=read_orders, args=(given,), daemon=True).start()
    device.serve(given)
