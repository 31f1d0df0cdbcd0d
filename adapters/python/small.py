#!/usr/bin/env python3
"""The smallest honest adapter for `gatecrash drive`: a client of subjects/tcp-chat that does not come back by itself."""
import asyncio
import json
import os
import sys

hello, link, user, login, waiting = {}, None, None, None, []  # waiting: calls that the server has not answered


def say(**line):
    print(json.dumps(line), flush=True)


def over(outcome={"outcome": "unknown"}):
    """Nobody is logged in any more. What has no answer may have been done or not: to say that it failed would be a guess."""
    global link, user
    if link:
        link.close()
    link = user = None
    say(status="LOGOUT", login_user=None)
    while waiting:
        say(answered=waiting.pop(), **outcome)


def write(**frame):
    link.write(json.dumps(frame).encode() + b"\n")


async def ping(mine):
    while link is mine:
        write(do="ping")
        await asyncio.sleep(0.5)


async def session(call, name):
    global link, user, login
    say(status="LOGINING", login_user=None)
    login, mine = call, None
    try:
        reader, mine = await asyncio.wait_for(asyncio.open_connection(*hello["server"].rsplit(":", 1)), 2)
        link = mine
        write(do="login", ref=call, user=name, device=hello["device"])
        pings = asyncio.create_task(ping(mine))
        while line := await asyncio.wait_for(reader.readline(), 2):
            frame = json.loads(line)
            if link is not mine:
                return  # It has logged out: nothing is told of that account any more.
            if frame.get("done") in waiting or frame.get("failed") in waiting:
                number = frame.get("done") or frame["failed"]
                waiting.remove(number)
                if "done" in frame and number == login:
                    user = name
                    say(status="LOGINED", login_user=name)
                elif number == login:
                    over()
                say(answered=number, **({"outcome": "ok"} if "done" in frame else {"code": frame["code"]}))
            elif "kicked" in frame:
                over()
                return say(told="kicked_offline", reason="same_platform", by=frame.get("by"))
            elif "message" in frame:
                write(do="got", last=frame.pop("message"))
                say(told="message", **frame)
    except (OSError, asyncio.TimeoutError) as why:
        print(f"link lost: {why!r}", file=sys.stderr)
    if link is mine:
        over({"outcome": "unknown"} if mine else {"code": 5})  # Where nothing was sent, nothing was done.


def call(number, line):
    say(called=number)
    if line["do"] == "login" and not waiting and not user:
        waiting.append(number)
        asyncio.create_task(session(number, line["user"]))
    elif line["do"] == "send" and user:
        waiting.append(number)
        write(do="send", ref=number, to=line["to"], text=line["text"], id=line["id"])
    elif line["do"] == "logout" and user:
        write(do="logout", ref=number)
        waiting.append(number)
        over()
    else:
        say(answered=number, code=1)


async def main():
    while text := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        line = json.loads(text)
        if "hello" in line:
            hello.update(line)
            say(ready=1, can=["called", "login", "logout", "send"], version="the smallest adapter")
        elif "call" in line:
            call(line["call"], line)
        elif "stop" in line:
            break
    os._exit(0)  # The end of input stands for a process that dies: nothing more is said to anybody.


asyncio.run(main())
