//! The SDK: one account at a time, and a connection that it brings back whenever it is lost.
//!
//! ```text
//!            login                    accepted
//!   LOGOUT ─────────▶ LOGINING ──────────────────▶ LOGINED ◀─┐
//!     ▲ ▲                │ refused, lost, too late   │ │ └────┘ link lost, resumed
//!     │ └────────────────┘                           │ │
//!     └──────────────────────────────────────────────┘ logout, kicked
//! ```
//!
//! Calls take effect when they are made. Status, events and results come in the order in which they became true, each from
//! a call or from a frame, and an application may call from inside any of them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::mem::take;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::spawn_local;
use tokio::time::{interval, sleep, timeout};

use crate::wire::{Frames, Kick, Message, ToDevice, ToServer, Who, is_name, split};
use crate::{PING, SILENCE};

/// A login takes no longer.
pub const LOGIN_MAX: Duration = Duration::from_secs(5);
/// Between two attempts to connect; twice as long after each that fails, up to eight times.
pub const BACK_OFF: Duration = Duration::from_millis(25);

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A user's name has 1 to 32 letters, digits, `-` and `_`.
    BadName = 1,
    /// Somebody is logged in, or about to be.
    LoggedIn = 2,
    /// Nobody is logged in.
    NotLoggedIn = 3,
    /// There is no connection, or it was lost before there was an answer.
    LinkLost = 4,
    /// No answer came in time.
    TimedOut = 5,
}

/// Whether somebody is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nobody.
    Logout,
    /// Somebody is about to be.
    Logining,
    /// Somebody.
    Logined,
}

/// What an application is told without asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An attempt to connect begins.
    Connecting,
    /// The connection stands, and the session with it.
    Connected,
    /// The attempt failed.
    ConnectFailed(Refusal),
    /// The session is over.
    Kicked(Kick),
    /// A message arrived.
    Message(Message),
}

/// What an application hears.
pub trait Listener {
    /// The status is this one now, of this user where somebody is logged in.
    fn status(&self, status: Status, user: &str);
    /// Something happened.
    fn told(&self, event: Event);
}

/// Called once, with the result of a call.
pub type Done<T> = Box<dyn FnOnce(Result<T, Refusal>)>;

/// The SDK on one device.
pub struct Sdk {
    device: String,
    platform: String,
    server: SocketAddr,
    listener: Box<dyn Listener>,
    account: RefCell<Option<Account>>,
    last_id: Cell<u64>,
}

struct Account {
    /// Counts accounts, so that the task of an earlier one knows that it is over.
    id: u64,
    who: Who,
    /// None until the login is accepted.
    session: Option<u64>,
    login: Option<Done<()>>,
    sends: BTreeMap<u64, Done<u64>>,
    last_send: u64,
    /// The number of the last message that was told.
    got: u64,
    is_connecting: bool,
    link: Option<UnboundedSender<ToServer>>,
}

impl Sdk {
    /// An SDK with nobody logged in.
    pub fn new(device: &str, platform: &str, server: SocketAddr, listener: Box<dyn Listener>) -> Rc<Sdk> {
        let (device, platform) = (device.to_owned(), platform.to_owned());
        Rc::new(Sdk { device, platform, server, listener, account: RefCell::default(), last_id: Cell::new(0) })
    }

    /// Whether nothing is under way: nobody is logged in, or the connection stands.
    pub fn is_at_rest(&self) -> bool {
        self.account.borrow().as_ref().is_none_or(|account| account.link.is_some() && !account.is_connecting)
    }

    /// Logs in.
    pub fn login(self: &Rc<Self>, user: &str, done: Done<()>) {
        if !is_name(user) {
            return done(Err(Refusal::BadName));
        }
        if self.account.borrow().is_some() {
            return done(Err(Refusal::LoggedIn));
        }
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        *self.account.borrow_mut() = Some(Account {
            id,
            who: Who { user: user.to_owned(), device: self.device.clone(), platform: self.platform.clone() },
            session: None,
            login: Some(done),
            sends: BTreeMap::new(),
            last_send: 0,
            got: 0,
            is_connecting: false,
            link: None,
        });
        self.listener.status(Status::Logining, "");
        let sdk = Rc::clone(self);
        spawn_local(async move { sdk.stay_online(id).await });
        let sdk = Rc::clone(self);
        spawn_local(async move {
            sleep(LOGIN_MAX).await;
            sdk.give_up(id, Refusal::TimedOut);
        });
    }

    /// Logs out. Without a connection the server learns of it with the next login.
    pub fn logout(&self, done: Done<()>) {
        let Some(account) = self.account.take() else { return done(Err(Refusal::NotLoggedIn)) };
        if let Some(link) = &account.link {
            let _lost = link.send(ToServer::Logout);
        }
        self.listener.status(Status::Logout, "");
        account.end_calls();
        done(Ok(()));
    }

