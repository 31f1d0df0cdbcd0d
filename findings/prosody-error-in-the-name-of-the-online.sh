#!/bin/sh
# Prosody 0.12.3: news of a friend is answered with an error in the name of somebody who is online and got the news.
#
# Asked: alice is online with a tablet and a phone. The phone loses its link, and its session waits to be resumed
# (XEP-0198). bob, her contact, is away for a moment: his client sends <presence><show>away</show></presence>. Then the
# phone's session is given up, or the phone logs in anew and replaces it. What does bob hear of alice?
#
# Guess: "unavailable" of the phone, and in the second case "available" after it. The tablet has got bob's news, and
# presence needs no answer: RFC 6121, 8.5.2 and 8.5.3, has it ignored silently where nobody is there to take it.
#
# Seen, with Debian 12's prosody 0.12.3-1+deb12u1, every time:
#     given up: <presence type='error' from='alice@localhost'> with <recipient-unavailable/>, then "unavailable" of the
#         phone. The error is in the name of the account, and comes although alice's tablet is online, got the presence
#         that is bounced, and answers.
#     replaced: the same error first, then "unavailable", then "available" of the phone
#     either, when bob sent nothing meanwhile: no error
# What waits for the phone to acknowledge it is bounced as if it were a message to the phone alone; presence is not, it
# was copied to each client of the account. A client that takes an error from a contact for "not to be reached" is wrong
# about alice until her next presence.
#
# Needs: Debian 12 with apt-get and Python 3.11. Takes 20 s and the download. Exit 0: as told; 1: changed.
set -u
version=0.12.3-1+deb12u1
folder=$(mktemp -d) || exit 1
server=
finish() { [ -z "$server" ] || { kill "$server"; wait "$server"; } 2>/dev/null; rm -rf "$folder"; }
trap finish EXIT
trap 'exit 1' INT TERM HUP
cd "$folder" || exit 1

# The package and what it needs and is not installed yet go to the folder, and nothing is installed or started.
mkdir -p debs/partial root data
get() {
    timeout 300 apt-get install -y --no-install-recommends --download-only --reinstall --allow-downgrades \
        -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o Dir::Cache::archives="$folder/debs" "prosody=$version"
}
{ get || { timeout 100 apt-get update && get; }; } >apt.log 2>&1 ||
    { cat apt.log; echo "not tried: apt-get has no prosody $version"; exit 1; }
