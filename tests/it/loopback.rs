//! The drivers as they ship, over TCP on this machine: sessions end to end, bad bytes, a store that
//! is slow or fails, files on a disk.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use gatecrash::client::{Installation, Status, Write};
use gatecrash::code::{Code, Failure, Reason};
use gatecrash::driver::client::{self, Listener, Sdk, Setup};
use gatecrash::driver::disk::{FileDisk, MemoryDisk};
use gatecrash::driver::server::{PREDECESSOR_WAIT_MAX, ServeError, ServerDriver, ServerHandle, Settings};
use gatecrash::driver::store::MemoryStore;
use gatecrash::driver::tokio::Live;
use gatecrash::driver::wire::{self, FrameReader, Unreadable};
use gatecrash::driver::{DeviceDisk, OnDisk, OpenError, ServerStore, Surroundings, Unobserved};
use gatecrash::id::{Attempt, CallId, DeviceId, MessageId};
use gatecrash::policy::Platform;
use gatecrash::protocol::{
    ClientFrame, Closing, Conversation, FRAME_BYTES_MAX, FrameError, Kick, Message, Presence, Refusal, Return,
    ServerFrame, TEXT_BYTES_MAX, VERSION,
};
use gatecrash::server::Config;
use gatecrash::store::{Commit, Records};
use gatecrash::ticket::{SecretKey, Ticket, TicketSpec, sign};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub const APP: u64 = 1_400_000_000;
pub const KEY: &str = "the app's secret";

/// Far above what any of these takes: a test that hangs is to fail instead.
const PATIENCE: Duration = Duration::from_secs(60);

/// What comes of it, which has to come long before a server closes whoever has not logged in (INPUT-2).
pub async fn before_admission_ends<Value>(it: impl Future<Output = Value>) -> Value {
    tokio::time::timeout(Duration::from_secs(20), it).await.expect("it waits for what closes anybody")
}

pub fn run<Value>(test: impl Future<Output = Value>) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.expect("the test does not end") })
}

pub fn ticket(user: &str) -> Ticket {
    ticket_for(user, 3_600)
}

/// One that is valid for so many seconds.
pub fn ticket_for(user: &str, ttl: u64) -> Ticket {
    let issued_at = Live::new().now().wall.seconds();
    sign(&TicketSpec { app_id: APP, user: user.parse().unwrap(), issued_at, ttl, userbuf: None }, &SecretKey::from(KEY))
}

pub struct Running {
    pub address: String,
    handle: ServerHandle,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    pub async fn stop(self) {
        self.handle.stop();
        self.task.await.unwrap().unwrap();
    }
}

async fn serve_at(address: &str, store: impl ServerStore, change: impl FnOnce(&mut Config)) -> Running {
    let mut config = Config::new(APP);
    config.administrators = ["root".parse().unwrap()].into();
    change(&mut config);
    let settings = Settings::new(address, config, vec![SecretKey::from(KEY)]);
    let (server, handle) = ServerDriver::<_, _>::bind(Live::new(), store, Unobserved, settings).await.unwrap();
    let address = server.listeners().next().unwrap().local_addr().unwrap().to_string();
    Running { address, handle, task: tokio::spawn(server.run()) }
}

pub async fn serve(store: impl ServerStore) -> Running {
    serve_at("127.0.0.1:0", store, |_| {}).await
}

pub fn nobody_is_logged_in(reason: Reason) -> Failure {
    Failure { code: Code::NotLoggedIn, reason: Some(reason) }
}

/// What a listener was told, as text.
pub struct Heard(mpsc::UnboundedReceiver<String>);

impl Heard {
    pub async fn next(&mut self) -> String {
        self.0.recv().await.expect("the listener is there")
    }

    /// Whether nothing was told that has not been taken.
    pub fn is_quiet(&mut self) -> bool {
        self.0.try_recv().is_err()
    }

    pub async fn until(&mut self, what: &str) {
        while self.next().await != what {}
    }
}

struct Ears(mpsc::UnboundedSender<String>);

impl Ears {
    fn heard(&self, what: String) {
        let _ = self.0.send(what);
    }
}

impl Listener for Ears {
    fn connecting(&self) {
        self.heard("connecting".into());
    }
    fn connect_success(&self) {
        self.heard("connect_success".into());
    }
    fn connect_failed(&self, code: Code) {
        self.heard(format!("connect_failed {}", code.number()));
    }
    fn kicked_offline(&self, kick: &Kick) {
        self.heard(format!("kicked_offline {} {}", kick.epoch, kick.reason.word()));
    }
    fn user_sig_expired(&self) {
        self.heard("user_sig_expired".into());
    }
    fn message(&self, message: &Message) {
        self.heard(format!("message {} {}", message.from, message.text));
    }
}

/// A device whose driver runs until the test ends.
pub fn device(server: &str, disk: impl DeviceDisk) -> (Sdk, Heard) {
    let (sdk, driver) = client::sdk(Live::new(), disk, server);
    tokio::spawn(driver.run());
    let heard = hears(&sdk);
    (sdk, heard)
}

/// What it tells its application from now on.
pub fn hears(sdk: &Sdk) -> Heard {
    let (sender, receiver) = mpsc::unbounded_channel();
    sdk.set_listener(Arc::new(Ears(sender)));
    Heard(receiver)
}

