//! The SDK as it ships, and what goes wrong on its own side: a listener that panics, a server of another
//! version, a disk that cannot be written, files that are damaged.
//!
//! Over TCP and real files. What the core makes of each is in `client`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use gatecrash::client::{Installation, Status, Write};
use gatecrash::code::{Code, Reason};
use gatecrash::driver::client::{Listener, Sdk};
use gatecrash::driver::disk::{FileDisk, MemoryDisk};
use gatecrash::driver::store::MemoryStore;
use gatecrash::driver::wire;
use gatecrash::driver::{DeviceDisk, OnDisk};
use gatecrash::id::{DeviceId, MessageId};
use gatecrash::policy::Platform;
use gatecrash::protocol::{Conversation, FrameError, Message, ServerFrame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::loopback::{Directory, device, logged_in, nobody_is_logged_in, run, serve, ticket, ticket_for};

/// Panics whenever it is told something, after it has said so.
struct Fragile(mpsc::UnboundedSender<&'static str>);

impl Listener for Fragile {
    fn connecting(&self) {
        self.0.send("connecting").unwrap();
        panic!("the application's own bug");
    }
    fn connect_success(&self) {
        self.0.send("connect_success").unwrap();
        panic!("the application's own bug");
    }
    fn message(&self, _: &Message) {
        self.0.send("message").unwrap();
        panic!("the application's own bug");
    }
}

/// EVENT-2, INIT-1: an event is told once, whatever the listener makes of it, and the SDK goes on.
#[test]
fn a_listener_that_panics_is_told_of_what_comes_next() {
    run(async {
        let server = serve(MemoryStore::default()).await;
        let (alice, _) = device(&server.address, MemoryDisk::default());
        let (sender, mut told) = mpsc::unbounded_channel();
        alice.set_listener(Arc::new(Fragile(sender)));
        alice.init(Platform::Ios).await.unwrap();
        alice.login("alice", ticket("alice")).await.unwrap();
        assert_eq!(told.recv().await, Some("connecting"));
        assert_eq!(told.recv().await, Some("connect_success"));
        let (bob, _) = logged_in(&server.address, Platform::Ios, "bob").await;
        for number in 1..=3 {
            assert_eq!(bob.send_message("alice", "hello").await, Ok(MessageId(number)));
            assert_eq!(told.recv().await, Some("message"));
        }
        assert_eq!(alice.send_message("bob", "hello").await, Ok(MessageId(4)));
        alice.logout().await.unwrap();
        alice.uninit().await.unwrap();
        assert!(told.try_recv().is_err());
    });
}

/// Puts `next` in its own place at the first message, and says which messages it was told.
struct Replaced {
    sdk: Sdk,
    next: std::sync::Mutex<Option<Arc<dyn Listener>>>,
    told: mpsc::UnboundedSender<String>,
}

impl Listener for Replaced {
    fn message(&self, message: &Message) {
        self.told.send(format!("first {}", message.text)).unwrap();
        if let Some(next) = self.next.lock().unwrap().take() {
            self.sdk.set_listener(next);
        }
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        self.told.send(format!("dropped in {}", self.sdk.login_status().word())).unwrap();
    }
}

struct Second(mpsc::UnboundedSender<String>);

impl Listener for Second {
    fn message(&self, message: &Message) {
        self.0.send(format!("second {}", message.text)).unwrap();
    }
}

/// INIT-1, EVENT-2: another listener is told from the next event on, and the one before is let go; both may be
/// done inside a listener, and its end may ask the SDK.
#[test]
fn another_listener_is_told_from_the_next_event_on() {
    run(async {
        let server = serve(MemoryStore::default()).await;
        let (alice, _) = logged_in(&server.address, Platform::Ios, "alice").await;
        let (told, mut heard) = mpsc::unbounded_channel();
        let next: Arc<dyn Listener> = Arc::new(Second(told.clone()));
        alice.set_listener(Arc::new(Replaced { sdk: alice.clone(), next: Some(next).into(), told: told.clone() }));
        let (bob, _) = logged_in(&server.address, Platform::Ios, "bob").await;
        for text in ["one", "two"] {
            bob.send_message("alice", text).await.unwrap();
        }
        for expected in ["first one", "dropped in LOGINED", "second two"] {
            assert_eq!(heard.recv().await.unwrap(), expected);
        }
        // The same from outside.
        alice.set_listener(Arc::new(Replaced { sdk: alice.clone(), next: None.into(), told }));
        bob.send_message("alice", "three").await.unwrap();
        assert_eq!(heard.recv().await.unwrap(), "first three");
        alice.set_listener(Arc::new(Nobody));
        assert_eq!(heard.recv().await.unwrap(), "dropped in LOGINED");
    });
}

struct Nobody;

impl Listener for Nobody {}

/// A server that speaks another version, and how many have connected to it.
fn of_another_version(listener: TcpListener) -> Arc<AtomicU32> {
    let connections = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::Relaxed);
            let mut bytes = BytesMut::new();
            wire::write(&ServerFrame::Error(FrameError::Version), &mut bytes);
            let _ = stream.read(&mut [0; 1_024]).await;
            let _ = stream.write_all(&bytes).await;
        }
    });
    connections
}

