#!/bin/sh
# mosquitto 2.0.11 (MQTT 5.0): a client that is displaced is not told so, and two of one name go on for ever.
#
# Asked: a client of MQTT 5.0 is connected; another one connects with its client identifier. What does the first one
# read before its connection ends? And what becomes of two that connect again whenever they lose a connection, unless
# they are told that the session was taken over?
#
# Guess: DISCONNECT with reason code 0x8E (Session taken over), then the end. MQTT 5.0, 3.1.4, [MQTT-3.1.4-3], has the
# server send it; 5.0 brought the code for this purpose, and the two stop after one takeover.
#
# Seen, with Debian 12's mosquitto 2.0.11-1.2+deb12u2, every time:
#     displaced: CONNACK, then the end of the connection, without DISCONNECT (10 of 10)
#     two that come back 0.1 s after a loss, for 5 s: each displaces the other, 25 times each
#     for comparison: one that is silent for longer than its keep alive, and one that is connected when the broker is
#     shut down, read the same, so that the three cannot be told apart (0x8D and 0x8B there would be optional)
# It is known: the project's issues 1378 (2019: DISCONNECT is sent in some situations only), 2340 (2021: wished for, and
# put off to 2.1) and 2607 (2022: put into 2.0.15). Debian 12 has an earlier one, which takes MQTT 5.0 without a word.
#
# Needs: Debian 12 with apt-get and Python 3. Takes 15 s and the download. Exit 0: as told; 1: changed.
set -u
version=2.0.11-1.2+deb12u2
folder=$(mktemp -d) || exit 1
broker=
finish() { [ -z "$broker" ] || { kill "$broker"; wait "$broker"; } 2>/dev/null; rm -rf "$folder"; }
trap finish EXIT
trap 'exit 1' INT TERM HUP
cd "$folder" || exit 1

# The package and what it needs and is not installed yet go to the folder, and nothing is installed or started.
mkdir -p debs/partial root
get() {
    timeout 200 apt-get install -y --no-install-recommends --download-only --reinstall --allow-downgrades \
        -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o Dir::Cache::archives="$folder/debs" "mosquitto=$version"
}
{ get || { timeout 100 apt-get update && get; }; } >apt.log 2>&1 ||
    { cat apt.log; echo "not tried: apt-get has no mosquitto $version"; exit 1; }
for deb in debs/*.deb; do dpkg-deb --extract "$deb" root || exit 1; done
libraries=$folder/root/usr/lib/$(uname -m)-linux-gnu:$folder/root/lib/$(uname -m)-linux-gnu
port=$(python3 -c '
import random, socket  # below the ports that connections of others are given
print(socket.create_server(("127.0.0.1", random.randrange(20000, 32000))).getsockname()[1])') || exit 1
printf 'listener %s 127.0.0.1\nallow_anonymous true\npersistence false\n' "$port" >mosquitto.conf
LD_LIBRARY_PATH="$libraries" timeout 60 root/usr/sbin/mosquitto -c mosquitto.conf >broker.log 2>&1 &
broker=$!

cat >try.py <<'END'
import os, signal, socket, sys, threading, time

PORT, BROKER = int(sys.argv[1]), int(sys.argv[2])
# CONNECT: MQTT, version 5, clean start, keep alive 30 s, no properties, client identifier `phone`.
CONNECT = b"\x10\x12\x00\x04MQTT\x05\x02\x00\x1e\x00\x00\x05phone"


def connected(connect=CONNECT, patience=3):
    s = socket.create_connection(("127.0.0.1", PORT), 5)
    s.sendall(connect)
    s.settimeout(patience)
    return s


def packets(s):
    """What is read until the connection ends, packet by packet: all here are shorter than 128 bytes."""
    data, out = b"", []
    try:
        while more := s.recv(4096):
            data += more
        end = "end"
    except TimeoutError:
        end = "still open"
    except ConnectionError:
        end = "end"
    while data:
        n = 2 + data[1]
        kind = {0x20: "CONNACK", 0xE0: "DISCONNECT"}.get(data[0], hex(data[0]))
        code = data[2:3] if kind == "DISCONNECT" else data[3:4]
        out.append(f"{kind} 0x{code.hex() or '00'}")
        data = data[n:]
    return ", ".join(out + [end])


def displaced():
    first = connected()
    time.sleep(0.1)
    second = connected()
    read = packets(first)
    second.close()
    return read


def silent():
    """Keep alive of 1 s, and then nothing."""
    s = connected(CONNECT.replace(b"\x00\x1e", b"\x00\x01"), 15)
    return packets(s)


def shut_down(broker):
    s = connected()
    time.sleep(0.1)
    os.kill(broker, signal.SIGTERM)
    return packets(s)


def tug_of_war(seconds):
    """How many connections two clients lose to each other that come back unless they are told 0x8E."""
    until, lost = time.monotonic() + seconds, [0, 0]

    def client(i):
        while time.monotonic() < until:
            s = connected()
            s.settimeout(max(until - time.monotonic(), 0.01))
            read = packets(s)
            s.close()
            if "0x8e" in read or read.endswith("still open"):
                return
            lost[i] += 1
            time.sleep(0.1)

    threads = [threading.Thread(target=client, args=(i,)) for i in range(2)]
    for t in threads: t.start()
    for t in threads: t.join()
    return lost


for _ in range(100):
    try:
        socket.create_connection(("127.0.0.1", PORT), 1).close()
        break
    except OSError:
        time.sleep(0.1)
reads = [displaced() for _ in range(10)]
untold = reads.count("CONNACK 0x00, end")
print(f"displaced: {' / '.join(sorted(set(reads)))}: {untold} of 10")
lost = tug_of_war(5)
print(f"two that come back, in 5 s: lost {lost[0]} and {lost[1]} connections to each other")
others = [silent(), shut_down(BROKER)]
print(f"for comparison: silent for too long: {others[0]}; the broker shut down: {others[1]}")
told = untold == 10 and min(lost) >= 5 and others == ["CONNACK 0x00, end"] * 2
print("as told" if told else "changed")
sys.exit(not told)
END
timeout 50 python3 try.py "$port" "$broker" || { tail -n 20 broker.log; exit 1; }
