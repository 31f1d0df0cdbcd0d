//! What a device says to a server, and hears from it: in gatecrash's protocol, and in MQTT 3.1.1.
//!
//! The same in both: a login that takes the place of whoever has it, a heartbeat, a return to the session, and the end of
//! a connection whose place was taken. In MQTT a place is a client id, and a login a CONNECT.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::{Buf, BytesMut};
use gatecrash::driver::Surroundings;
use gatecrash::driver::tokio::Live;
use gatecrash::driver::wire::{self, FrameReader, Unreadable};
use gatecrash::id::{Attempt, CallId, DeviceId, Epoch, UserId};
use gatecrash::policy::Platform;
use gatecrash::protocol::{ClientFrame, Refusal, ResumeOutcome, ServerFrame, VERSION};
use gatecrash::ticket::{SecretKey, Ticket, TicketSpec, sign};
use rumqttc::mqttbytes::v4::{Connect, ConnectReturnCode, Packet, PingReq};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::line::Line;

/// The longest packet that a broker is believed.
const PACKET_BYTES_MAX: usize = 64 * 1024;

/// How long a ticket is valid, in seconds.
const TTL: u64 = 86_400;

/// The app that everybody is of.
pub struct App {
    /// Its id.
    pub id: u64,
    /// Its key.
    pub key: SecretKey,
}

impl App {
    fn ticket(&self, user: UserId) -> Ticket {
        let issued_at = Live::new().now().wall.seconds();
        sign(&TicketSpec { app_id: self.id, user, issued_at, ttl: TTL, userbuf: None }, &self.key)
    }
}

/// The protocol.
pub enum Language {
    /// Ours, with the app's key.
    Gatecrash(App),
    /// MQTT 3.1.1.
    Mqtt {
        /// How long a client may be silent, in seconds.
        keep_alive: u16,
    },
}

/// A user, and how far its devices have counted.
pub struct User {
    name: UserId,
    number: u32,
    attempts: AtomicU32,
}

impl User {
    /// The user of this number; the administrator is called otherwise.
    pub fn numbered(number: u32) -> Self {
        User::called(&format!("user{number}"), number)
    }

    /// Whom the server's configuration lists.
    pub fn administrator() -> Self {
        User::called("administrator", u32::MAX)
    }

    fn called(name: &str, number: u32) -> Self {
        User { name: name.parse().expect("a user id"), number, attempts: AtomicU32::new(0) }
    }

    /// The first or the second device.
    fn device(&self, is_second: bool) -> DeviceId {
        let mut bytes = [u8::from(is_second); 16];
        bytes[..4].copy_from_slice(&self.number.to_be_bytes());
        DeviceId::from_bytes(bytes)
    }

    fn attempt(&self) -> Attempt {
        Attempt { start: 1, count: self.attempts.fetch_add(1, Ordering::Relaxed) + 1 }
    }
}

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The answer to a heartbeat.
    Beat,
    /// Somebody else has the place.
    Displaced,
    /// The administrator's call is done.
    Kicked,
}

/// Why somebody is not logged in, or not any more.
#[derive(Debug)]
pub enum Failure {
    /// The server said so.
    Refused(String),
    /// The connection broke.
    Broken(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused(why) => f.write_str(why),
            // Not the whole text, so that failures of one kind are counted as one.
            Failure::Broken(error) => write!(f, "{:?}", error.kind()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Broken(error)
    }
}

impl From<Unreadable> for Failure {
    fn from(why: Unreadable) -> Self {
        Failure::Broken(io::Error::other(why.to_string()))
    }
}

/// A connection on which somebody is logged in.
pub struct Session {
    line: Line,
    ears: Ears,
    epoch: Epoch,
    is_second: bool,
}

enum Ears {
    Frames(FrameReader),
    Packets(BytesMut),
}

impl Language {
    /// What a user says to log in with one of two devices, made before it is needed.
    pub fn greeting(&self, user: &User, is_second: bool) -> BytesMut {
        let login = |app: &App| ClientFrame::Login {
            call: CallId(1),
            attempt: user.attempt(),
            user: user.name.to_string(),
            ticket: app.ticket(user.name),
            known_ended: None,
        };
        self.greets(user, is_second, login)
    }

    /// What it says to come back to its session.
    pub fn return_greeting(&self, user: &User, epoch: Epoch, is_second: bool) -> BytesMut {
        let resume = |app: &App| ClientFrame::Resume {
            attempt: user.attempt(),
            user: user.name,
            epoch,
            ticket: app.ticket(user.name),
            received: 0,
        };
        self.greets(user, is_second, resume)
    }

    fn greets(&self, user: &User, is_second: bool, asks: impl Fn(&App) -> ClientFrame<Ticket>) -> BytesMut {
        let mut bytes = BytesMut::new();
        match self {
            Language::Gatecrash(app) => {
                let (version, device) = (VERSION, user.device(is_second));
                wire::write(&ClientFrame::<Ticket>::Hello { version, device, platform: Platform::Ios }, &mut bytes);
                wire::write(&asks(app), &mut bytes);
            }
            Language::Mqtt { keep_alive } => {
                let mut connect = Connect::new(user.name.to_string());
                connect.keep_alive = *keep_alive;
                connect.clean_session = false;
                connect.write(&mut bytes).expect("it is a packet");
            }
        }
        bytes
    }

