//! The server: whose sessions there are, and what it owes them.
//!
//! A user has one place among phones and one among desks. A session lasts until somebody takes its place, its device logs in
//! anew, or its user logs out; that it has no connection ends nothing.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::rc::Rc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::spawn_local;

use crate::wire::{Frames, Kick, Message, ToDevice, ToServer, Who, is_name, split};

/// What becomes of a device that comes back with a session that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LateResume {
    /// It is told why the session is over.
    Told,
    /// It is logged in again, which is so convenient after a restart. That is a mistake.
    LogsIn,
}

type Link = UnboundedSender<ToDevice>;

struct Session {
    who: Who,
    /// The only strong end there is: when the session gets another link, or ends, its connection has nothing more to say.
    link: Link,
    /// Messages of which the device has not said that it has them.
    owed: VecDeque<Message>,
}

struct Chat {
    late_resume: LateResume,
    /// The last number given, to a session or a message.
    last: u64,
    sessions: BTreeMap<u64, Session>,
    /// Why a device's last session is over, until the device has another.
    ended: BTreeMap<String, (u64, Kick)>,
}

/// Serves whoever connects, for ever. In a `LocalSet`.
///
/// # Errors
///
/// When no connection can be accepted any more.
pub async fn serve(listener: TcpListener, late_resume: LateResume) -> io::Result<()> {
    let chat = Chat { late_resume, last: 0, sessions: BTreeMap::new(), ended: BTreeMap::new() };
    let chat = Rc::new(RefCell::new(chat));
    loop {
        let (stream, _) = listener.accept().await?;
        let chat = Rc::clone(&chat);
        spawn_local(async move {
            // However it ends, the session stays, and the device comes back.
            let _ended = converse(&chat, stream).await;
        });
    }
}

async fn converse(chat: &RefCell<Chat>, stream: TcpStream) -> io::Result<()> {
    let (mut frames, link): (Frames<ToServer>, Link) = split(stream);
    let weak = link.downgrade();
    let session = match frames.next().await? {
        Some(ToServer::Login(who)) if is_name(&who.user) => chat.borrow_mut().log_in(who, link),
        Some(ToServer::Resume(who, session, got)) => chat.borrow_mut().resume(who, session, got, link),
        // Whoever begins with anything else is none of ours.
        _ => return Ok(()),
    };
    // Read to its end, so that what was said last is still written.
    while let Some(frame) = frames.next().await? {
        let Some(link) = weak.upgrade() else { continue };
        let chat = &mut *chat.borrow_mut();
        match frame {
            ToServer::Ping => say(&link, ToDevice::Pong),
            ToServer::Send { id, to, text } => {
                let number = chat.send(session, to, text);
                say(&link, ToDevice::Sent { id, number });
            }
            ToServer::Got(number) => {
                if let Some(session) = chat.sessions.get_mut(&session) {
                    session.owed.retain(|message| message.number > number);
                }
            }
            ToServer::Logout => drop(chat.sessions.remove(&session)),
            ToServer::Login(_) | ToServer::Resume(..) => return Ok(()),
        }
    }
    Ok(())
}

/// Whoever is out of reach is told when it comes back.
fn say(link: &Link, frame: ToDevice) {
    let _out_of_reach = link.send(frame);
}

fn place(platform: &str) -> &str {
    match platform {
        "android" | "ios" => "phone",
        _ => "desk",
    }
}

impl Chat {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn log_in(&mut self, who: Who, link: Link) -> u64 {
        let is_rival = |rival: &Who| {
            let has_place = rival.user == who.user && place(&rival.platform) == place(&who.platform);
            has_place || rival.device == who.device
        };
        let gone: Vec<(u64, Session)> = self.sessions.extract_if(.., |_, rival| is_rival(&rival.who)).collect();
        for (number, session) in gone {
            // A device is not told of what its own login replaces.
            if session.who.device != who.device {
                self.displace(number, session, &who);
            }
        }
        self.ended.remove(&who.device);
        let session = self.next();
        say(&link, ToDevice::LoggedIn(session));
        self.sessions.insert(session, Session { who, link, owed: VecDeque::new() });
        session
    }

    fn displace(&mut self, number: u64, session: Session, by: &Who) {
        let is_same = session.who.platform == by.platform;
        let reason = if is_same { Kick::SamePlatform } else { Kick::OtherPlatform };
        let kick = reason(by.device.clone());
        say(&session.link, ToDevice::Kicked(kick.clone()));
        self.ended.insert(session.who.device, (number, kick));
    }

    fn resume(&mut self, who: Who, number: u64, got: u64, link: Link) -> u64 {
        if let Some(session) = self.sessions.get_mut(&number) {
            session.owed.retain(|message| message.number > got);
            say(&link, ToDevice::Resumed);
            for message in &session.owed {
                say(&link, ToDevice::Message(message.clone()));
            }
            session.link = link;
            return number;
        }
        if self.late_resume == LateResume::LogsIn {
            return self.log_in(who, link);
        }
        let ended = self.ended.get(&who.device).filter(|(ended, _)| *ended == number);
        say(&link, ToDevice::Kicked(ended.map_or(Kick::Gone, |(_, kick)| kick.clone())));
        number
    }

    /// For every session of its receiver, and for those that its sender has on other devices.
    fn send(&mut self, session: u64, to: String, text: String) -> u64 {
        let number = self.next();
        let from = self.sessions.get(&session).map(|session| session.who.user.clone()).unwrap_or_default();
        let message = Message { number, from, to, text };
        for (_, other) in self.sessions.iter_mut().filter(|(other, _)| **other != session) {
            if other.who.user == message.to || other.who.user == message.from {
                say(&other.link, ToDevice::Message(message.clone()));
                other.owed.push_back(message.clone());
            }
        }
        number
    }
}