pub async fn logged_in(server: &str, platform: Platform, user: &str) -> (Sdk, Heard) {
    let (sdk, mut heard) = device(server, MemoryDisk::default());
    sdk.init(platform).await.unwrap();
    sdk.login(user, ticket(user)).await.unwrap();
    assert_eq!(heard.next().await, "connecting");
    assert_eq!(heard.next().await, "connect_success");
    (sdk, heard)
}

/// LOGIN-6, LOGIN-7, API-2, LOGOUT-1, INIT-3.
#[test]
fn two_users_log_in_and_talk() {
    run(async {
        let server = serve(MemoryStore::default()).await;
        let (alice, mut alice_heard) = logged_in(&server.address, Platform::Ios, "alice").await;
        let (bob, mut bob_heard) = logged_in(&server.address, Platform::Android, "bob").await;
        assert_eq!(alice.login_status(), Status::Logined);
        assert_eq!(alice.login_user(), "alice".parse().ok());

        assert_eq!(alice.send_message("bob", "hello").await, Ok(MessageId(1)));
        assert_eq!(bob_heard.next().await, "message alice hello");
        assert_eq!(bob.send_message("alice", "hello yourself").await, Ok(MessageId(2)));
        assert_eq!(alice_heard.next().await, "message bob hello yourself");
        assert_eq!(alice.send_message("nobody", "?").await, Err(Code::UnknownUser.into()));
        let line = Conversation { peer: "bob".parse().unwrap(), last: MessageId(2), preview: "hello yourself".into() };
        assert_eq!(alice.conversations().await, Ok(vec![line]));
        assert_eq!(alice.query_online_status(["bob"]).await, Err(Code::NotAdministrator.into()));

        alice.logout().await.unwrap();
        assert_eq!(alice.login_status(), Status::Logout);
        assert_eq!(alice.login_user(), None);
        assert_eq!(alice.send_message("bob", "?").await, Err(nobody_is_logged_in(Reason::LoggedOut)));
        bob.uninit().await.unwrap();
        assert_eq!(bob.send_message("alice", "?").await, Err(Code::NotInitialised.into()));
        server.stop().await;
    });
}

/// POLICY-3, KICK-1, KICK-9.
#[test]
fn a_second_phone_takes_the_first_ones_place() {
    run(async {
        let server = serve(MemoryStore::default()).await;
        let (first, mut heard) = logged_in(&server.address, Platform::Ios, "alice").await;
        let (second, _) = logged_in(&server.address, Platform::Ios, "alice").await;
        assert_eq!(heard.next().await, "kicked_offline 1 same_platform");
        assert_eq!(first.login_status(), Status::Logout);
        assert_eq!(first.login_user(), None);
        assert_eq!(second.login_status(), Status::Logined);

        // The administrator sees one device, then ends it (ADMIN-1, ADMIN-2).
        let (root, _) = logged_in(&server.address, Platform::Linux, "root").await;
        let report = root.query_online_status(["alice", "nobody"]).await.unwrap();
        assert_eq!(report.users[0].presence, Presence::Online);
        assert_eq!(report.users[0].devices.len(), 1);
        assert_eq!(report.unknown, ["nobody".parse().unwrap()]);
        root.admin_kick("alice").await.unwrap();
        while second.login_status() != Status::Logout {
            tokio::task::yield_now().await;
        }
    });
}

/// CONN-1, CONN-3: the SDK comes back by itself, and the application need not log in.
#[test]
fn a_device_comes_back_when_the_server_does() {
    run(async {
        let store = MemoryStore::default();
        let server = serve(store.clone()).await;
        let address = server.address.clone();
        let (alice, mut heard) = logged_in(&address, Platform::Mac, "alice").await;
        server.stop().await;
        heard.until("connect_failed 9508").await;
        assert_eq!(alice.login_status(), Status::Logined);
        assert_eq!(alice.send_message("alice", "anybody?").await, Err(Code::NoLink.into()));

        let server = serve_at(&address, store, |_| {}).await;
        heard.until("connect_success").await;
        assert_eq!(alice.send_message("alice", "a note").await, Ok(MessageId(1)));
        server.stop().await;
    });
}

/// EVENT-2: a call inside the listener takes effect at once.
#[test]
fn a_kicked_device_may_log_in_from_within_its_listener() {
    struct LoginAgain(std::sync::Mutex<Option<Sdk>>, mpsc::UnboundedSender<Status>);
    impl Listener for LoginAgain {
        fn kicked_offline(&self, _: &Kick) {
            if let Some(sdk) = self.0.lock().unwrap().take() {
                drop(sdk.login("alice", ticket("alice")));
                self.1.send(sdk.login_status()).unwrap();
            }
        }
        fn connect_success(&self) {
            self.1.send(Status::Logined).unwrap();
        }
    }
    run(async {
        let server = serve(MemoryStore::default()).await;
        let (first, _) = logged_in(&server.address, Platform::Ios, "alice").await;
        let (sender, mut seen) = mpsc::unbounded_channel();
        first.set_listener(Arc::new(LoginAgain(Some(first.clone()).into(), sender)));
        let (_second, mut heard) = logged_in(&server.address, Platform::Ios, "alice").await;
        assert_eq!(seen.recv().await, Some(Status::Logining));
        assert_eq!(seen.recv().await, Some(Status::Logined));
        assert_eq!(heard.next().await, "kicked_offline 2 same_platform");
    });
}

