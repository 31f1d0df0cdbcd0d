#!/usr/bin/env python3
"""An adapter for `gatecrash drive` around a small SDK, for the chat of subjects/tcp-chat: put yours in `Session`.

docs/drive.md is the protocol. Standard output belongs to it alone; what else there is to say goes to standard error.
"""
import asyncio
import json
import os
import sys

PING, SILENCE = 0.5, 1.5  # s: a link on which nothing comes for so long is lost, three pings
NOT_UNDERSTOOD, LOGGED_IN, NOT_LOGGED_IN, NO_LINK = 1, 3, 4, 5
hello = {}  # who this device is, and its only way to the server
current = None  # the session of whoever is logged in, or is about to be


def say(**line):
    print(json.dumps(line), flush=True)


class Session:
    """One login, from its call to its end. Links come and go meanwhile, and the session is resumed on the next."""

    def __init__(self, call, user):
        self.user, self.login, self.calls = user, call, [call]
        self.token, self.got, self.link, self.is_up, self.is_over = None, 0, None, False, False
        say(status="LOGINING", login_user=None)
        self.task = asyncio.create_task(self.live())

    async def live(self):
        pause = 0.1
        while not self.is_over:
            say(told="connecting")
            was_up = await self.converse()
            pause = 0.1 if was_up else min(2 * pause, 1)
            await asyncio.sleep(pause)

    async def converse(self):
        """One link, from the attempt to its end. Says whether the session ever stood on it."""
        was_up = False
        pings = asyncio.create_task(self.ping())
        try:
            server = asyncio.open_connection(*hello["server"].rsplit(":", 1), limit=1 << 20)
            reader, link = await asyncio.wait_for(server, SILENCE)
            self.open(link)
            while line := await asyncio.wait_for(reader.readline(), SILENCE):
                self.heard(**json.loads(line))
                was_up |= self.is_up
                if self.is_over and not self.calls:
                    break
        except (OSError, asyncio.TimeoutError, ValueError, TypeError) as why:
            print(f"link lost: {why!r}", file=sys.stderr)
        pings.cancel()
        # What has left and has no answer may have been done or not: that it failed would be a guess. What never left
        # has failed. Neither is made again here: that is for the application to decide.
        outcome = {"outcome": "unknown"} if self.link else {"code": NO_LINK}
        if self.link:
            self.link.close()
        self.link, self.is_up = None, False
        if not self.is_over and not was_up:
            if not self.token:
                self.end()
            say(told="connect_failed", code=NO_LINK)
        self.answer(self.calls, **outcome)
        return was_up

    def open(self, link):
        if self.is_over:  # The user left before there was a link: nothing has to be said to the server.
            return link.close()
        self.link = link
        if self.token:
            return self.write(do="resume", token=self.token, got=self.got)
        self.write(do="login", ref=self.login, user=self.user, device=hello["device"])

    def write(self, **frame):
        if self.link:
            self.link.write(json.dumps(frame).encode() + b"\n")

    async def ping(self):
        while True:
            await asyncio.sleep(PING)
            self.write(do="ping")

    def heard(self, done=None, failed=None, code=0, token=None, resumed=None, kicked=None, by=None, message=None, **of):
        if done in self.calls:
            if token:  # LOGINED only when the server has accepted it: first the status, then the event, the answer.
                self.token, self.is_up = token, True
                say(status="LOGINED", login_user=self.user)
                say(told="connect_success")
            self.answer([done], outcome="ok")
        elif failed in self.calls:
            if failed == self.login:
                self.end()
                say(told="connect_failed", code=code)
            self.answer([failed], code=code)
        elif self.is_over:
            pass  # Nothing is told of an account that has logged out.
        elif resumed:
            self.is_up = True
            say(told="connect_success")
        elif kicked:
            self.end()  # It does not come back by itself.
            self.answer(self.calls, outcome="unknown")
            # With one seat a user all devices are of one kind to the server, whatever their platforms.
            reason = {"reason": "gone"} if kicked == "gone" else {"reason": "same_platform", "by": by}
            say(told="kicked_offline", **reason)
        elif message:
            self.write(do="got", last=message)
            if message > self.got:  # What comes again after a lost link is not told again.
                self.got = message
                say(told="message", **of)

    def answer(self, calls, **outcome):
        for call in list(calls):
            self.calls.remove(call)
            say(answered=call, **outcome)

    def end(self):
        global current
        self.is_over, current = True, None
        say(status="LOGOUT", login_user=None)


def call(number, do, user=None, to=None, text=None, id=None, **_):
    """One call. It is answered once, here or when the server's answer comes, and others may be made meanwhile."""
    global current
    say(called=number)
    if do == "login" and isinstance(user, str):
        if current:
            return say(answered=number, code=LOGGED_IN)
        current = Session(number, user)
    elif do == "send" and all(isinstance(field, str) for field in (to, text, id)):
        if not (current and current.token):
            return say(answered=number, code=NOT_LOGGED_IN)
        if not current.is_up:  # Nothing is queued: what is sent when the link is back is sent by the application.
            return say(answered=number, code=NO_LINK)
        current.calls.append(number)
        current.write(do="send", ref=number, to=to, text=text, id=id)
    elif do == "logout":
        if not current:
            return say(answered=number, code=NOT_LOGGED_IN)
        session = current
        session.end()
        session.answer(session.calls, outcome="unknown")
        if not session.link:  # Logged out here, and the server does not know: no failure, and not done.
            return say(answered=number, outcome="unknown")
        session.calls.append(number)
        session.write(do="logout", ref=number)
    else:
        say(answered=number, code=NOT_UNDERSTOOD)


async def main():
    read = asyncio.get_running_loop().run_in_executor
    # A thread waits for standard input, which may be a pipe or a file.
    while text := await read(None, sys.stdin.buffer.readline):
        line = {}
        try:
            line = json.loads(text)
            if "hello" in line:
                hello.update(line)
                say(ready=1, can=["called", "login", "logout", "send", "network_changed"], version="tcp-chat example, Python")
            elif "call" in line:
                call(line["call"], **{key: value for key, value in line.items() if key != "call"})
            elif line.get("note") == "woken" and current:
                current.write(do="ping")  # If the link is dead, this is not answered.
            elif line.get("note") == "network_changed" and current and current.link:
                current.link.close()
            elif "stop" in line:
                return  # Connections are closed. To log out is a call, and nobody has made it.
        except (ValueError, TypeError, AttributeError, KeyError) as why:
            print(f"not understood: {why!r}: {text!r}", file=sys.stderr)
            if isinstance(line, dict) and "call" in line:
                say(answered=line["call"], code=NOT_UNDERSTOOD)
    os._exit(0)  # The end of input stands for a process that dies: nothing more is said to anybody.


if __name__ == "__main__":
    asyncio.run(main())
