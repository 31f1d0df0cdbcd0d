#!/usr/bin/env node
// An adapter for `gatecrash drive` around socket.io-client, for the chat of subjects/socketio: see docs/drive.md.
//
// It does as the client does: reconnecting is the client's own, and what comes twice of it is told twice.
import { createRequire } from "node:module";

const { io } = createRequire(import.meta.url)("socket.io-client"); // `require` looks in NODE_PATH, `import` does not.
const { version } = createRequire(import.meta.url)("socket.io-client/package.json");
const NOT_UNDERSTOOD = 1, LOGGED_IN = 3, NOT_LOGGED_IN = 4, NO_LINK = 5;
let hello; // who this device is, and its only way to the server
let current = null; // the session of whoever is logged in, or is about to be

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

/** One login, from its call to its end: a socket of socket.io, over all connections that it makes. */
class Session {
  calls = new Set();
  hasOpened = false; // a connection stood, so that the login has left
  id = null; // the socket's, once the login is accepted
  isOver = false;
  isConnecting = false;

  constructor(call, user) {
    this.calls.add(call);
    say({ status: "LOGINING", login_user: null });
    const socket = io(`http://${hello.server}`, {
      auth: (give) => give({ user, device: hello.device, again: this.id }),
      transports: ["websocket"],
      forceNew: true,
      timeout: 1500,
      reconnectionDelay: 100,
      reconnectionDelayMax: 1000,
    });
    this.socket = socket;
    this.connecting();
    socket.io.on("reconnect_attempt", () => this.connecting());
    socket.io.on("open", () => (this.hasOpened = true));
    // When it is refused the connection closes first, and why is told right behind it.
    socket.io.on("close", () => queueMicrotask(() => this.failed()));
    socket.io.on("reconnect_error", () => this.failed());
    socket.on("connect", () => {
      console.error("connected, recovered:", socket.recovered);
      if (this.id && !this.isOver) this.connected();
    });
    // The server has accepted the login. Only now there is an event from which the client can be recovered.
    socket.on("welcome", () => {
      if (this.isOver) return;
      this.id = socket.id;
      say({ status: "LOGINED", login_user: user });
      this.connected();
      this.answer([call], { outcome: "ok" });
    });
    socket.on("connect_error", ({ data }) => {
      if (this.isOver || (this.id && !data)) return this.failed();
      if (this.id) return this.kicked(data);
      // Refused, or not sent, or sent and not answered. The client would try again: the application is to say that.
      this.leave(data ? data.code : NO_LINK, data || !this.hasOpened);
    });
    socket.on("disconnect", (reason) => {
      console.error("disconnected:", reason);
      // The client does not come back by itself then, and nobody was told why.
      if (reason === "io server disconnect" && !this.isOver) this.end();
      this.answer(this.calls, { outcome: "unknown" });
    });
    socket.on("kicked", (kick) => !this.isOver && this.kicked(kick));
    socket.on("message", ({ id, from, text }) => !this.isOver && say({ told: "message", id, from, text }));
  }

  connecting() {
    if (this.isOver || this.isConnecting) return;
    this.isConnecting = true;
    say({ told: "connecting" });
  }

  connected() {
    this.isConnecting = false;
    say({ told: "connect_success" });
  }

  failed() {
    if (this.isOver || !this.isConnecting) return;
    if (!this.id) return this.leave(NO_LINK, !this.hasOpened);
    this.isConnecting = false;
    say({ told: "connect_failed", code: NO_LINK });
  }

  /** The login came to nothing, for certain or as far as anybody knows. */
  leave(code, isCertain) {
    this.end();
    say({ told: "connect_failed", code });
    this.answer(this.calls, isCertain ? { code } : { outcome: "unknown" });
    this.socket.disconnect();
  }

  kicked({ reason, by }) {
    this.end();
    this.answer(this.calls, { outcome: "unknown" });
    say({ told: "kicked_offline", reason, by });
    this.socket.disconnect();
  }

  /** Asks the server for something, and answers the call when it has. Else it may have been done or not. */
  ask(call, what, ...more) {
    this.calls.add(call);
    this.socket.timeout(2000).emit(what, ...more, (lost, code) => {
      this.answer([call], lost ? { outcome: "unknown" } : code ? { code } : { outcome: "ok" });
      if (what === "logout") this.socket.disconnect();
    });
  }

  answer(calls, outcome) {
    for (const call of [...calls]) {
      if (this.calls.delete(call)) say({ answered: call, ...outcome });
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
    if (!session?.id) return refuse(NOT_LOGGED_IN);
    // The client would keep it for the next connection. Here nothing is queued: the application sends it again.
    if (!session.socket.connected) return refuse(NO_LINK);
    session.ask(number, "send", { to, text, id });
  } else if (what === "logout") {
    if (!session) return refuse(NOT_LOGGED_IN);
    session.end();
    session.answer(session.calls, { outcome: "unknown" });
    if (session.socket.connected) return session.ask(number, "logout");
    session.socket.disconnect();
    say({ answered: number, outcome: "unknown" }); // The server does not know.
  } else {
    refuse(NOT_UNDERSTOOD);
  }
}

function obey(line) {
  if (line.hello) {
    hello = line;
    say({ ready: 1, can: ["called", "login", "logout", "send", "network_changed"], version: `socket.io-client ${version}` });
  } else if (line.call !== undefined) {
    call(line);
  } else if (line.note === "network_changed") {
    current?.socket.io.engine?.close(); // As the documentation has it done to try recovery out.
  } else if (line.stop) {
    process.exit(0);
  }
}

let rest = "";
process.stdin.setEncoding("utf8").on("data", (text) => {
  const lines = (rest + text).split("\n");
  rest = lines.pop();
  for (const text of lines) {
    let line;
    try {
      line = JSON.parse(text);
      obey(line);
    } catch (why) {
      console.error("not understood:", why.message, text);
      if (line?.call !== undefined) say({ answered: line.call, code: NOT_UNDERSTOOD });
    }
  }
});
// The end of input stands for a process that dies: nothing more is said to anybody.
process.stdin.on("end", () => process.exit(0));