/// SWITCH-2: a listener that switches accounts comes before the success of the login it was told of.
#[test]
fn a_switch_inside_the_listener_ends_the_login_before_it() {
    struct Switch(std::sync::Mutex<Option<Sdk>>, mpsc::UnboundedSender<client::Pending<()>>);
    impl Listener for Switch {
        fn connect_success(&self) {
            if let Some(sdk) = self.0.lock().unwrap().take() {
                self.1.send(sdk.login("bob", ticket("bob"))).unwrap();
            }
        }
    }
    run(async {
        let server = serve(MemoryStore::default()).await;
        let (sdk, _) = device(&server.address, MemoryDisk::default());
        sdk.init(Platform::Ios).await.unwrap();
        let (sender, mut switches) = mpsc::unbounded_channel();
        sdk.set_listener(Arc::new(Switch(Some(sdk.clone()).into(), sender)));
        assert_eq!(sdk.login("alice", ticket("alice")).await, Err(nobody_is_logged_in(Reason::Switched)));
        assert_eq!(switches.recv().await.unwrap().await, Ok(()));
        assert_eq!(sdk.login_user(), "bob".parse().ok());
    });
}

/// INIT-3, INIT-4: pending calls end with 7009, and nobody is called back afterwards.
#[test]
fn uninit_ends_every_call() {
    run(async {
        // Nobody answers there, and nobody refuses.
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (sdk, mut heard) = device(&silent.local_addr().unwrap().to_string(), MemoryDisk::default());
        sdk.init(Platform::Web).await.unwrap();
        assert_eq!(sdk.init(Platform::Web).await, Err(Code::AlreadyInitialised.into()));
        let login = sdk.login("alice", ticket("alice"));
        assert_eq!(sdk.login("bob", ticket("bob")).await, Err(Code::LoginPending.into()));
        assert_eq!(heard.next().await, "connecting");
        let uninit = sdk.uninit();
        assert_eq!(login.await, Err(Code::Uninitialised.into()));
        assert_eq!(uninit.await, Ok(()));
        sdk.set_listener(Arc::new(Ears(mpsc::unbounded_channel().0)));
        assert_eq!(heard.0.recv().await, None, "nothing was called back");
        sdk.init(Platform::Web).await.unwrap();
    });
}

#[test]
fn calls_end_when_the_driver_is_dropped() {
    run(async {
        let (sdk, driver) = client::sdk(Live::new(), MemoryDisk::default(), "127.0.0.1:1");
        let init = sdk.init(Platform::Web);
        drop(driver);
        assert_eq!(init.await, Err(Code::Uninitialised.into()));
        assert_eq!(sdk.login("alice", ticket("alice")).await, Err(Code::Uninitialised.into()));
        assert_eq!(sdk.login_status(), Status::Logout);
    });
}

/// Somebody who speaks the protocol by hand.
pub struct Raw {
    stream: TcpStream,
    frames: FrameReader,
}

impl Raw {
    pub async fn connect(address: &str) -> Raw {
        Raw { stream: TcpStream::connect(address).await.unwrap(), frames: FrameReader::default() }
    }

    pub async fn send(&mut self, frame: ClientFrame<Ticket>) {
        self.try_send(frame).await.unwrap();
    }

    pub async fn try_send(&mut self, frame: ClientFrame<Ticket>) -> io::Result<()> {
        let mut bytes = BytesMut::new();
        wire::write(&frame, &mut bytes);
        self.stream.write_all(&bytes).await
    }

    pub async fn say(&mut self, bytes: &[u8]) {
        self.try_say(bytes).await.unwrap();
    }

    pub async fn try_say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    pub async fn hello(&mut self, device: u8) {
        let device = DeviceId::from_bytes([device; 16]);
        self.send(ClientFrame::Hello { version: VERSION, device, platform: Platform::Web }).await;
    }

    /// Whether somebody is there who answers, long after the hello.
    pub async fn is_still_heard(&mut self) -> bool {
        self.try_send(ClientFrame::Heartbeat).await.is_ok()
            && matches!(self.next().await, Ok(ServerFrame::HeartbeatAnswer))
    }

    /// Says hello. Whether somebody is there who answers.
    pub async fn is_heard(&mut self, device: u8) -> bool {
        let device = DeviceId::from_bytes([device; 16]);
        let mut bytes = BytesMut::new();
        wire::write(&ClientFrame::Hello { version: VERSION, device, platform: Platform::Web }, &mut bytes);
        wire::write(&ClientFrame::<Ticket>::Heartbeat, &mut bytes);
        let is_sent = self.stream.write_all(&bytes).await.is_ok();
        is_sent && matches!(self.next().await, Ok(ServerFrame::HeartbeatAnswer))
    }

    pub async fn login(&mut self, user: &str, ticket: Ticket) {
        self.login_again(1, user, ticket).await;
    }

