//! The SDK: one account at a time, and a connection that it brings back whenever it is lost.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{sleep, timeout};

/// No result in time.
pub const TIMED_OUT: u32 = 1;
/// Nobody is logged in.
pub const NOT_LOGGED_IN: u32 = 2;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const LOGIN_TIMEOUT: Duration = Duration::from_secs(8);
const SEND_TIMEOUT: Duration = Duration::from_secs(4);
const PING: Duration = Duration::from_secs(2);
const BACKOFF: Duration = Duration::from_millis(500);

/// Called with the result of a call.
pub type Callback = Rc<dyn Fn(Result<(), u32>)>;

/// Opens a connection to the server.
pub type Connect<S> = Rc<dyn Fn() -> Pin<Box<dyn Future<Output = io::Result<S>>>>>;

/// What the application hears.
pub trait Listener {
    /// The connection stands, and the user is online.
    fn connected(&self);
    /// Another device of the user took the place.
    fn kicked(&self, by: &str);
    /// A message arrived.
    fn message(&self, id: &str, from: &str, text: &str);
}

/// The SDK on one device.
pub struct Sdk<S> {
    device: String,
    connect: Connect<S>,
    listener: Box<dyn Listener>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    user: Option<String>,
    is_online: bool,
    /// Counts accounts, so that the loop of an earlier one knows that it is over.
    account: u64,
    login: Option<Callback>,
    sends: BTreeMap<String, Callback>,
    lines: Option<UnboundedSender<String>>,
}

impl<S: AsyncRead + AsyncWrite + 'static> Sdk<S> {
    /// An SDK with nobody logged in.
    pub fn new(device: &str, connect: Connect<S>, listener: Box<dyn Listener>) -> Rc<Self> {
        Rc::new(Sdk { device: device.to_owned(), connect, listener, state: RefCell::default() })
    }

    /// Who is logged in, or about to be; and whether they are online.
    pub fn user(&self) -> Option<(String, bool)> {
        let state = self.state.borrow();
        state.user.clone().map(|user| (user, state.is_online))
    }

    /// Logs in. Who was logged in before is not any more.
    pub fn login(self: &Rc<Self>, user: &str, callback: Callback) {
        let account = {
            let state = &mut *self.state.borrow_mut();
            *state = State { account: state.account + 1, user: Some(user.to_owned()), ..State::default() };
            state.login = Some(Rc::clone(&callback));
            state.account
        };
        let sdk = Rc::clone(self);
        tokio::task::spawn_local(async move { sdk.stay_online(account).await });
        let sdk = Rc::clone(self);
        tokio::task::spawn_local(async move {
            sleep(LOGIN_TIMEOUT).await;
            if sdk.is_current(account) && !sdk.state.borrow().is_online {
                callback(Err(TIMED_OUT));
            }
        });
    }

    /// Logs out.
    pub fn logout(&self, callback: Callback) {
        {
            let state = &mut *self.state.borrow_mut();
            if let Some(lines) = &state.lines {
                let _gone = lines.send("logout".to_owned());
            }
            *state = State { account: state.account + 1, ..State::default() };
        }
        callback(Ok(()));
    }

    /// Sends a message.
    pub fn send(self: &Rc<Self>, to: &str, text: &str, id: &str, callback: Callback) {
        let is_sent = {
            let state = &mut *self.state.borrow_mut();
            state.sends.insert(id.to_owned(), Rc::clone(&callback));
            state.lines.as_ref().is_some_and(|lines| lines.send(format!("send {id} {to} {text}")).is_ok())
        };
        if !is_sent {
            return callback(Err(NOT_LOGGED_IN));
        }
        let (sdk, id) = (Rc::clone(self), id.to_owned());
        tokio::task::spawn_local(async move {
            sleep(SEND_TIMEOUT).await;
            let waiting = sdk.state.borrow_mut().sends.remove(&id);
            if let Some(callback) = waiting {
                callback(Err(TIMED_OUT));
            }
        });
    }

    /// Connects anew: the network is another one.
    pub fn reconnect(&self) {
        self.state.borrow_mut().lines = None;
    }

    fn is_current(&self, account: u64) -> bool {
        self.state.borrow().account == account
    }

    async fn stay_online(&self, account: u64) {
        while self.is_current(account) {
            if let Ok(Ok(stream)) = timeout(CONNECT_TIMEOUT, (self.connect)()).await {
                let _lost = self.converse(account, stream).await;
            }
            if self.is_current(account) {
                let state = &mut *self.state.borrow_mut();
                (state.is_online, state.lines) = (false, None);
            }
            sleep(BACKOFF).await;
        }
    }

    async fn converse(&self, account: u64, stream: S) -> io::Result<()> {
        let (read, mut write) = tokio::io::split(stream);
        let mut lines = BufReader::new(read).lines();
        let mut outgoing = self.say_hello(account);
        while self.is_current(account) {
            tokio::select! {
                biased;
                line = timeout(PING * 3, lines.next_line()) => match line?? {
                    Some(line) => self.heard(account, &line),
                    None => return Ok(()),
                },
                line = outgoing.recv() => match line {
                    Some(line) => write.write_all(format!("{line}\n").as_bytes()).await?,
                    None => return Ok(()),
                },
                () = sleep(PING) => write.write_all(b"ping\n").await?,
            }
        }
        Ok(())
    }

    fn say_hello(&self, account: u64) -> UnboundedReceiver<String> {
        let (lines, outgoing) = unbounded_channel();
        let state = &mut *self.state.borrow_mut();
        if state.account == account {
            let user = state.user.as_deref().unwrap_or_default();
            let _open = lines.send(format!("login {user} {}", self.device));
            state.lines = Some(lines);
        }
        outgoing
    }

    fn heard(&self, account: u64, line: &str) {
        if !self.is_current(account) {
            return;
        }
        let mut words = line.splitn(4, ' ');
        let (verb, mut word) = (words.next().unwrap_or_default(), || words.next().unwrap_or_default());
        match verb {
            "welcome" => {
                let callback = {
                    let state = &mut *self.state.borrow_mut();
                    state.is_online = true;
                    state.login.take()
                };
                if let Some(callback) = callback {
                    callback(Ok(()));
                }
                self.listener.connected();
            }
            "kicked" => {
                let state = &mut *self.state.borrow_mut();
                *state = State { account: state.account + 1, ..State::default() };
                self.listener.kicked(word());
            }
            "sent" => {
                let waiting = self.state.borrow_mut().sends.remove(word());
                if let Some(callback) = waiting {
                    callback(Ok(()));
                }
            }
            "message" => self.listener.message(word(), word(), word()),
            _ => {}
        }
    }
}
