//! What device and server say to each other: a JSON object a line.
//!
//! Carries frames over a stream, and gives none of them a meaning.

use std::io;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{Instant, timeout_at};

use crate::SILENCE;

/// Who speaks: a user, on a device of some platform.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Who {
    /// The user's name.
    pub user: String,
    /// The device's name.
    pub device: String,
    /// What the device is, such as `android`.
    pub platform: String,
}

/// Whether a user can have this name: 1 to 32 letters, digits, `-` and `_`.
pub fn is_name(user: &str) -> bool {
    let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=32).contains(&user.len()) && user.bytes().all(is_ours)
}

/// What a device says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ToServer {
    /// The application logs in.
    Login(Who),
    /// The device is back, with a session, and has its messages up to this number.
    Resume(Who, u64, u64),
    /// A message, by a number of the device's own.
    Send { id: u64, to: String, text: String },
    /// It has its messages up to this number.
    Got(u64),
    /// The application logs out.
    Logout,
    /// It is still there.
    Ping,
}

/// What the server says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ToDevice {
    /// The login was accepted, and made this session.
    LoggedIn(u64),
    /// The session goes on.
    Resumed,
    /// The session is over: a device took its place, or it is none that the server knows.
    Kicked(Kick),
    /// A message that the device sent has a number.
    Sent { id: u64, number: u64 },
    /// A message for its user, or by its user from another device.
    Message(Message),
    /// So is the server.
    Pong,
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kick {
    /// This device took its place, on the same platform.
    SamePlatform(String),
    /// This device took its place, on another platform that shares it.
    OtherPlatform(String),
    /// There is no such session.
    Gone,
}

/// A message that was accepted. Numbers grow, and each belongs to one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its number.
    pub number: u64,
    /// The user who sent it.
    pub from: String,
    /// The user whom it is for.
    pub to: String,
    /// What it says.
    pub text: String,
}

/// What comes in on a connection.
pub struct Frames<In> {
    lines: Lines<BufReader<OwnedReadHalf>>,
    heard: Instant,
    writer: AbortHandle,
    of: PhantomData<In>,
}

/// Divides a stream into what comes in and what goes out. What was put in is still written when the sender is dropped, and
/// is not when the other half is.
pub fn split<In, Out: Serialize + 'static>(stream: TcpStream) -> (Frames<In>, UnboundedSender<Out>) {
    // A ping that waits for more to be sent is none. Where this is not to be had, it is slower.
    let _slower = stream.set_nodelay(true);
    let (read, mut write) = stream.into_split();
    let (sender, mut frames) = unbounded_channel::<Out>();
    let writer = spawn_local(async move {
        while let Some(frame) = frames.recv().await {
            let mut line = serde_json::to_vec(&frame).expect("a frame has no map whose keys are no texts");
            line.push(b'\n');
            if write.write_all(&line).await.is_err() {
                return;
            }
        }
    });
    let (lines, writer) = (BufReader::new(read).lines(), writer.abort_handle());
    (Frames { lines, heard: Instant::now(), writer, of: PhantomData }, sender)
}

impl<In: DeserializeOwned> Frames<In> {
    /// The next frame, or none when the other side has closed. Nothing is lost when it is not awaited to its end.
    ///
    /// # Errors
    ///
    /// When the connection is broken, when nothing was heard for [`SILENCE`], and when a line is no frame.
    pub async fn next(&mut self) -> io::Result<Option<In>> {
        let Some(line) = timeout_at(self.heard + SILENCE, self.lines.next_line()).await?? else { return Ok(None) };
        self.heard = Instant::now();
        Ok(Some(serde_json::from_str(&line)?))
    }
}

impl<In> Drop for Frames<In> {
    fn drop(&mut self) {
        self.writer.abort();
    }
}
