//! The handle an application holds, its listener, and a call on its way.
//!
//! Only passes calls on. The core answers them, the driver delivers the answers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::client::{Call, Event, Input, Reply, Start, Status};
use crate::code::{Code, Failure};
use crate::id::{CallId, MessageId, SendId, UserId};
use crate::limits::ClientLimits;
use crate::policy::Platform;
use crate::protocol::{Conversation, Kick, Message, StatusReport};
use crate::ticket::{self, Ticket};

pub(super) type Answer = oneshot::Sender<Result<Reply, Failure>>;

/// What a handle asks of what it shares with the driver, whatever world that runs in.
pub(super) trait Calls: Send + Sync {
    fn call(&self, request: Call) -> (CallId, oneshot::Receiver<Result<Reply, Failure>>);
    fn start(&self, setup: Setup) -> Start;
    fn happened(&self, input: Input);
    fn login_status(&self) -> Status;
    fn login_user(&self) -> Option<UserId>;
    fn set_listener(&self, listener: Arc<dyn Listener>);
}

/// What `init` is told.
///
/// ```
/// use std::time::Duration;
/// use gatecrash::{driver::client::Setup, policy::Platform};
///
/// let mut setup = Setup::from(Platform::Web);
/// setup.limits.login_timeout = Duration::from_secs(10);
/// assert_eq!(setup.platform, Platform::Web);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// What the device is.
    pub platform: Platform,
    /// Times and numbers; by default those of the rules.
    pub limits: ClientLimits,
}

impl From<Platform> for Setup {
    fn from(platform: Platform) -> Self {
        Setup { platform, limits: ClientLimits::of(platform) }
    }
}

/// What the application is told without asking. Every method does nothing unless implemented.
///
/// The driver makes one call at a time, on its own thread. One that panics is logged, counts as made, and
/// keeps the driver from nothing (EVENT-2). Any call of the [`Sdk`] may be made
/// inside (EVENT-2); it takes effect at once. Its [`Pending`] must not be waited for there: the
/// driver cannot deliver the result before the listener returns.
///
/// ```
/// use gatecrash::driver::client::Listener;
/// use gatecrash::protocol::Message;
///
/// struct Printer;
///
/// impl Listener for Printer {
///     fn message(&self, message: &Message) {
///         println!("{}: {}", message.from, message.text);
///     }
/// }
///
/// Printer.connecting();
/// ```
pub trait Listener: Send + Sync {
    /// An attempt to connect begins (CONN-3).
    fn connecting(&self) {}

    /// A login or resume was accepted.
    fn connect_success(&self) {}

    /// The attempt failed.
    fn connect_failed(&self, code: Code) {
        let _ = code;
    }

    /// The session was ended for this device: another device took its place, or an administrator
    /// ended it (KICK-1, KICK-9). The SDK does nothing until the application logs in again.
    fn kicked_offline(&self, kick: &Kick) {
        let _ = kick;
    }

    /// The session ended with its ticket: log in with a fresh one (TICKET-5).
    fn user_sig_expired(&self) {}

    /// A message arrived (API-2).
    fn message(&self, message: &Message) {
        let _ = message;
    }

    /// The device was away for longer than the server has room for: so many messages that were meant for it are lost
    /// to it (API-7). The conversation list shows the last of each conversation all the same.
    fn messages_dropped(&self, count: u64) {
        let _ = count;
    }
}

impl dyn Listener {
    pub(super) fn hear(&self, event: &Event) {
        match event {
            Event::Connecting => self.connecting(),
            Event::ConnectSuccess => self.connect_success(),
            Event::ConnectFailed(code) => self.connect_failed(*code),
            Event::KickedOffline(kick) => self.kicked_offline(kick),
            Event::UserSigExpired(_) => self.user_sig_expired(),
            Event::Message(message) => self.message(message),
            Event::MessagesDropped(count) => self.messages_dropped(*count),
        }
    }
}

/// Nobody listens.
pub(super) struct Unheard;

impl Listener for Unheard {}

