// A tab as a device: it logs a user in, keeps the session and comes back by itself. It shows messages and acknowledges
// them; it sends none, renews no ticket and switches to no other user. What stands in brackets are rules of SPEC.md.

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import errors from "../../docs/errors.md";
import * as proto from "./generated/session_pb.js";

const [TOO_OLD, NO_LINK, TIMED_OUT, NO_ANSWER, BUSY, UNABLE] = [7013, 9508, 9510, 9520, 70169, 70500];
const found = ["form", "fieldset", "button", "[type=button]", "output", "ol"].map(it => document.querySelector(it));
const [form, fields, enter, leave, output, list] = found;

// What outlives a reload, in this tab alone (ATT-4): the device, what the form said, and the session if it has an epoch.
const record = { start: 0, state: "out", text: "Nobody is logged in." };
// The connection, made or being made; whether it is the session's link; the login that is pending.
let socket, isUp = false, login;
let drawn = 0, returnSpread = 250, away = { until: 0, spread: 0 }; // The back-off (CONN-2).
let heartbeat = 30_000; // As often as CONN-11 has it in the end where silent links are forgotten.

const timers = {};
const cancel = (...names) => names.forEach(name => { clearTimeout(timers[name]); delete timers[name]; });
const after = (name, ms, act) => { cancel(name); timers[name] = setTimeout(() => { delete timers[name]; act(); }, ms); };

const tell = code => `[${code}] ${errors.match(`\n\\| ${code} \\| ([^|]+) \\|`)?.[1] ?? "of another version"}`;
const say = text => list.append(Object.assign(document.createElement("li"), { textContent: text }));
const keep = () => sessionStorage.setItem("gatecrash", JSON.stringify(record));
const drawn16 = () => [...crypto.getRandomValues(new Uint8Array(16))];
const newDevice = () => Object.assign(record, { device: drawn16(), start: 1, count: 0, owed: false, ended: undefined });
const attempt = () => ({ start: record.start, count: ++record.count }); // ATT-1
const named = ({ user, epoch }) => ({ user, epoch: BigInt(epoch) });
const isOurs = ({ user, epoch }) => user === record.user && String(epoch) === record.epoch;

function show(state, text) {
  Object.assign(record, { state, text });
  keep();
  document.body.dataset.state = state;
  output.textContent = text;
  leave.disabled = !(enter.disabled = fields.disabled = Boolean(login || record.epoch));
}

function send(name, value) {
  keep(); // Before it leaves: the number of an attempt, and that a session is over (ATT-4, KICK-7).
  const envelope = create(proto.ClientEnvelopeSchema, { frame: { case: name, value } });
  const body = toBinary(proto.ClientEnvelopeSchema, envelope);
  socket.send(new Uint8Array([...[24, 16, 8, 0].map(bits => body.length >> bits), ...body]));
}

function connect() {
  if (login || record.epoch) say("connecting");
  const it = socket = new WebSocket(record.server);
  it.binaryType = "arraybuffer";
  it.onopen = () => it === socket && greet();
  it.onclose = () => it === socket && lost(NO_LINK, isUp ? returnSpread : undefined);
  let bytes = new Uint8Array();
  // Where a message ends means nothing: each frame has its length in front.
  const end = () => (bytes.length < 4 ? Infinity : 4 + new DataView(bytes.buffer).getUint32(0));
  it.onmessage = ({ data }) => {
    bytes = new Uint8Array([...bytes, ...new Uint8Array(data)]);
    for (; it === socket && end() <= bytes.length; bytes = bytes.slice(end())) {
      const { frame } = fromBinary(proto.ServerEnvelopeSchema, bytes.subarray(4, end()));
      const { outcome = frame } = frame.value;
      on[outcome.case](outcome.value);
    }
  };
  after("attempt", 10_000, () => lost(TIMED_OUT));
}

/** Says who it is, and asks for what is wanted. */
function greet() {
  const { device, platform, user, ticket, epoch, received, ended } = record;
  send("hello", { version: 1, device: new Uint8Array(device), platform: proto.Platform[platform] });
  if (epoch) return send("resume", { attempt: attempt(), session: named(record), ticket, received: BigInt(received) });
  if (record.owed) send("logout", { attempt: attempt() }); // Ahead of a login (LOGOUT-2).
  if (!login) return;
  send("login", { call: 1n, attempt: attempt(), user, ticket, knownEnded: ended && named(ended) });
  login.sent = true;
  cancel("attempt"); // From here on the login's own time counts (LOGIN-8).
}

/** What comes on the connection from now on does not count any more. */
function hangUp() {
  cancel("again", "attempt", "steady", "beat", "answer");
  socket?.close();
  [socket, isUp] = [undefined, false];
}

/** The connection is gone, or no good. `code` is how it ends an attempt, `spread` is that of `reconnect`. */
function lost(code, spread) {
  if (!isUp && (login || record.epoch)) say(`connect_failed ${tell(code)}`);
  hangUp();
  if (login?.sent) return loginOver(code === TOO_OLD ? code : NO_ANSWER);
  if (login) login.end = code;
  if (code === TOO_OLD) return show(record.state, `Given up: ${tell(code)}.`); // VERSION-1
  reconnect(spread);
}