    /// Logs in on a fresh connection by that greeting, or comes back to the session of that epoch.
    pub async fn enter(
        &self,
        mut line: Line,
        greeting: &[u8],
        user: &User,
        before: Option<Epoch>,
        is_second: bool,
    ) -> Result<Session, Failure> {
        line.write_all(greeting).await?;
        line.flush().await?;
        match self {
            Language::Gatecrash(_) => {
                let mut frames = FrameReader::default();
                let epoch = admitted(frames.next(&mut line).await?, before)?;
                let mut session = Session { line, ears: Ears::Frames(frames), epoch, is_second };
                if before.is_none() {
                    session.says(&ClientFrame::LoginAcknowledged { user: user.name, epoch }).await?;
                }
                Ok(session)
            }
            Language::Mqtt { .. } => {
                let mut session = Session { line, ears: Ears::Packets(BytesMut::new()), epoch: Epoch(0), is_second };
                match session.packet().await? {
                    Packet::ConnAck(answer) if answer.code == ConnectReturnCode::Success => Ok(session),
                    other => Err(Failure::Refused(format!("{other:?}"))),
                }
            }
        }
    }
}

/// The epoch of the session that this answer opens, or goes on with.
fn admitted(answer: ServerFrame, before: Option<Epoch>) -> Result<Epoch, Failure> {
    let refused = |why: &dyn std::fmt::Debug| Failure::Refused(format!("{why:?}"));
    match answer {
        ServerFrame::LoginAnswer { outcome: Ok(admission), .. } => Ok(admission.epoch),
        ServerFrame::LoginAnswer { outcome: Err(Refusal::Code(code)), .. } => {
            Err(Failure::Refused(code.number().to_string()))
        }
        ServerFrame::ResumeAnswer { outcome: ResumeOutcome::Resumed { .. }, .. } => {
            before.ok_or_else(|| refused(&"nobody asked"))
        }
        ServerFrame::ResumeAnswer { outcome: ResumeOutcome::LoggedIn(admission), .. } => Ok(admission.epoch),
        other => Err(refused(&other)),
    }
}

impl Session {
    /// Its epoch, and whether the second device has it.
    pub fn whose(&self) -> (Epoch, bool) {
        (self.epoch, self.is_second)
    }

    async fn says(&mut self, frame: &ClientFrame<Ticket>) -> io::Result<()> {
        let mut bytes = BytesMut::new();
        wire::write(frame, &mut bytes);
        self.line.write_all(&bytes).await?;
        self.line.flush().await
    }

    /// Sends a heartbeat.
    pub async fn beat(&mut self) -> io::Result<()> {
        match self.ears {
            Ears::Frames(_) => self.says(&ClientFrame::Heartbeat).await,
            Ears::Packets(_) => {
                let mut bytes = BytesMut::new();
                PingReq.write(&mut bytes).expect("it is a packet");
                self.line.write_all(&bytes).await?;
                self.line.flush().await
            }
        }
    }

    /// As an administrator, ends whatever sessions the user has.
    pub async fn kick(&mut self, user: &User) -> io::Result<()> {
        self.says(&ClientFrame::AdminKick { call: CallId(2), user: user.name }).await
    }

    /// What the server says next. May be broken off and asked again.
    pub async fn hears(&mut self) -> Result<Heard, Failure> {
        match &mut self.ears {
            Ears::Frames(frames) => match frames.next(&mut self.line).await? {
                ServerFrame::HeartbeatAnswer => Ok(Heard::Beat),
                ServerFrame::Kick(_) => Ok(Heard::Displaced),
                ServerFrame::AdminKickAnswer { .. } => Ok(Heard::Kicked),
                other => Err(Failure::Refused(format!("{other:?}"))),
            },
            Ears::Packets(_) => match self.packet().await {
                Ok(Packet::PingResp) => Ok(Heard::Beat),
                // MQTT 3.1.1 has no word for it but the end.
                Err(Failure::Broken(error)) if is_end(&error) => Ok(Heard::Displaced),
                Ok(other) => Err(Failure::Refused(format!("{other:?}"))),
                Err(why) => Err(why),
            },
        }
    }

    /// Says that it knows that it was displaced, and waits until the server closes.
    pub async fn concedes(mut self, user: &User) {
        if let Ears::Frames(_) = self.ears {
            let confirmed = ClientFrame::KickConfirmed { user: user.name, epoch: self.epoch };
            if self.says(&confirmed).await.is_err() {
                return;
            }
        }
        // Whatever it still says is for nobody.
        let mut rest = [0; 256];
        while matches!(self.line.read(&mut rest).await, Ok(1..)) {}
    }

    async fn packet(&mut self) -> Result<Packet, Failure> {
        let Ears::Packets(bytes) = &mut self.ears else { unreachable!("only brokers send packets") };
        loop {
            match Packet::read(bytes, PACKET_BYTES_MAX) {
                Ok(packet) => return Ok(packet),
                Err(rumqttc::mqttbytes::Error::InsufficientBytes(_)) => {}
                Err(error) => return Err(Failure::Refused(error.to_string())),
            }
            if self.line.read_buf(bytes).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            debug_assert!(bytes.has_remaining());
        }
    }
}

/// Whether the server closed, with a word of TLS or without.
fn is_end(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset)
}
