#!/bin/sh
# aMQTT 0.12.1 (MQTT 3.1.1): whether a login displaces the one before depends on who logged in before that.
#
# Asked: one client identifier logs in again and again, from connections A, B, C, ..., a second or more apart, none of
# which goes by itself. Who is served (has PINGREQ answered) after each login? All are accepted, all give one user name.
#
# Guess: the newcomer alone, each time: `A B C D E F`. MQTT 3.1.1, [MQTT-3.1.4-2]: a CONNECT of a client identifier that
# is connected disconnects the client there was. A poor broker could forget to, and would then give `A AB ABC ...`
# always. A better guess says: once it displaces, it displaces.
#
# Seen, with amqtt 0.12.1 and Python 3.11, every time:
#     all with CleanSession 0:  A B BC BD BDE BDF    the first takeover works, the second does not, the third does, ...;
#                                                    B and D are never displaced by anybody
#     all with CleanSession 1:  A AB ABC ABCD        nobody ever displaces
#     CleanSession 0, 1, 0, 0:  A AB A AD            the third is accepted, then closed, and the second with it
#     CleanSession 1, 0, 1, 0:  A - C -              every other login, alone and accepted, leaves nobody connected
# So the test that everybody writes, two logins of a persistent session, passes; a third login is what it takes.
#
# Needs: Python 3.10 or newer with venv. Takes 20 s and the installation. Exit 0: as told; 1: changed.
set -u
folder=$(mktemp -d) || exit 1
broker=
finish() { [ -z "$broker" ] || { kill "$broker"; wait "$broker"; } 2>/dev/null; rm -rf "$folder"; }
trap finish EXIT
trap 'exit 1' INT TERM HUP
cd "$folder" || exit 1
{ python3 -m venv venv && timeout 180 venv/bin/pip install --quiet --disable-pip-version-check amqtt==0.12.1; } \
    >pip.log 2>&1 || { cat pip.log; echo "not tried: pip did not install amqtt 0.12.1"; exit 1; }
port=$(python3 -c '
import random, socket  # below the ports that connections of others are given
print(socket.create_server(("127.0.0.1", random.randrange(20000, 32000))).getsockname()[1])') || exit 1
cat >broker.yaml <<END
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:$port
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: false
END
timeout 90 venv/bin/amqtt -c broker.yaml >broker.log 2>&1 &
broker=$!

cat >try.py <<'END'
import socket, struct, sys, time

PORT = int(sys.argv[1])
text = lambda s: struct.pack(">H", len(s)) + s.encode()
packet = lambda kind, body: bytes([kind, len(body)]) + body  # bodies here are shorter than 128 bytes


class Client:
    """One connection, with one CONNECT: user name and password, keep alive 30 s."""

    def __init__(self, identifier, clean):
        self.socket = socket.create_connection(("127.0.0.1", PORT), 5)
        self.closed, self.got = False, b""
        flags = 0xC0 | (2 if clean else 0)
        head = text("MQTT") + bytes([4, flags]) + struct.pack(">H", 30)
        self.socket.sendall(packet(0x10, head + text(identifier) + text("somebody") + text("secret")))
        self.read(0.5)

    def read(self, seconds):
        """All that comes within so long."""
        end = time.monotonic() + seconds
        new = b""
        while not self.closed and (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(4096)
                self.closed = not data
                new += data
            except TimeoutError:
                pass
            except OSError:
                self.closed = True
        self.got += new
        return new

    def accepted(self):
        return self.got[:4] in (b"\x20\x02\x00\x00", b"\x20\x02\x01\x00")


def served(clients):
    """Those whose PINGREQ is answered."""
    for c in clients:
        c.read(0.02)
        try:
            c.closed or c.socket.sendall(b"\xc0\x00")
        except OSError:
            c.closed = True
    time.sleep(0.6)
    return [c for c in clients if not c.closed and c.read(0.02).endswith(b"\xd0\x00")]


def logins(identifier, cleans):
    """One CONNECT after the other; after each, who of all so far is served: `A`, `AB`, ..., `-`."""
    clients, rows = [], []
    for clean in cleans:
        clients.append(Client(identifier, clean))
        time.sleep(0.3)
        if not clients[-1].accepted():
            rows.append("refused")
        else:
            who = served(clients)
            rows.append("".join(name for name, c in zip("ABCDEF", clients) if c in who) or "-")
    for c in clients:
        c.socket.close()
    return " ".join(rows)


for _ in range(200):
    try:
        socket.create_connection(("127.0.0.1", PORT), 1).close()
        break
    except OSError:
        time.sleep(0.1)
told = {
    "0 0 0 0 0 0": "A B BC BD BDE BDF",
    "1 1 1 1": "A AB ABC ABCD",
    "0 1 0 0": "A AB A AD",
    "1 0 1 0": "A - C -",
}
changed = False
for cleans, expected in told.items():
    seen = logins("client" + cleans.replace(" ", ""), [clean == "1" for clean in cleans.split()])
    changed |= seen != expected
    print(f"CleanSession {cleans}: {seen}" + ("" if seen == expected else f"; it was: {expected}"))
print("changed" if changed else "as told")
sys.exit(changed)
END
timeout 80 python3 try.py "$port" || { tail -n 20 broker.log; exit 1; }