/// Longer than the first back-offs together.
const LONG_ENOUGH: Duration = Duration::from_secs(2);

/// VERSION-1: the login says why, and is the last attempt until the next call.
#[test]
fn a_server_of_another_version_is_tried_once_for_each_login() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let connections = of_another_version(listener);
        let (sdk, mut heard) = device(&address, MemoryDisk::default());
        sdk.init(Platform::Web).await.unwrap();
        for number in 1..=2 {
            assert_eq!(sdk.login("alice", ticket("alice")).await, Err(Code::VersionNotSupported.into()));
            assert_eq!(sdk.login_status(), Status::Logout);
            assert_eq!(heard.next().await, "connecting");
            assert_eq!(heard.next().await, "connect_failed 7013");
            tokio::time::sleep(LONG_ENOUGH).await;
            assert_eq!(connections.load(Ordering::Relaxed), number);
        }
    });
}

/// VERSION-1: a server that comes back in another version is tried once, and again when somebody asks.
#[test]
fn a_session_is_not_reconnected_to_another_version() {
    run(async {
        let server = serve(MemoryStore::default()).await;
        let address = server.address.clone();
        let (alice, mut heard) = logged_in(&address, Platform::Ios, "alice").await;
        server.stop().await;
        let connections = of_another_version(TcpListener::bind(&address).await.unwrap());
        heard.until("connect_failed 7013").await;
        let before = connections.load(Ordering::Relaxed);
        tokio::time::sleep(LONG_ENOUGH).await;
        assert_eq!(connections.load(Ordering::Relaxed), before);
        assert_eq!(alice.login_status(), Status::Logined);
        assert_eq!(alice.send_message("bob", "hello").await, Err(Code::NoLink.into()));
        assert_eq!(alice.login("alice", ticket("alice")).await, Err(Code::VersionNotSupported.into()));
        assert_eq!(connections.load(Ordering::Relaxed), before + 1);
        alice.uninit().await.unwrap();
        alice.init(Platform::Ios).await.unwrap();
        assert_eq!(alice.login("alice", ticket("alice")).await, Err(Code::VersionNotSupported.into()));
    });
}

/// API-1: [6014] comes with the reason.
#[test]
fn who_is_told_that_nobody_is_logged_in_is_told_why() {
    run(async {
        let server = serve(MemoryStore::default()).await;
        let (sdk, mut heard) = device(&server.address, MemoryDisk::default());
        sdk.init(Platform::Ios).await.unwrap();
        let refused = async |reason| {
            let refused = Err(nobody_is_logged_in(reason));
            assert_eq!(sdk.send_message("bob", "?").await, refused);
        };
        refused(Reason::NeverLoggedIn).await;
        assert_eq!(sdk.logout().await, Err(nobody_is_logged_in(Reason::NeverLoggedIn)));
        assert_eq!(sdk.conversations().await, Err(nobody_is_logged_in(Reason::NeverLoggedIn)));

        let login = sdk.login("alice", ticket("bob"));
        refused(Reason::LoggingIn).await;
        assert_eq!(login.await, Err(Code::TicketOtherUser.into()));
        refused(Reason::LoginFailed).await;

        // A switch ends the calls of the one before; a logout those of the one who is.
        sdk.login("alice", ticket("alice")).await.unwrap();
        let pending = sdk.send_message("nobody", "?");
        let switch = sdk.login("bob", ticket("bob"));
        assert_eq!(pending.await, Err(nobody_is_logged_in(Reason::Switched)));
        switch.await.unwrap();
        let pending = sdk.send_message("nobody", "?");
        let logout = sdk.logout();
        assert_eq!(pending.await, Err(nobody_is_logged_in(Reason::LoggedOut)));
        refused(Reason::LoggedOut).await;
        logout.await.unwrap();
        refused(Reason::LoggedOut).await;
        assert_eq!(sdk.conversations().await, Err(nobody_is_logged_in(Reason::LoggedOut)));

        sdk.login("alice", ticket("alice")).await.unwrap();
        let (other, _) = logged_in(&server.address, Platform::Ios, "alice").await;
        heard.until("kicked_offline 2 same_platform").await;
        refused(Reason::Kicked).await;
        other.logout().await.unwrap();

        sdk.login("carol", ticket_for("carol", 1)).await.unwrap();
        heard.until("user_sig_expired").await;
        refused(Reason::Expired).await;
        sdk.uninit().await.unwrap();
        assert_eq!(sdk.send_message("bob", "?").await, Err(Code::NotInitialised.into()));
        sdk.init(Platform::Ios).await.unwrap();
        refused(Reason::NeverLoggedIn).await;
    });
}