/// The SDK in an application's hands. A clone is the same SDK.
///
/// Every call takes effect at once, before it returns; the [`Pending`] it returns gives the result,
/// exactly one, and need not be waited for. A call that fails gives a [`Failure`]: its code, and with
/// [`Code::NotLoggedIn`] the reason why nobody is logged in (API-1). Calls are taken in the order they are made, from any
/// thread, inside a [`Listener`] too.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use gatecrash::driver::server::{ServerDriver, Settings};
/// use gatecrash::driver::{Unobserved, client, disk::MemoryDisk, store::MemoryStore, tokio::Live};
/// use gatecrash::ticket::{SecretKey, TicketSpec, sign};
/// use gatecrash::{client::Status, driver::Surroundings, policy::Platform, server::Config};
///
/// // A server of app 1400000000, over loopback.
/// let live = Live::new();
/// let key = SecretKey::from("secret");
/// let settings = Settings::new("127.0.0.1:0", Config::new(1_400_000_000), vec![key.clone()]);
/// let (server, _handle) =
///     ServerDriver::<Live, MemoryStore>::bind(live.clone(), MemoryStore::default(), Unobserved, settings).await.unwrap();
/// let address = server.listeners().next().unwrap().local_addr().unwrap().to_string();
/// tokio::spawn(server.run());
///
/// // What the app's business server does.
/// let issued_at = live.now().wall.seconds();
/// let spec = TicketSpec { app_id: 1_400_000_000, user: "alice".parse().unwrap(), issued_at, ttl: 3_600, userbuf: None };
/// let ticket = sign(&spec, &key);
///
/// // What the application does.
/// let (sdk, driver) = client::sdk(live.clone(), MemoryDisk::default(), address);
/// tokio::spawn(driver.run());
/// sdk.init(Platform::Ios).await.unwrap();
/// sdk.login("alice", ticket).await.unwrap();
/// assert_eq!(sdk.login_status(), Status::Logined);
/// assert_eq!(sdk.login_user().unwrap().as_str(), "alice");
///
/// sdk.logout().await.unwrap();
/// assert_eq!(sdk.login_user(), None);
/// # });
/// ```
#[derive(Clone)]
pub struct Sdk {
    shared: Arc<dyn Calls>,
}

impl Sdk {
    pub(super) fn new(shared: Arc<dyn Calls>) -> Self {
        Sdk { shared }
    }

    /// Starts the SDK (INIT-1). `login` may be called at once (INIT-2).
    ///
    /// # Errors
    ///
    /// [`Code::AlreadyInitialised`] without `uninit` between (INIT-4).
    pub fn init(&self, setup: impl Into<Setup>) -> Pending<()> {
        self.call(Call::Init(Box::new(self.shared.start(setup.into()))), done)
    }

    /// Ends the SDK, and every pending call with [`Code::Uninitialised`]. Once the result is
    /// there nothing is called back any more. The session stays, as if the process were killed
    /// (INIT-3, INIT-5).
    ///
    /// # Errors
    ///
    /// [`Code::NotInitialised`].
    pub fn uninit(&self) -> Pending<()> {
        self.call(Call::Uninit, done)
    }

    /// Logs in; as the user who is logged in already, renews the session's ticket (LOGIN-5); as
    /// another user, switches accounts (SWITCH-1).
    ///
    /// # Errors
    ///
    /// At once [`Code::NotInitialised`], [`Code::InvalidUserId`], [`Code::TicketEmpty`],
    /// [`Code::TicketMalformed`], [`Code::TicketKnownExpired`], [`Code::LoginPending`] or
    /// [`Code::LogoutPending`]; from the server what TICKET-3, TICKET-4 and KICK-7 say; without an
    /// answer [`Code::NoLink`], [`Code::ConnectTimeout`] or [`Code::NoAnswer`] (LOGIN-8); with a record that
    /// cannot be written [`Code::StorageFailed`] (ATT-5), with a server of another version
    /// [`Code::VersionNotSupported`] (VERSION-1); ended from elsewhere [`Code::LoginCancelled`], [`Code::NotLoggedIn`] or [`Code::Uninitialised`].
    pub fn login(&self, user: impl Into<String>, ticket: impl Into<Ticket>) -> Pending<()> {
        let (user, ticket) = (user.into(), ticket.into());
        let lasts = ticket::read(ticket.as_str()).ok().map(|contents| Duration::from_secs(contents.claims.ttl));
        self.call(Call::Login { user, ticket, lasts }, done)
    }

    /// Logs out. Nobody is logged in from now on; without a link the server learns it later
    /// (LOGOUT-1, LOGOUT-2).
    ///
    /// # Errors
    ///
    /// [`Code::NotInitialised`], [`Code::NotLoggedIn`], [`Code::LogoutPending`] (LOGOUT-4);
    /// [`Code::StorageFailed`] when the end could not be kept: nobody is logged in all the same (ATT-5).
    pub fn logout(&self) -> Pending<()> {
        self.call(Call::Logout, done)
    }

    /// Who is logged in; nobody in every status but [`Status::Logined`] (LOGIN-7).
    pub fn login_user(&self) -> Option<UserId> {
        self.shared.login_user()
    }

    /// The login status (LOGIN-6).
    pub fn login_status(&self) -> Status {
        self.shared.login_status()
    }

    /// The conversation list, from the device's cache: newest first (API-1, API-3).
    ///
    /// # Errors
    ///
    /// [`Code::NotInitialised`]; [`Code::NotLoggedIn`] before any login and after a logout.
    pub fn conversations(&self) -> Pending<Vec<Conversation>> {
        self.call(Call::Conversations, |reply| match reply {
            Reply::Conversations(list) => list,
            Reply::Done | Reply::Message(_) | Reply::Report(_) => mismatch(reply),
        })
    }

