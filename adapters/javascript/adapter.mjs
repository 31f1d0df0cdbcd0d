#!/usr/bin/env node
// An adapter for `gatecrash drive` around a small SDK, for the chat of subjects/tcp-chat: put yours in `Session`.
//
// docs/drive.md is the protocol. Standard output belongs to it alone; what else there is to say goes to standard error.
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const PING = 500, SILENCE = 1500; // ms: a link on which nothing comes for so long is lost, three pings
const NOT_UNDERSTOOD = 1, LOGGED_IN = 3, NOT_LOGGED_IN = 4, NO_LINK = 5;
let hello; // who this device is, and its only way to the server
let current = null; // the session of whoever is logged in, or is about to be

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

/** Hands on each whole line. `node:readline` of Node.js 24 ends lines at U+2028 too, which JSON may have in a text. */
function eachLine(stream, hand) {
  let rest = "";
  stream.setEncoding("utf8").on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    lines.forEach(hand);
  });
}

/** One login, from its call to its end. Links come and go meanwhile, and the session is resumed on the next. */
class Session {
  token = null;
  got = 0;
  link = null;
  isUp = false;
  isOver = false;

  constructor(call, user) {
    Object.assign(this, { user, login: call, calls: new Set([call]) });
    say({ status: "LOGINING", login_user: null });
    this.live();
  }

  async live() {
    for (let pause = 100; !this.isOver; await sleep(pause)) {
      say({ told: "connecting" });
      pause = (await this.converse()) ? 100 : Math.min(2 * pause, 1000);
    }
  }

  /** One link, from the attempt to its end. Says whether the session ever stood on it. */
  async converse() {
    const [, host, port] = hello.server.match(/^(.*):(\d+)$/);
    const socket = net.connect({ host, port, noDelay: true });
    const silence = setTimeout(() => socket.destroy(new Error("nothing came in time")), SILENCE);
    const pings = setInterval(() => this.write({ do: "ping" }), PING);
    let wasUp = false;
    socket.on("connect", () => {
      silence.refresh();
      this.open(socket);
    });
    socket.on("error", (why) => console.error("link lost:", why.message));
    eachLine(socket, (line) => {
      silence.refresh();
      try {
        this.heard(JSON.parse(line));
      } catch (why) {
        socket.destroy(why);
      }
      wasUp ||= this.isUp;
      if (this.isOver && this.calls.size === 0) socket.destroy();
    });
    await new Promise((lost) => socket.on("close", lost));
    clearTimeout(silence);
    clearInterval(pings);
    // What has left and has no answer may have been done or not: that it failed would be a guess. What never left
    // has failed. Neither is made again here: that is for the application to decide.
    const outcome = this.link ? { outcome: "unknown" } : { code: NO_LINK };
    [this.link, this.isUp] = [null, false];
    if (!this.isOver && !wasUp) {
      if (!this.token) this.end();
      say({ told: "connect_failed", code: NO_LINK });
    }
    this.answer(this.calls, outcome);
    return wasUp;
  }

  open(socket) {
    if (this.isOver) return socket.destroy(); // Its user left before there was a link: the server knows nothing of it.
    this.link = socket;
    if (this.token) this.write({ do: "resume", token: this.token, got: this.got });
    else this.write({ do: "login", ref: this.login, user: this.user, device: hello.device });
  }

  write(frame) {
    this.link?.write(JSON.stringify(frame) + "\n");
  }

  heard({ done, failed, code, token, resumed, kicked, by, message, ...of }) {
    if (this.calls.has(done)) {
      if (token) {
        // LOGINED only when the server has accepted it: the status first, then the event, then the answer.
        [this.token, this.isUp] = [token, true];
        say({ status: "LOGINED", login_user: this.user });
        say({ told: "connect_success" });
      }
      this.answer([done], { outcome: "ok" });
    } else if (this.calls.has(failed)) {
      if (failed === this.login) {
        this.end();
        say({ told: "connect_failed", code });
      }
      this.answer([failed], { code });
    } else if (this.isOver) {
      // Nothing is told of an account that has logged out.
    } else if (resumed) {
      this.isUp = true;
      say({ told: "connect_success" });
    } else if (kicked) {
      this.end(); // It does not come back by itself.
      this.answer(this.calls, { outcome: "unknown" });
      // With one seat a user all devices are of one kind to the server, whatever their platforms.
      say({ told: "kicked_offline", reason: kicked === "gone" ? "gone" : "same_platform", by });
    } else if (message) {
      this.write({ do: "got", last: message });
      if (message <= this.got) return; // What comes again after a lost link is not told again.
      this.got = message;
      say({ told: "message", ...of });
    }
  }

  answer(calls, outcome) {
    for (const call of [...calls]) {
      this.calls.delete(call);
      say({ answered: call, ...outcome });
    }
  }

  end() {
    [this.isOver, current] = [true, null];
    say({ status: "LOGOUT", login_user: null });
  }
}

/** One call. It is answered once, here or when the server's answer comes, and others may be made meanwhile. */
function call({ call: number, do: what, user, to, text, id }) {
  say({ called: number });
  const refuse = (code) => say({ answered: number, code });
  const areTexts = (...fields) => fields.every((field) => typeof field === "string");
  const session = current;
  if (what === "login" && areTexts(user)) {
    if (session) return refuse(LOGGED_IN);
    current = new Session(number, user);
  } else if (what === "send" && areTexts(to, text, id)) {
    if (!session?.token) return refuse(NOT_LOGGED_IN);
    if (!session.isUp) return refuse(NO_LINK); // Nothing is queued: the application sends it when the link is back.
    session.calls.add(number);
    session.write({ do: "send", ref: number, to, text, id });
  } else if (what === "logout") {
    if (!session) return refuse(NOT_LOGGED_IN);
    session.end();
    session.answer(session.calls, { outcome: "unknown" });
    // Without a link it is logged out here, and the server does not know: no failure, and not done.
    if (!session.link) return say({ answered: number, outcome: "unknown" });
    session.calls.add(number);
    session.write({ do: "logout", ref: number });
  } else {
    refuse(NOT_UNDERSTOOD);
  }
}

function obey(line) {
  if (line.hello) {
    hello = line;
    const can = ["called", "login", "logout", "send", "network_changed"];
    say({ ready: 1, can, version: `tcp-chat example, Node.js ${process.versions.node}` });
  } else if (line.call !== undefined) {
    call(line);
  } else if (line.note === "woken") {
    current?.write({ do: "ping" }); // If the link is dead, this is not answered.
  } else if (line.note === "network_changed") {
    current?.link?.destroy();
  } else if (line.stop) {
    current?.link?.end();
    // Connections are closed. To log out is a call, and nobody has made it.
    process.exit(0);
  }
}

eachLine(process.stdin, (text) => {
  let line;
  try {
    line = JSON.parse(text);
    obey(line);
  } catch (why) {
    console.error("not understood:", why.message, text);
    if (line?.call !== undefined) say({ answered: line.call, code: NOT_UNDERSTOOD });
  }
});
// The end of input stands for a process that dies: nothing more is said to anybody.
process.stdin.on("end", () => process.exit(0));