fn record(byte: u8) -> Installation {
    Installation::new(DeviceId::from_bytes([byte; 16]))
}

fn cache(user: &str) -> Write {
    let line = Conversation { peer: "zed".parse().unwrap(), last: MessageId(1), preview: format!("for {user}") };
    Write::Conversations { user: user.parse().unwrap(), conversations: vec![line] }
}

/// The only device in a directory, once whoever had it before has let go.
async fn opened(data: &Path) -> FileDisk {
    loop {
        let disk = FileDisk::open(data).unwrap();
        if disk.path().ends_with("device-1") {
            return disk;
        }
        drop(disk);
        tokio::task::yield_now().await;
    }
}

/// A directory in the place of a file, with something in it: no file can take its place.
fn block(file: &Path) {
    let _ = fs::remove_file(file);
    fs::create_dir_all(file.join("something")).unwrap();
}

/// ATT-5: while the record cannot be written, each call that needs it says so at once, and the next works once it can.
#[test]
fn calls_end_at_once_while_the_record_cannot_be_written() {
    run(async {
        let data = Directory::new();
        let server = serve(MemoryStore::default()).await;
        let disk = opened(&data.0).await;
        let file = disk.path().join("installation.json");
        block(&file);
        let (sdk, mut heard) = device(&server.address, disk);
        sdk.init(Platform::Android).await.unwrap();
        for _ in 0..3 {
            assert_eq!(sdk.login("alice", ticket("alice")).await, Err(Code::StorageFailed.into()));
            heard.until("connect_failed 6022").await;
        }
        fs::remove_dir_all(&file).unwrap();
        sdk.login("alice", ticket("alice")).await.unwrap();
        heard.until("connect_success").await;

        // A logout: nobody is logged in any more, and the end could not be kept.
        block(&file);
        assert_eq!(sdk.logout().await, Err(Code::StorageFailed.into()));
        assert_eq!(sdk.login_status(), Status::Logout);
        assert_eq!(sdk.logout().await, Err(nobody_is_logged_in(Reason::LoggedOut)));
        // An `uninit` needs no disk.
        sdk.uninit().await.unwrap();
        sdk.init(Platform::Android).await.unwrap();
        assert_eq!(sdk.login("bob", ticket("bob")).await, Err(Code::StorageFailed.into()));
        fs::remove_dir_all(&file).unwrap();
        sdk.login("bob", ticket("bob")).await.unwrap();
        // What was owed went ahead of it.
        let (root, _) = logged_in(&server.address, Platform::Linux, "root").await;
        let report = root.query_online_status(["alice"]).await.unwrap();
        assert_eq!(report.users[0].devices, []);
    });
}

/// ATT-5, LOGOUT-2: without a link, too, a logout whose end cannot be kept says so.
#[test]
fn a_logout_without_link_and_disk_says_so() {
    run(async {
        let data = Directory::new();
        let server = serve(MemoryStore::default()).await;
        let disk = opened(&data.0).await;
        let file = disk.path().join("installation.json");
        let (sdk, mut heard) = device(&server.address, disk);
        sdk.init(Platform::Android).await.unwrap();
        sdk.login("alice", ticket("alice")).await.unwrap();
        server.stop().await;
        heard.until("connect_failed 9508").await;
        block(&file);
        assert_eq!(sdk.logout().await, Err(Code::StorageFailed.into()));
        fs::remove_dir_all(&file).unwrap();
        sdk.uninit().await.unwrap();
    });
}

/// ATT-5: a cache that cannot be written keeps nobody from anything.
#[test]
fn a_cache_in_whose_way_something_is_keeps_nobody() {
    run(async {
        let data = Directory::new();
        let server = serve(MemoryStore::default()).await;
        let disk = opened(&data.0).await;
        block(&disk.path().join("user-616c696365.json"));
        let (sdk, _) = device(&server.address, disk);
        sdk.init(Platform::Android).await.unwrap();
        sdk.login("alice", ticket("alice")).await.unwrap();
        sdk.send_message("alice", "a note").await.unwrap();
        assert_eq!(sdk.conversations().await.unwrap().len(), 1);
        sdk.logout().await.unwrap();
    });
}