    pub async fn login_again(&mut self, count: u32, user: &str, ticket: Ticket) {
        let attempt = Attempt { start: 1, count };
        let login = ClientFrame::Login { call: CallId(1), attempt, user: user.into(), ticket, known_ended: None };
        self.send(login).await;
    }

    /// A device that has said hello and asked to log in.
    pub async fn logging_in(address: &str, device: u8, user: &str) -> Raw {
        let mut raw = Raw::connect(address).await;
        raw.hello(device).await;
        raw.login(user, ticket(user)).await;
        raw
    }

    pub async fn next(&mut self) -> Result<ServerFrame, Unreadable> {
        self.frames.next(&mut self.stream).await
    }
}

pub fn is_accepted(answer: Result<ServerFrame, Unreadable>) -> bool {
    matches!(answer, Ok(ServerFrame::LoginAnswer { outcome: Ok(_), .. }))
}

fn refused(code: Code) -> ServerFrame {
    ServerFrame::LoginAnswer { call: CallId(1), outcome: Err(Refusal::Code(code)) }
}

/// INPUT-1, INPUT-2: an error frame, then the end, whatever the bytes were.
#[test]
fn bad_bytes_get_an_error_frame_and_the_connection_is_closed() {
    run(async {
        let server = serve(MemoryStore::default()).await;
        let oversized = [&(FRAME_BYTES_MAX as u32 + 1).to_be_bytes()[..], &[0; 100_000]].concat();
        let cases: [(&[u8], FrameError); 4] = [
            (&[0, 0, 0, 2, 0xff, 0xff], FrameError::Malformed),
            (&[0, 0, 0, 0], FrameError::Malformed),
            (&oversized, FrameError::Oversized),
            (b"GET / HTTP/1.1\r\n\r\n", FrameError::Oversized),
        ];
        for (bytes, error) in cases {
            let mut raw = Raw::connect(&server.address).await;
            raw.stream.write_all(bytes).await.unwrap();
            assert_eq!(raw.next().await.unwrap(), ServerFrame::Error(error));
            assert!(matches!(raw.next().await, Err(Unreadable::Ended)), "{error:?}");
        }
        // A good frame in the wrong place, in the wrong version.
        let mut raw = Raw::connect(&server.address).await;
        raw.send(ClientFrame::Heartbeat).await;
        assert_eq!(raw.next().await.unwrap(), ServerFrame::Error(FrameError::OutOfPlace));
        assert!(matches!(raw.next().await, Err(Unreadable::Ended)));
        raw = Raw::connect(&server.address).await;
        let device = DeviceId::from_bytes([1; 16]);
        raw.send(ClientFrame::Hello { version: VERSION + 1, device, platform: Platform::Web }).await;
        assert_eq!(raw.next().await.unwrap(), ServerFrame::Error(FrameError::Version));
        // A user id that is none reaches the core, which has a code for it (LOGIN-2).
        raw = Raw::connect(&server.address).await;
        raw.hello(1).await;
        raw.login("not a user", ticket("alice")).await;
        assert_eq!(raw.next().await.unwrap(), refused(Code::UserIdRejected));
        drop(raw);
        server.stop().await;
    });
}

/// INPUT-5: when everybody has said something, a newcomer is told why it does not get in; a frame that is not valid
/// is nothing said.
#[test]
fn a_newcomer_finds_a_place_of_somebody_silent_or_is_told_that_there_is_none() {
    run(async {
        let mut settings = Settings::new("127.0.0.1:0", Config::new(APP), vec![SecretKey::from(KEY)]);
        settings.bounds.connections_max = 2;
        let bound = ServerDriver::<_, _>::bind(Live::new(), MemoryStore::default(), Unobserved, settings).await;
        let (server, handle) = bound.unwrap();
        let address = server.listeners().next().unwrap().local_addr().unwrap().to_string();
        let task = tokio::spawn(server.run());

        let mut first = Raw::connect(&address).await;
        assert!(first.is_heard(1).await);
        let mut silent = Raw::connect(&address).await;
        // Half a frame is not a word.
        silent.stream.write_all(&[0, 0, 0, 30, 1]).await.unwrap();
        let mut second = Raw::connect(&address).await;
        assert!(second.is_heard(2).await);
        assert!(matches!(silent.next().await, Err(Unreadable::Ended | Unreadable::Broken(_))));

        let mut third = Raw::connect(&address).await;
        let come_back = Return { after: Duration::from_secs(1), spread: Duration::from_millis(250) };
        assert_eq!(third.next().await.unwrap(), ServerFrame::Closing { why: Closing::Full, come_back });
        assert!(matches!(third.next().await, Err(Unreadable::Ended)));
        for raw in [&mut first, &mut second] {
            raw.send(ClientFrame::Heartbeat).await;
            assert_eq!(raw.next().await.unwrap(), ServerFrame::HeartbeatAnswer);
        }
        // A place that is left is a place.
        drop(first);
        let mut fourth = loop {
            let mut raw = Raw::connect(&address).await;
            if raw.is_heard(4).await {
                break raw;
            }
        };
        fourth.login("alice", ticket("alice")).await;
        assert!(is_accepted(fourth.next().await));
        drop((second, fourth));
        handle.stop();
        task.await.unwrap().unwrap();
    });
}

