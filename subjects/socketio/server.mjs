#!/usr/bin/env node
// A chat on socket.io with connection state recovery, and with one seat a user: the newest login has it.
//
// socket.io has no seats. They are kept here by what its documentation gives: a recovered socket has the id that it
// had, what was emitted to that id comes with the recovery, and who was disconnected on purpose is not recovered.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";

const { Server } = createRequire(import.meta.url)("socket.io"); // `require` looks in NODE_PATH, `import` does not.
const text = { type: "string" };
const options = parseArgs({ options: { host: { ...text, default: "127.0.0.1" }, port: text, sent: text } }).values;
const BAD_NAME = 2, NOBODY_THERE = 6, NO_SEAT = 7; // 1 and 3 to 5 are said by devices themselves

const seats = new Map(); // who has the seat of each user: the id of a socket, and its device
const kicks = new Map(); // of sockets by id: how their devices are told when they come back
// Sender and id of each message, for one that is sent again is the same, after a restart too.
const sent = new Set(existsSync(options.sent) ? readFileSync(options.sent, "utf8").split("\n") : []);

const io = new Server({
  connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true },
  pingInterval: 500,
  pingTimeout: 1000,
  transports: ["websocket"],
});

// Passed over when a socket is recovered. Whoever comes back and is not recovered has lost its session: to let it in
// would be a login that nobody called, and would displace whoever has logged in since.
io.use((socket, next) => {
  const { user, again } = socket.handshake.auth;
  if (again) return next(Object.assign(new Error("over"), { data: kicks.get(again) ?? { reason: "gone" } }));
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(user)) return next(Object.assign(new Error("bad"), { data: { code: BAD_NAME } }));
  next();
});

io.on("connection", (socket) => {
  if (!socket.recovered) take(socket);
  const { user } = socket.data;
  const hasSeat = () => seats.get(user)?.id === socket.id;
  // Displaced while it was away: the kick was among what it had missed.
  if (!hasSeat()) return socket.disconnect(true);
  socket.on("send", ({ to, text, id }, answer) => {
    if (!hasSeat()) return answer(NO_SEAT);
    const name = JSON.stringify([user, id]);
    if (!sent.has(name)) {
      if (!seats.has(to)) return answer(NOBODY_THERE);
      sent.add(name);
      appendFileSync(options.sent, name + "\n");
      io.to(seats.get(to).id).emit("message", { id, from: user, text });
    }
    answer(0);
  });
  socket.on("logout", (answer) => {
    if (hasSeat()) seats.delete(user);
    answer(0);
  });
});

function take(socket) {
  const { user, device } = socket.handshake.auth;
  const older = seats.get(user);
  seats.set(user, { id: socket.id, device });
  socket.data = { user };
  // Before its first event a socket cannot be recovered: this is the one after which its user counts as logged in.
  socket.emit("welcome");
  if (!older) return;
  const reason = "same_platform"; // With one seat a user all devices are of one kind, whatever their platforms.
  // A device is not displaced by itself: its session was replaced, and is no more if it asks.
  kicks.set(older.id, older.device === device ? { reason: "gone" } : { reason, by: device });
  io.to(older.id).emit("kicked", kicks.get(older.id));
  io.in(older.id).disconnectSockets(true);
}

const server = createServer();
io.attach(server);
server.listen(Number(options.port), options.host, () => console.log("listening"));
