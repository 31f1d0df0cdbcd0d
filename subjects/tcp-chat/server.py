#!/usr/bin/env python3
"""A chat over TCP with one seat a user: the newest login has it, and whoever had it is told. JSON Lines, both ways.

A session outlives its connection: its device comes back with `resume` and gets what it is still owed. A restart ends
all sessions, and their devices are told so; which messages were sent is kept. `--bug` plants a mistake in it.
"""
import argparse
import asyncio
import json
import re
import secrets

LINE_MAX = 1 << 20
SILENCE = 5  # s: a device pings ten times as often
BAD_NAME, NOBODY_THERE = 2, 6  # 1 and 3 to 5 are said by devices themselves
BUGS = {
    "never-told": "the displaced one is never told",
    "late-end": "the end of a displaced one's connection frees the seat of whoever has it by then",
    "keeps-receiving": "displaced ones are told by a job that runs once a second, and get messages until then",
}


class Session:
    def __init__(self, link, user=None, device=None):
        self.link, self.user, self.device = link, user, device
        # Drawn, not counted: no session of before a restart is taken for another one.
        self.token, self.last, self.owed, self.older = secrets.token_hex(8), 0, [], None

    def say(self, **frame):
        if self.link:
            self.link.write(json.dumps(frame).encode() + b"\n")

    def close(self):
        if self.link:
            self.link.close()  # What was said is still sent.
        self.link = None

    def deliver(self, message):
        self.last += 1
        self.owed.append({"message": self.last, **message})
        self.say(**self.owed[-1])

    def got(self, last):
        self.owed = [message for message in self.owed if message["message"] > last]


class Chat:
    def __init__(self, sent, bug):
        self.bug = bug
        self.seats = {}  # the session of each user
        self.live = {}  # sessions by token
        self.ended = {}  # by token, what the device of a session that is over is told whenever it comes back
        # Sender and id of each message, for one that is sent again is the same, after a restart too.
        self.sent_file = open(sent, "a+")
        self.sent_file.seek(0)
        self.sent = set(self.sent_file)

    def login(self, link, ref, user, device):
        session = Session(link, user, device)
        if not re.fullmatch("[A-Za-z0-9_-]{1,32}", user):
            return session.say(failed=ref, code=BAD_NAME)
        older = self.seats.get(user)
        self.seats[user] = self.live[session.token] = session
        session.say(done=ref, token=session.token)
        if older and self.bug == "keeps-receiving":
            session.older = older
            asyncio.get_running_loop().call_later(1, self.displace, older, session)
        elif older and self.bug != "never-told":
            self.displace(older, session)
        return session

    def displace(self, older, by):
        # A device is not displaced by itself: its session was replaced, and is no more if it asks.
        kick = {"kicked": "gone"} if older.device == by.device else {"kicked": "displaced", "by": by.device}
        self.live.pop(older.token, None)
        self.ended[older.token] = kick
        older.say(**kick)
        older.close()

    def resume(self, link, token, got):
        session = self.live.get(token)
        if session is None:
            return Session(link).say(**self.ended.get(token, {"kicked": "gone"}))
        session.close()
        session.link = link
        session.got(got)
        session.say(resumed=token)
        for message in session.owed:
            session.say(**message)
        return session

    def send(self, session, ref, to, text, id):
        receiver, name = self.seats.get(to), json.dumps([session.user, id]) + "\n"
        if name not in self.sent:
            if receiver is None:
                return session.say(failed=ref, code=NOBODY_THERE)
            self.sent.add(name)
            print(name, end="", file=self.sent_file, flush=True)
            for one in filter(None, (receiver, receiver.older)):
                one.deliver({"id": id, "from": session.user, "text": text})
        session.say(done=ref)

    def logout(self, session, ref):
        session.say(done=ref)
        if self.live.pop(session.token, None) and self.seats.get(session.user) is session:
            del self.seats[session.user]
        session.close()

    async def converse(self, reader, link):
        session = None
        try:
            while line := await asyncio.wait_for(reader.readline(), SILENCE):
                frame = json.loads(line)
                do = frame.pop("do")
                if session is None:
                    session = {"login": self.login, "resume": self.resume}[do](link, **frame)
                elif session.link is not link:
                    break  # Its session is over, or goes on elsewhere: what was still under way here is not heard.
                elif do == "ping":
                    session.say(pong=1)
                elif do == "got":
                    session.got(frame["last"])
                else:
                    {"send": self.send, "logout": self.logout}[do](session, **frame)
        except (OSError, asyncio.TimeoutError, ValueError, KeyError, TypeError) as mistake:
            print(f"connection closed: {mistake!r}", flush=True)
        finally:
            link.close()
            if session and session.link is link:
                session.link = None  # The session stays, and may be resumed.
            if session and session.token in self.ended and self.bug == "late-end":
                self.seats.pop(session.user, None)


async def main():
    parser = argparse.ArgumentParser(description="A chat over TCP with one seat a user.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--sent", required=True, help="the file that keeps which messages were sent")
    parser.add_argument("--bug", choices=BUGS, help="; ".join(f"{name}: {what}" for name, what in BUGS.items()))
    options = parser.parse_args()
    chat = Chat(options.sent, options.bug)
    server = await asyncio.start_server(chat.converse, options.host, options.port, limit=LINE_MAX)
    print("listening", flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