/// A store whose commits end when the test says so, each with the test's result.
struct SlowStore {
    begun: mpsc::UnboundedSender<(usize, oneshot::Sender<io::Result<()>>)>,
}

/// A server with such a store, and each of its commits as it begins: how many are in the batch, and what ends it.
async fn serve_slowly() -> (Running, mpsc::UnboundedReceiver<(usize, oneshot::Sender<io::Result<()>>)>) {
    let (begun, commits) = mpsc::unbounded_channel();
    (serve(SlowStore { begun }).await, commits)
}

impl ServerStore for SlowStore {
    async fn open(&mut self) -> Result<Records, OpenError> {
        Ok(Records::default())
    }

    async fn commit(&mut self, batch: Vec<Commit>) -> io::Result<()> {
        let (end, ended) = oneshot::channel();
        self.begun.send((batch.len(), end)).unwrap();
        ended.await.unwrap()
    }
}

/// DUR-1: nothing is answered before it is on disk; what reveals nothing does not wait; and what is
/// decided while a commit runs is the next batch.
#[test]
fn a_commit_comes_before_its_answer() {
    run(async {
        let (server, mut commits) = serve_slowly().await;
        let mut one = Raw::logging_in(&server.address, 1, "alice").await;
        let (batch, end) = commits.recv().await.unwrap();
        assert_eq!(batch, 1);

        // The heartbeat's answer overtakes the login's.
        one.send(ClientFrame::Heartbeat).await;
        assert_eq!(one.next().await.unwrap(), ServerFrame::HeartbeatAnswer);

        // Two more logins while the commit runs.
        let mut others = VecDeque::new();
        for (device, user) in [(2, "bob"), (3, "carol")] {
            let mut other = Raw::logging_in(&server.address, device, user).await;
            other.send(ClientFrame::Heartbeat).await;
            assert_eq!(other.next().await.unwrap(), ServerFrame::HeartbeatAnswer);
            others.push_back(other);
        }
        assert!(commits.try_recv().is_err(), "one commit at a time");
        end.send(Ok(())).unwrap();
        assert!(is_accepted(one.next().await));
        let (batch, end) = commits.recv().await.unwrap();
        assert_eq!(batch, 2, "what gathered is one batch");
        end.send(Ok(())).unwrap();
        for mut other in others {
            assert!(is_accepted(other.next().await));
        }
    });
}

/// DUR-5: whoever waits for a commit that fails is told that the server was unable, be it in the batch or
/// behind it; everybody is let go, and the server goes on from what the store then holds.
#[test]
fn a_failed_commit_is_answered_and_the_server_goes_on() {
    run(async {
        let (server, mut commits) = serve_slowly().await;
        let mut first = Raw::logging_in(&server.address, 1, "alice").await;
        let (_, end) = commits.recv().await.unwrap();
        let mut behind = Raw::logging_in(&server.address, 2, "bob").await;
        behind.send(ClientFrame::Heartbeat).await;
        assert_eq!(behind.next().await.unwrap(), ServerFrame::HeartbeatAnswer);
        let mut idle = Raw::connect(&server.address).await;
        idle.hello(3).await;
        end.send(Err(io::Error::other("disk full"))).unwrap();

        for raw in [&mut first, &mut behind] {
            assert_eq!(raw.next().await.unwrap(), refused(Code::ServerUnable));
            assert!(matches!(raw.next().await, Err(Unreadable::Ended | Unreadable::Broken(_))));
        }
        assert!(matches!(idle.next().await, Err(Unreadable::Ended | Unreadable::Broken(_))));

        // Until the store is open again, connections are closed at once.
        let mut again = loop {
            let mut raw = Raw::connect(&server.address).await;
            if raw.is_heard(1).await {
                break raw;
            }
        };
        again.login("alice", ticket("alice")).await;
        let (batch, end) = commits.recv().await.unwrap();
        assert_eq!(batch, 1, "what was not committed is gone");
        end.send(Ok(())).unwrap();
        assert!(is_accepted(again.next().await));
    });
}

/// DUR-5: a server that is told to stop while its last commit fails says so to whoever waits, and to its owner.
#[test]
fn a_stop_whose_last_commit_fails_is_an_error() {
    run(async {
        let (server, mut commits) = serve_slowly().await;
        let mut raw = Raw::logging_in(&server.address, 1, "alice").await;
        let (_, end) = commits.recv().await.unwrap();
        server.handle.stop();
        end.send(Err(io::Error::other("disk full"))).unwrap();
        assert_eq!(raw.next().await.unwrap(), refused(Code::ServerUnable));
        drop(raw);
        let error = server.task.await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "the last changes may not be on disk: disk full");
    });
}

/// A stop answers what was decided, then closes.
#[test]
fn a_stop_finishes_what_was_begun() {
    run(async {
        let (server, mut commits) = serve_slowly().await;
        let mut raw = Raw::logging_in(&server.address, 1, "alice").await;
        let (_, end) = commits.recv().await.unwrap();
        server.handle.stop();
        end.send(Ok(())).unwrap();
        assert!(is_accepted(raw.next().await));
        let come_back = Return { after: Duration::from_secs(1), spread: Duration::from_millis(250) };
        assert_eq!(raw.next().await.unwrap(), ServerFrame::Closing { why: Closing::Stopping, come_back });
        assert!(matches!(raw.next().await, Err(Unreadable::Ended)));
        drop(raw);
        server.task.await.unwrap().unwrap();
    });
}