    /// Sends a message. Gives its number (API-2).
    ///
    /// Each call is another message. What may have to be sent again goes with [`Sdk::send_message_as`].
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`] for an empty receiver or a text over 12 KiB (API-4),
    /// [`Code::NotInitialised`], [`Code::NotLoggedIn`], [`Code::UnknownUser`], [`Code::NoLink`],
    /// [`Code::NoAnswer`] (API-5).
    pub fn send_message(&self, to: impl Into<String>, text: impl Into<String>) -> Pending<MessageId> {
        self.send(None, to.into(), text.into())
    }

    /// Sends a message under an id of the application's own, drawn for it and kept until it is known to have
    /// arrived: sent again under that id, after [`Code::NoAnswer`] or in a later process, it is delivered
    /// once, and gets the number it was given first (API-6). Another message needs another id.
    ///
    /// # Errors
    ///
    /// As [`Sdk::send_message`].
    pub fn send_message_as(&self, id: SendId, to: impl Into<String>, text: impl Into<String>) -> Pending<MessageId> {
        self.send(Some(id), to.into(), text.into())
    }

    fn send(&self, id: Option<SendId>, to: String, text: String) -> Pending<MessageId> {
        self.call(Call::SendMessage { id, to, text }, |reply| match reply {
            Reply::Message(id) => id,
            Reply::Done | Reply::Conversations(_) | Reply::Report(_) => mismatch(reply),
        })
    }

    /// Ends every session of a user and voids the user's tickets; for administrators (ADMIN-1).
    ///
    /// # Errors
    ///
    /// As [`Sdk::send_message`], and [`Code::NotAdministrator`] (ADMIN-3).
    pub fn admin_kick(&self, user: impl Into<String>) -> Pending<()> {
        self.call(Call::AdminKick { user: user.into() }, done)
    }

    /// Asks who is online; for administrators (ADMIN-2).
    ///
    /// # Errors
    ///
    /// As [`Sdk::send_message`], and [`Code::NotAdministrator`] (ADMIN-3).
    pub fn query_online_status<User: Into<String>>(
        &self,
        users: impl IntoIterator<Item = User>,
    ) -> Pending<StatusReport> {
        let users = users.into_iter().map(Into::into).collect();
        self.call(Call::QueryStatus { users }, |reply| match reply {
            Reply::Report(report) => report,
            Reply::Done | Reply::Message(_) | Reply::Conversations(_) => mismatch(reply),
        })
    }

    /// Says that the device runs again after its operating system froze it (CONN-10).
    pub fn woken(&self) {
        self.shared.happened(Input::Woken);
    }

    /// Says that the operating system reports another network (CONN-10).
    pub fn network_changed(&self) {
        self.shared.happened(Input::NetworkChanged);
    }

    /// Puts another listener in the place of the one there is, from the next event on. Allowed at any time,
    /// in a listener too (INIT-1).
    pub fn set_listener(&self, listener: Arc<dyn Listener>) {
        self.shared.set_listener(listener);
    }

    fn call<Value>(&self, request: Call, read: fn(Reply) -> Value) -> Pending<Value> {
        let (call, answer) = self.shared.call(request);
        Pending { call, answer, read }
    }
}

impl fmt::Debug for Sdk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sdk({}, {:?})", self.login_status().word(), self.login_user())
    }
}

fn done(reply: Reply) {
    match reply {
        Reply::Done => {}
        Reply::Message(_) | Reply::Conversations(_) | Reply::Report(_) => mismatch(reply),
    }
}

fn mismatch<Value>(reply: Reply) -> Value {
    unreachable!("{reply:?} answers another kind of call")
}

/// A call on its way: a future of its result. Dropping it does not take the call back.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use gatecrash::{code::Code, id::CallId};
/// use gatecrash::driver::{client, disk::MemoryDisk, tokio::Live};
///
/// let (sdk, driver) = client::sdk(Live::new(), MemoryDisk::default(), "im.example.org:7000");
/// let pending = sdk.logout();
/// assert_eq!(pending.call(), CallId(1));
/// drop(driver);
/// assert_eq!(pending.await, Err(Code::Uninitialised.into()));
/// # });
/// ```
#[derive(Debug)]
pub struct Pending<Value> {
    call: CallId,
    answer: oneshot::Receiver<Result<Reply, Failure>>,
    read: fn(Reply) -> Value,
}

impl<Value> Pending<Value> {
    /// The call's number, which its frames carry.
    pub fn call(&self) -> CallId {
        self.call
    }
}

impl<Value> Future for Pending<Value> {
    type Output = Result<Value, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let read = self.read;
        // The driver's end, like that of a process, leaves nobody to answer.
        Pin::new(&mut self.answer)
            .poll(context)
            .map(|answer| answer.unwrap_or(Err(Code::Uninitialised.into())).map(read))
    }
}