for deb in debs/*.deb; do dpkg-deb --extract "$deb" root || exit 1; done

port=$(python3 -c '
import random, socket  # below the ports that connections of others are given
print(socket.create_server(("127.0.0.1", random.randrange(20000, 32000))).getsockname()[1])') || exit 1
printf '[+everybody]\nalice@localhost=alice\nbob@localhost=bob\n' >groups.txt
cat >prosody.cfg.lua <<END
run_as_root = true
data_path = "$folder/data"
log = { info = "$folder/prosody.log" }
interfaces = { "127.0.0.1" }
c2s_ports = { $port }
s2s_ports = {}
legacy_ssl_ports = {}
c2s_direct_tls_ports = {}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
modules_enabled = { "roster", "saslauth", "disco", "presence", "message", "iq", "smacks", "groups" }
modules_disabled = { "s2s", "tls" }
-- Both accounts are there, with any password, and each sees the presence of the other.
authentication = "insecure"
insecure_open_authentication = "Yes please, I know what I'm doing!"
groups_file = "$folder/groups.txt"
conflict_resolve = "kick_old"
smacks_hibernation_time = 3
VirtualHost "localhost"
END
# The program looks for its files where the package would be installed: its copy looks in the folder.
sed "s|^CFG_SOURCEDIR=.*|CFG_SOURCEDIR='$folder/root/usr/lib/prosody'|
    s|^CFG_PLUGINDIR=.*|CFG_PLUGINDIR='$folder/root/usr/lib/prosody/modules/'|" root/usr/bin/prosody >prosody.lua
arch=$(uname -m)-linux-gnu
export LUA_PATH_5_4="$folder/root/usr/share/lua/5.4/?.lua;$folder/root/usr/share/lua/5.4/?/init.lua;;"
export LUA_CPATH_5_4="$folder/root/usr/lib/$arch/lua/5.4/?.so;;"
export LD_LIBRARY_PATH="$folder/root/usr/lib/$arch"
lua=$(command -v lua5.4) || lua=$folder/root/usr/bin/lua5.4
timeout 100 "$lua" prosody.lua -F --config "$folder/prosody.cfg.lua" >server.log 2>&1 &
server=$!

cat >try.py <<'END'
import asyncio, base64, re, sys, time

PORT = int(sys.argv[1])
STREAM = (
    "<stream:stream to='localhost' version='1.0' xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams'>"
)


class Session:
    """One connection of an account, up to the point where a resource may be bound."""

    def __init__(self, user, resource):
        self.user, self.resource = user, resource
        self.text, self.ended, self.pings = "", False, 0
        self.news = asyncio.Event()

    async def authenticated(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", PORT)
        self.task = asyncio.create_task(self.read())
        secret = base64.b64encode(f"\0{self.user}\0secret".encode()).decode()
        self.put(STREAM)
        await self.until("</stream:features>", 1)
        self.put(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>")
        await self.until("<success", 1)
        self.put(STREAM)
        await self.until("</stream:features>", 2)
        return self

    async def available(self):
        """Binds the resource, and is available as soon as that is answered."""
        bind = f"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{self.resource}</resource></bind>"
        self.put(f"<iq type='set' id='bind'>{bind}</iq>")
        await self.until("<jid>", 1)
        self.put("<presence/>")

    async def resumable(self):
        self.put("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        await self.until("<enabled", 1)
        self.key = re.search(r"<enabled[^>]*\bid=['\"]([^'\"]+)", self.text)[1]

    async def read(self):
        try:
            while data := await self.reader.read(65536):
                self.text += data.decode()
                self.news.set()
        except OSError:
            pass
        self.ended = True
        self.news.set()

    def put(self, text):
        self.writer.write(text.encode())

    async def until(self, part, count, seconds=10):
        async def there():
            while self.text.count(part) < count and not self.ended:
                self.news.clear()
                await self.news.wait()
        try:
            await asyncio.wait_for(there(), seconds)
        except TimeoutError:
            pass
        return self.text.count(part) >= count

    async def served(self):
        """Whether the server answers over this session."""
        self.pings += 1
        name = f"ping-{self.pings}"
        self.put(f"<iq type='get' id='{name}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
        return await self.until(name, 1, 0.7)

    def presences(self, start):
        """What came of alice since then, in order: type and sender."""
        told = re.findall(r"<presence\b[^>]*>", self.text[start:])
        sender = lambda t: re.search(r"\bfrom=.(alice@localhost[^'\"]*)", t)
        kind = lambda t: re.search(r"\btype=.(\w+)", t)
        return [f"{kind(t)[1] if kind(t) else 'available'} {sender(t)[1]}" for t in told if sender(t)]

    async def leave(self):
        if not self.ended:
            self.put("<presence type='unavailable'/></stream:stream>")
            await asyncio.sleep(0.05)
        self.writer.close()


async def login(user, resource):
    session = await Session(user, resource).authenticated()
    await session.available()
    return session


async def login(user, resource):
    session = await Session(user, resource).authenticated()
    await session.available()
    return session


async def attempt(moves, back):
    """What bob hears of alice once her phone is back or given up; whether her tablet got his news, and is served."""
    friend = await login("bob", "friend")
    tablet = await login("alice", "tablet")
    phone = await login("alice", "phone")
    await phone.resumable()
    await phone.served()
    phone.writer.transport.abort()
    await asyncio.sleep(0.2)
    if moves:
        friend.put("<presence><show>away</show></presence>")
    await friend.served()
    got = await tablet.until("<show>away", 1, 1)
    start = len(friend.text)
    if back:
        phone = await login("alice", "phone")
        assert await phone.served()
        await asyncio.sleep(0.5)
    else:
        await asyncio.sleep(5)
    await friend.served()
    result = friend.presences(start), got, await tablet.served()
    for s in (phone, tablet, friend):
        await s.leave()
    await asyncio.sleep(0.3)
    return result


async def main():
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", PORT)
            writer.close()
            break
        except OSError:
            await asyncio.sleep(0.1)
    gone, here = "unavailable alice@localhost/phone", "available alice@localhost/phone"
    bounced = "error alice@localhost"
    told = True
    for moves, back, expected in [
        (False, False, [gone]),
        (True, False, [bounced, gone]),
        (False, True, [gone, here]),
        (True, True, [bounced, gone, here]),
    ]:
        heard, got, served = await attempt(moves, back)
        print(
            f"phone {'replaced' if back else 'given up'}, bob {'moved' if moves else 'sent nothing'}: "
            f"{', '.join(heard)}; tablet got it: {got}, is served: {served}"
        )
        told &= heard == expected and got == moves and served
    print("as told" if told else "changed")
    return not told


sys.exit(asyncio.run(main()))
END
timeout 90 python3 try.py "$port" || { tail -n 20 server.log prosody.log; exit 1; }