/// STOP-1, CONN-2: who comes back while the last answers are on their way is refused at once, not left hanging; behind
/// its answer a device is told when to come back.
#[test]
fn a_stop_accepts_nobody_before_anybody_is_closed() {
    run(async {
        let (server, mut commits) = serve_slowly().await;
        let mut raw = Raw::logging_in(&server.address, 1, "alice").await;
        let (_, end) = commits.recv().await.unwrap();
        server.handle.stop();
        // The commit is under way still, and the connection open.
        while TcpStream::connect(&server.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        end.send(Ok(())).unwrap();
        assert!(is_accepted(raw.next().await));
        // What was decided is answered; then everybody is told (CONN-2).
        assert!(matches!(raw.next().await, Ok(ServerFrame::Closing { why: Closing::Stopping, .. })));
        assert!(matches!(raw.next().await, Err(Unreadable::Ended)));
        drop(raw);
        server.task.await.unwrap().unwrap();
    });
}

/// A store that another process has open for a while.
struct TakenStore(u32, MemoryStore);

impl ServerStore for TakenStore {
    async fn open(&mut self) -> Result<Records, OpenError> {
        self.0 = self.0.saturating_sub(1);
        if self.0 > 0 { Err(OpenError::InUse { path: "records".into() }) } else { self.1.open().await }
    }

    async fn commit(&mut self, batch: Vec<Commit>) -> io::Result<()> {
        self.1.commit(batch).await
    }
}

/// STOP-1: a successor waits for its predecessor's records, and not for ever.
#[test]
fn a_successor_waits_for_the_records() {
    run(async {
        let server = serve(TakenStore(4, MemoryStore::default())).await;
        let (_alice, _) = logged_in(&server.address, Platform::Ios, "alice").await;
        let settings = Settings::new("127.0.0.1:0", Config::new(APP), vec![SecretKey::from(KEY)]);
        let store = TakenStore(u32::MAX, MemoryStore::default());
        let began = Live::new();
        let bound = ServerDriver::<Live, _>::bind(began.clone(), store, Unobserved, settings).await;
        assert!(matches!(bound.err().unwrap(), ServeError::Open(OpenError::InUse { .. })));
        let waited = began.now().instant - gatecrash::time::Instant::ZERO;
        assert!(waited >= PREDECESSOR_WAIT_MAX, "{waited:?}");
    });
}

/// TICKET-3, POLICY-5: keys and configuration change while the server runs.
#[test]
fn a_server_is_configured_while_it_runs() {
    run(async {
        let server = serve(MemoryStore::default()).await;
        let (_alice, _) = logged_in(&server.address, Platform::Web, "alice").await;
        server.handle.configure(Config::new(APP), vec![SecretKey::from("another secret")]);
        let (bob, _) = device(&server.address, MemoryDisk::default());
        bob.init(Platform::Web).await.unwrap();
        assert_eq!(bob.login("bob", ticket("bob")).await, Err(Code::TicketSignature.into()));
        server.handle.configure(Config::new(APP + 1), vec![SecretKey::from(KEY)]);
        assert_eq!(bob.login("bob", ticket("bob")).await, Err(Code::TicketOtherApp.into()));
    });
}

/// LOGIN-8, LOGIN-3: the SDK's limits are its own to set.
#[test]
fn a_login_nobody_answers_times_out() {
    run(async {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (sdk, _) = device(&silent.local_addr().unwrap().to_string(), MemoryDisk::default());
        let mut setup = Setup::from(Platform::Web);
        setup.limits.login_timeout = Duration::from_millis(200);
        sdk.init(setup).await.unwrap();
        assert_eq!(sdk.login("alice", ticket("alice")).await, Err(Code::NoAnswer.into()));
        let (_, mut login) = silent.accept().await.map(|(stream, _)| ((), stream)).unwrap();
        let mut bytes = Vec::new();
        login.read_to_end(&mut bytes).await.unwrap();
        assert!(!bytes.is_empty(), "the login was sent");
    });
}

/// A disk whose writes end when the test says so, each with the test's result.
struct SlowDisk {
    begun: mpsc::UnboundedSender<(Vec<Write>, oneshot::Sender<io::Result<()>>)>,
}

impl DeviceDisk for SlowDisk {
    fn load(&mut self) -> OnDisk {
        OnDisk::default()
    }

    async fn write(&mut self, writes: Vec<Write>) -> io::Result<()> {
        let (end, ended) = oneshot::channel();
        self.begun.send((writes, end)).unwrap();
        ended.await.unwrap()
    }
}

/// ATT-4: no frame leaves before the device's record is on its disk, however long that takes.
#[test]
fn a_record_is_written_before_the_first_frame() {
    run(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (begun, mut writes) = mpsc::unbounded_channel();
        let (sdk, _) = device(&listener.local_addr().unwrap().to_string(), SlowDisk { begun });
        sdk.init(Platform::Web).await.unwrap();
        let login = sdk.login("alice", ticket("alice"));
        let (connection, _) = listener.accept().await.unwrap();
        let (failed, end) = writes.recv().await.unwrap();
        let mut byte = [0];
        for _ in 0..100 {
            tokio::task::yield_now().await;
            assert_eq!(connection.try_read(&mut byte).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        }
        // ATT-5: a write that failed ends the login, of which nothing has left, and is made again for the next.
        end.send(Err(io::Error::other("no space"))).unwrap();
        assert_eq!(login.await, Err(Code::StorageFailed.into()));
        assert_eq!(connection.try_read(&mut byte).unwrap(), 0, "closed, and not a byte before");
        drop(sdk.login("alice", ticket("alice")));
        let (again, end) = writes.recv().await.unwrap();
        assert_eq!(again, failed);
        assert!(matches!(&again[..], [Write::Installation(record)] if record.starts == 1), "{again:?}");
        let (mut connection, _) = listener.accept().await.unwrap();
        for _ in 0..100 {
            tokio::task::yield_now().await;
            assert_eq!(connection.try_read(&mut byte).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        }
        end.send(Ok(())).unwrap();
        let hello = FrameReader::default().next::<ClientFrame<Ticket>>(&mut connection).await.unwrap();
        assert!(matches!(hello, ClientFrame::Hello { version: VERSION, .. }), "{hello:?}");
    });
}

/// INIT-4, ATT-5: an `init` that is refused changes nothing, how long a write may take included.
#[test]
fn a_second_init_leaves_the_limits_of_the_first() {
    run(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (begun, mut writes) = mpsc::unbounded_channel();
        let (sdk, _) = device(&listener.local_addr().unwrap().to_string(), SlowDisk { begun });
        let mut setup = Setup::from(Platform::Web);
        setup.limits.connect_timeout = Duration::from_millis(200);
        sdk.init(setup.clone()).await.unwrap();
        setup.limits.connect_timeout = Duration::from_secs(3_600);
        assert_eq!(sdk.init(setup).await, Err(Code::AlreadyInitialised.into()));
        let login = sdk.login("alice", ticket("alice"));
        let (_, _end) = writes.recv().await.unwrap();
        assert_eq!(login.await, Err(Code::StorageFailed.into()));
    });
}

/// LOGOUT-1, LOGOUT-2: what was sent before a close goes out, even if it waits for the disk.
#[test]
fn a_logout_goes_out_before_its_connection_is_closed() {
    run(async {
        let server = serve(MemoryStore::default()).await;
        let (begun, mut writes) = mpsc::unbounded_channel();
        let (sdk, mut heard) = device(&server.address, SlowDisk { begun });
        sdk.init(Platform::Ios).await.unwrap();
        let login = sdk.login("alice", ticket("alice"));
        tokio::pin!(login);
        let end_writes = async {
            loop {
                let (_, end) = writes.recv().await.unwrap();
                end.send(Ok(())).unwrap();
            }
        };
        tokio::select! {
            _ = end_writes => unreachable!(),
            result = &mut login => result.unwrap(),
        }
        assert_eq!(heard.next().await, "connecting");
        assert_eq!(heard.next().await, "connect_success");
        drop(sdk.logout());
        let uninit = sdk.uninit();
        tokio::spawn(async move {
            while let Some((_, end)) = writes.recv().await {
                end.send(Ok(())).unwrap();
            }
        });
        uninit.await.unwrap();
        let (root, _) = logged_in(&server.address, Platform::Linux, "root").await;
        loop {
            let report = root.query_online_status(["alice"]).await.unwrap();
            if report.users[0].devices.is_empty() {
                break;
            }
        }
    });
}

/// A peer that does not read costs bounded memory.
#[test]
fn a_connection_nobody_reads_is_sent_no_more() {
    const MESSAGES: usize = 1_000;
    run(async {
        let server = serve(MemoryStore::default()).await;
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let stream = socket.connect(server.address.parse().unwrap()).await.unwrap();
        let mut deaf = Raw { stream, frames: FrameReader::default() };
        deaf.hello(1).await;
        deaf.login("alice", ticket("alice")).await;
        assert!(is_accepted(deaf.next().await));

        let (bob, _) = logged_in(&server.address, Platform::Linux, "bob").await;
        let text = "x".repeat(TEXT_BYTES_MAX);
        for _ in 0..MESSAGES {
            bob.send_message("alice", text.clone()).await.unwrap();
        }
        let mut delivered = 0;
        // API-7: it acknowledges nothing, so nothing more is sent, and the rest waits where it is bounded.
        while let Ok(Ok(ServerFrame::Message { .. })) = tokio::time::timeout(Duration::from_secs(1), deaf.next()).await
        {
            delivered += 1;
        }
        assert_eq!(delivered, gatecrash::protocol::MESSAGES_UNACKNOWLEDGED_MAX);
    });
}

/// A fresh directory, gone when the test ends.
pub struct Directory(pub PathBuf);

impl Directory {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("gatecrash-it-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        Directory(std::env::temp_dir().join(name))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// ATT-4: one record, whole, for one process.
#[test]
fn a_device_is_one_directory_for_one_process() {
    run(async {
        let data = Directory::new();
        let mut first = FileDisk::open(&data.0).unwrap();
        let mut second = FileDisk::open(&data.0).unwrap();
        let record = |byte| Installation::new(DeviceId::from_bytes([byte; 16]));
        let cache = |user: &str, preview: &str| Write::Conversations {
            user: user.parse().unwrap(),
            conversations: vec![Conversation {
                peer: "zed".parse().unwrap(),
                last: MessageId(1),
                preview: preview.into(),
            }],
        };
        let writes = vec![
            Write::Installation(record(1)),
            cache("alice", "for alice"),
            cache("Alice", "for Alice"),
            Write::Installation(Installation { starts: 7, ..record(1) }),
        ];
        first.write(writes).await.unwrap();
        second.write(vec![Write::Installation(record(2))]).await.unwrap();
        let first_path = first.path().to_owned();
        drop(first);

        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(first_path.clone()), 0o700, "the device is its owner's");
            for entry in std::fs::read_dir(&first_path).unwrap() {
                let path = entry.unwrap().path();
                assert_eq!(mode(path.clone()), 0o600, "{}", path.display());
            }
        }

        let mut again = FileDisk::open(&data.0).unwrap();
        assert_eq!(again.path(), first_path, "the first free device is taken");
        let on_disk = again.load();
        assert_eq!(on_disk.installation, Some(Installation { starts: 7, ..record(1) }));
        let previews: Vec<_> =
            on_disk.conversations.iter().map(|(user, lines)| (user.as_str(), lines[0].preview.as_str())).collect();
        assert_eq!(previews, [("Alice", "for Alice"), ("alice", "for alice")]);
    });
}

/// INIT-6, API-3: a restarted application is the same device, logged out, with its caches.
#[test]
fn a_device_is_itself_after_a_restart() {
    run(async {
        let data = Directory::new();
        let server = serve(MemoryStore::default()).await;
        let disk = FileDisk::open(&data.0).unwrap();
        let (sdk, driver) = client::sdk(Live::new(), disk, server.address.clone());
        let process = tokio::spawn(driver.run());
        sdk.init(Platform::Windows).await.unwrap();
        sdk.login("alice", ticket("alice")).await.unwrap();
        sdk.send_message("alice", "a note").await.unwrap();
        while sdk.conversations().await.unwrap().is_empty() {}
        sdk.uninit().await.unwrap();
        process.abort();
        assert!(process.await.unwrap_err().is_cancelled());

        // The process is dead; its lock is free once its last write is done.
        let mut disk = FileDisk::open(&data.0).unwrap();
        while !disk.path().ends_with("device-1") {
            drop(disk);
            tokio::task::yield_now().await;
            disk = FileDisk::open(&data.0).unwrap();
        }
        let (sdk, mut heard) = device(&server.address, disk);
        sdk.init(Platform::Windows).await.unwrap();
        assert_eq!(sdk.login_status(), Status::Logout);
        // The same device logs in anew: it replaces itself, and nobody is kicked (LOGIN-10).
        let login = sdk.login("alice", ticket("alice"));
        assert_eq!(sdk.conversations().await.unwrap().len(), 1, "from the cache, before the login has ended");
        login.await.unwrap();
        assert_eq!(heard.next().await, "connecting");
        assert_eq!(heard.next().await, "connect_success");
    });
}

/// CONN-5: a server that did not run reads what has arrived before it takes anybody for silent.
#[test]
#[expect(clippy::disallowed_methods, reason = "real time is what a real server stands still in")]
fn a_server_that_stood_still_takes_nobody_for_silent() {
    const SILENCE: Duration = Duration::from_secs(2);
    let (serving, address) = oneshot::channel();
    let (stall, mut stalls) = mpsc::unbounded_channel::<()>();
    // Whatever is done there is done by one thread, and while that sleeps nothing of the server runs.
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let limits = |config: &mut Config| config.limits.silence_web = SILENCE;
            let running = serve_at("127.0.0.1:0", MemoryStore::default(), limits).await;
            serving.send(running.address.clone()).unwrap();
            while stalls.recv().await.is_some() {
                std::thread::sleep(SILENCE * 2);
            }
            running.handle.stop();
            running.task.await.unwrap().unwrap();
        });
    });
    run(async {
        let address = address.await.unwrap();
        let mut devices = Vec::new();
        for (number, user) in [(1, "alice"), (2, "bob"), (3, "carol")] {
            let mut raw = Raw::logging_in(&address, number, user).await;
            assert!(is_accepted(raw.next().await));
            devices.push(raw);
        }
        stall.send(()).unwrap();
        for _ in 0..8 {
            tokio::time::sleep(SILENCE / 4).await;
            for raw in &mut devices {
                raw.send(ClientFrame::Heartbeat).await;
            }
        }
        for raw in &mut devices {
            for _ in 0..8 {
                assert!(matches!(raw.next().await, Ok(ServerFrame::HeartbeatAnswer)));
            }
        }
        // Who really says nothing is closed as ever (PRES-2).
        let mut silent = Raw::logging_in(&address, 4, "dave").await;
        while silent.next().await.is_ok() {}
        drop(stall);
    });
    server.join().unwrap();
}