/// In words, and done.
type Damage = (&'static str, fn(&Path));

/// What can have become of a file.
fn damages() -> Vec<Damage> {
    vec![
        ("torn", |file| truncate(file, |length| length / 2)),
        ("without its last byte", |file| truncate(file, |length| length - 1)),
        ("empty", |file| truncate(file, |_| 0)),
        ("zeros", |file| fs::write(file, [0; 512]).unwrap()),
        ("no text", |file| fs::write(file, [0xff, 0xfe, b'{', b'}']).unwrap()),
        ("of another version", |file| fs::write(file, r#"{"version": 9, "lines": {"a": 1}}"#).unwrap()),
        ("with something behind", |file| {
            let mut text = fs::read(file).unwrap();
            text.extend(b"]}");
            fs::write(file, text).unwrap();
        }),
        ("endless", |file| fs::File::options().write(true).open(file).unwrap().set_len(1 << 40).unwrap()),
        ("a directory", block),
        #[cfg(unix)]
        ("not readable", |file| {
            fs::remove_file(file).unwrap();
            std::os::unix::fs::symlink(file, file).unwrap();
        }),
    ]
}

fn truncate(file: &Path, to: impl FnOnce(u64) -> u64) {
    let file = fs::File::options().write(true).open(file).unwrap();
    file.set_len(to(file.metadata().unwrap().len())).unwrap();
}

/// The files of a device that alice and carol have used.
async fn used(data: &Path) -> PathBuf {
    let mut disk = opened(data).await;
    disk.write(vec![Write::Installation(record(1)), cache("alice"), cache("carol")]).await.unwrap();
    disk.path().to_owned()
}

fn users(on_disk: &OnDisk) -> Vec<&str> {
    on_disk.conversations.keys().map(|user| user.as_str()).collect()
}

/// ATT-5: a damaged cache is dropped, and nothing else with it; it can be written anew.
#[test]
fn a_damaged_cache_is_dropped() {
    run(async {
        for (what, damage) in damages() {
            let data = Directory::new();
            let carols = used(&data.0).await.join("user-6361726f6c.json");
            damage(&carols);
            let mut disk = opened(&data.0).await;
            let on_disk = disk.load();
            assert_eq!(on_disk.installation, Some(record(1)), "{what}");
            assert_eq!(users(&on_disk), ["alice"], "{what}");
            disk.write(vec![cache("carol")]).await.unwrap();
            drop(disk);
            assert_eq!(users(&opened(&data.0).await.load()), ["alice", "carol"], "{what}");
        }
    });
}

/// ATT-5: without its record it is a new device, which can be written.
#[test]
fn a_damaged_record_makes_a_new_device() {
    run(async {
        for (what, damage) in damages() {
            let data = Directory::new();
            damage(&used(&data.0).await.join("installation.json"));
            let mut disk = opened(&data.0).await;
            assert_eq!(disk.load().installation, None, "{what}");
            disk.write(vec![Write::Installation(record(2))]).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            drop(disk);
            assert_eq!(opened(&data.0).await.load().installation, Some(record(2)), "{what}");
        }
    });
}

/// ATT-5: what a crash left under the name of a file in the making is in nobody's way.
#[test]
fn a_file_in_the_making_is_in_nobodys_way() {
    run(async {
        for (what, damage) in damages() {
            let data = Directory::new();
            let new = used(&data.0).await.join("new");
            fs::write(&new, "half").unwrap();
            damage(&new);
            let mut disk = opened(&data.0).await;
            assert_eq!(disk.load().installation, Some(record(1)), "{what}");
            disk.write(vec![Write::Installation(record(2))]).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        }
    });
}

/// ATT-5: a device's directory that cannot be used is left, and another one taken.
#[test]
fn a_directory_that_cannot_be_used_is_left_for_another() {
    let spoils: [fn(&Path); 2] = [
        |device| fs::write(device, "no directory").unwrap(),
        |device| fs::create_dir_all(device.join("lock")).unwrap(),
    ];
    for spoil in spoils {
        let data = Directory::new();
        fs::create_dir_all(&data.0).unwrap();
        spoil(&data.0.join("device-1"));
        assert!(FileDisk::open(&data.0).unwrap().path().ends_with("device-2"));
    }
    let data = Directory::new();
    fs::write(&data.0, "no directory").unwrap();
    assert!(FileDisk::open(&data.0).is_err());
    fs::remove_file(&data.0).unwrap();
}

/// ATT-5: everybody can log in on a phone with a damaged file, and the new device is one.
#[test]
fn everybody_logs_in_on_a_phone_with_damaged_files() {
    run(async {
        let server = serve(MemoryStore::default()).await;
        let data = Directory::new();
        let path = used(&data.0).await;
        truncate(&path.join("installation.json"), |length| length / 2);
        truncate(&path.join("user-6361726f6c.json"), |length| length / 2);
        let (sdk, _) = device(&server.address, opened(&data.0).await);
        sdk.init(Platform::Ios).await.unwrap();
        for user in ["alice", "carol"] {
            sdk.login(user, ticket(user)).await.unwrap();
        }
        sdk.logout().await.unwrap();
    });
}