/** Comes back after a random time (CONN-2). `spread`: over how many ms all do whose links the other side closed. */
function reconnect(spread = drawn ? 0 : 250) {
  if (!login && !record.epoch && !record.owed) return; // CONN-9
  const middle = drawn && Math.min(16_000, 250 * 2 ** (drawn - 1)), early = away.until - performance.now();
  const wait = early > 0 ? early + Math.random() * away.spread : middle * 0.8 + Math.random() * (middle * 0.4 + spread);
  drawn += 1;
  after("again", wait, connect);
  if (record.epoch) show("waiting", `Logged in as ${record.user}, reconnecting in ${(wait / 1000).toFixed(1)} s.`);
}

/** A login or resume was accepted. */
function up(terms, how) {
  cancel("attempt", "login");
  [isUp, login] = [true, undefined];
  returnSpread = Number(terms?.returnSpreadUs || 250_000) / 1000;
  heartbeat = Math.min(30_000, Number(terms?.heartbeatUs || Infinity) / 1000);
  after("steady", 30_000, () => { drawn = 0; });
  say(`connect_success, ${how}`);
  show("in", `Logged in as ${record.user}, epoch ${record.epoch}, ${how}.`);
  beat();
}

/** The link has given a sign of life, and is asked for the next in a while (CONN-5). */
const beat = () => { cancel("answer"); after("beat", heartbeat, probe); };

function probe(patience = 15_000) {
  if (!timers.answer) send("heartbeat", {});
  cancel("beat");
  after("answer", patience, () => lost(NO_LINK));
}

/** Nobody is logged in, and nothing is done before somebody wants it (KICK-4, TICKET-8), but to say an owed end. */
function over(state, text, isOwed = false) {
  Object.assign(record, { epoch: undefined, owed: record.owed || isOwed });
  login = undefined;
  cancel("login");
  hangUp();
  show(state, text);
  reconnect();
}

/** Whether the login was done nobody may know (LOGIN-8, DUR-5). */
const loginOver = code => over("out", `Not logged in: ${tell(code)}.`, code === NO_ANSWER || code === UNABLE);

/** What becomes of what the server says: of its frames, and of an answer's outcome in the place of the answer. */
const on = {
  admitted({ epoch, terms }) {
    Object.assign(record, { epoch: String(epoch), received: "0", ended: undefined });
    up(terms, "logged in");
    send("loginAcknowledged", { session: named(record) }); // KICK-7
  },
  loggedIn: admission => on.admitted(admission), // KICK-6
  refused: ({ why }) => (why.case === "stale" ? on.stale() : login ? loginOver(why.value) : lost(why.value)),
  resumed: ({ terms, dropped }) => up(terms, dropped ? `resumed, ${dropped} messages dropped` : "resumed"),
  refusedCode: code => over("expired", `Logged out: ${tell(code)}.`, true), // CONN-4
  unableCode: code => lost(code),
  stale: () => { lost(NO_ANSWER); newDevice(); }, // ATT-1
  kicked: kick => on.kick(kick),
  kick({ session, reason }) {
    const isMine = isOurs(session);
    record.ended = { user: session.user, epoch: String(session.epoch) };
    send("kickConfirmed", { session });
    if (isMine) over("kicked", `Kicked: ${proto.KickReason[reason].toLowerCase().replace("_", " ")} (${reason}).`);
  },
  expired: ({ session }) => (!session || isOurs(session)) && over("expired", "The ticket has expired."),
  done() {
    record.owed = false; // A logout's (LOGOUT-2).
    if (!login) over(record.state, record.text);
  },
  message({ from, text, place }) {
    if (place <= BigInt(record.received)) return;
    say(`${from}: ${text}`);
    record.received = String(place);
    send("messagesReceived", { session: named(record), through: place });
  },
  heartbeatAnswer: beat,
  closing({ why, afterUs, spreadUs }) {
    [drawn, away] = [0, { until: performance.now() + Number(afterUs) / 1000, spread: Number(spreadUs) / 1000 }];
    if (login) login.sent = false; // It was not done (LOGIN-8).
    lost(why === proto.WhyClosing.STOPPING ? NO_LINK : BUSY);
  },
  error: ({ error }) => lost(error === proto.FrameError.VERSION ? TOO_OLD : NO_LINK),
};

form.onsubmit = event => {
  event.preventDefault();
  if (form.platform.value !== record.platform) newDevice();
  Object.assign(record, Object.fromEntries(new FormData(form)));
  [login, drawn] = [{ sent: false, end: NO_LINK }, 0];
  after("login", 30_000, () => loginOver(login.sent ? NO_ANSWER : socket ? TIMED_OUT : login.end));
  show("waiting", `Logging in as ${record.user}.`);
  hangUp();
  connect();
};
leave.onclick = () => {
  if (isUp) send("logout", { attempt: attempt() });
  over("out", "Logged out.", Boolean(record.epoch || login?.sent)); // until that is answered (LOGOUT-2)
};

/** Of a tab that was asleep, or on another network, the link may be dead (CONN-10). */
function rouse(patience) {
  drawn = 0;
  if (isUp) probe(patience);
  else if (timers.again) reconnect();
}
window.ononline = () => rouse(0);
document.onvisibilitychange = () => document.hidden || rouse(1000);

Object.assign(record, JSON.parse(sessionStorage.getItem("gatecrash")));
record.start += 1;
const given = { ...record, ...Object.fromEntries(new URLSearchParams(location.hash.slice(1))) };
for (const it in given) if (form.elements[it]) form.elements[it].value = given[it];
// A login was cut off, and nobody knows what became of it (LOGIN-8).
if (record.state === "waiting" && !record.epoch) Object.assign(record, { state: "out", text: "Cut off.", owed: true });
show(record.state, record.text);
reconnect();