    /// Sends a message. The result is its number; after [`Refusal::LinkLost`] it may have arrived, and is not sent again.
    pub fn send(&self, to: &str, text: &str, done: Done<u64>) {
        let refusal = match self.account.borrow_mut().as_mut().filter(|account| account.session.is_some()) {
            None => Refusal::NotLoggedIn,
            Some(account) => {
                let id = account.last_send + 1;
                let frame = ToServer::Send { id, to: to.to_owned(), text: text.to_owned() };
                if account.link.as_ref().is_some_and(|link| link.send(frame).is_ok()) {
                    account.last_send = id;
                    account.sends.insert(id, done);
                    return;
                }
                Refusal::LinkLost
            }
        };
        done(Err(refusal));
    }

    /// What comes of the account, unless it is over. Nobody may be called from inside.
    fn with<T>(&self, id: u64, work: impl FnOnce(&mut Account) -> T) -> Option<T> {
        self.account.borrow_mut().as_mut().filter(|account| account.id == id).map(work)
    }

    async fn stay_online(&self, id: u64) {
        let mut wait = BACK_OFF;
        while self.with(id, |account| account.is_connecting = true).is_some() {
            self.listener.told(Event::Connecting);
            if let Ok(Ok(stream)) = timeout(SILENCE, TcpStream::connect(self.server)).await {
                let _lost = self.converse(id, stream).await;
            }
            wait = if self.lost(id) { BACK_OFF } else { BACK_OFF * 8 }.min(wait * 2);
            sleep(wait).await;
        }
    }

    async fn converse(&self, id: u64, stream: TcpStream) -> io::Result<()> {
        let (mut frames, link): (Frames<ToDevice>, _) = split(stream);
        let weak = link.downgrade();
        self.with(id, |account| {
            let who = account.who.clone();
            let _sent = link.send(match account.session {
                None => ToServer::Login(who),
                Some(session) => ToServer::Resume(who, session, account.got),
            });
            account.link = Some(link);
        });
        let mut ping = interval(PING);
        loop {
            tokio::select! {
                frame = frames.next() => match frame? {
                    Some(frame) => self.heard(id, frame),
                    None => return Ok(()),
                },
                _ = ping.tick() => if let Some(link) = weak.upgrade() {
                    let _lost = link.send(ToServer::Ping);
                },
            }
        }
    }

    fn heard(&self, id: u64, frame: ToDevice) {
        match frame {
            ToDevice::LoggedIn(session) => {
                let accepted = self.with(id, |account| {
                    account.is_connecting = false;
                    account.session = Some(session);
                    (account.login.take(), account.who.user.clone())
                });
                let Some((login, user)) = accepted else { return };
                if login.is_some() {
                    self.listener.status(Status::Logined, &user);
                }
                self.listener.told(Event::Connected);
                if let Some(done) = login {
                    done(Ok(()));
                }
            }
            ToDevice::Resumed => {
                if self.with(id, |account| account.is_connecting = false).is_some() {
                    self.listener.told(Event::Connected);
                }
            }
            ToDevice::Kicked(kick) => {
                let Some(account) = self.account.borrow_mut().take_if(|account| account.id == id) else { return };
                self.listener.status(Status::Logout, "");
                account.end_calls();
                self.listener.told(Event::Kicked(kick));
            }
            ToDevice::Sent { id: send, number } => {
                if let Some(done) = self.with(id, |account| account.sends.remove(&send)).flatten() {
                    done(Ok(number));
                }
            }
            ToDevice::Message(message) => {
                let is_new = self.with(id, |account| {
                    let is_new = message.number > account.got;
                    account.got = account.got.max(message.number);
                    let _lost = account.link.as_ref().map(|link| link.send(ToServer::Got(account.got)));
                    is_new
                });
                if is_new == Some(true) {
                    self.listener.told(Event::Message(message));
                }
            }
            ToDevice::Pong => {}
        }
    }

    /// The attempt to connect, or the connection that came of it, is over. Says whether there was one.
    fn lost(&self, id: u64) -> bool {
        // Whether a login that was sent was accepted nobody knows: it is not sent again.
        if self.with(id, |account| account.session.is_none() && account.link.is_some()) == Some(true) {
            self.give_up(id, Refusal::LinkLost);
        }
        let lost = self.with(id, |account| {
            account.link = None;
            (take(&mut account.is_connecting), take(&mut account.sends))
        });
        let Some((was_connecting, sends)) = lost else { return false };
        for done in sends.into_values() {
            done(Err(Refusal::LinkLost));
        }
        if was_connecting {
            self.listener.told(Event::ConnectFailed(Refusal::LinkLost));
        }
        !was_connecting
    }

    /// The login failed, unless it was accepted.
    fn give_up(&self, id: u64, why: Refusal) {
        let is_pending = |account: &mut Account| account.id == id && account.session.is_none();
        let Some(account) = self.account.borrow_mut().take_if(is_pending) else { return };
        self.listener.status(Status::Logout, "");
        if account.is_connecting {
            self.listener.told(Event::ConnectFailed(why));
        }
        if let Some(done) = account.login {
            done(Err(why));
        }
    }
}

impl Account {
    fn end_calls(self) {
        if let Some(done) = self.login {
            done(Err(Refusal::NotLoggedIn));
        }
        for done in self.sends.into_values() {
            done(Err(Refusal::NotLoggedIn));
        }
    }
}
