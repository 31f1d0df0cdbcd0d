//! The server: who is online, and what waits for whom. All of it is in memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// Who says nothing for so long is gone.
const SILENCE: Duration = Duration::from_secs(6);

#[derive(Default)]
struct Chat {
    connections: u64,
    online: BTreeMap<String, Online>,
    waiting: BTreeMap<String, Vec<String>>,
}

struct Online {
    connection: u64,
    device: String,
    lines: UnboundedSender<String>,
}

/// Serves whoever connects, for ever.
///
/// # Errors
///
/// When no connection can be accepted any more.
pub async fn serve<S>(accept: impl AsyncFn() -> io::Result<S>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + 'static,
{
    let chat = Rc::new(RefCell::new(Chat::default()));
    loop {
        let stream = accept().await?;
        let chat = Rc::clone(&chat);
        tokio::task::spawn_local(async move {
            let connection = {
                let mut chat = chat.borrow_mut();
                chat.connections += 1;
                chat.connections
            };
            // However it ends, the device is offline then.
            let _ended = converse(&chat, connection, stream).await;
            chat.borrow_mut().online.retain(|_, online| online.connection != connection);
        });
    }
}

async fn converse<S>(chat: &RefCell<Chat>, connection: u64, stream: S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + 'static,
{
    let (read, mut write) = tokio::io::split(stream);
    let mut lines = BufReader::new(read).lines();
    let (out, mut outgoing) = unbounded_channel::<String>();
    tokio::task::spawn_local(async move {
        while let Some(line) = outgoing.recv().await {
            if write.write_all(format!("{line}\n").as_bytes()).await.is_err() {
                return;
            }
        }
    });
    let mut user = String::new();
    while let Some(line) = timeout(SILENCE, lines.next_line()).await?? {
        let mut words = line.splitn(4, ' ');
        let (verb, mut word) = (words.next().unwrap_or_default(), || words.next().unwrap_or_default().to_owned());
        let chat = &mut *chat.borrow_mut();
        match verb {
            "login" => {
                user = word();
                let device = word();
                let online = Online { connection, device: device.clone(), lines: out.clone() };
                if let Some(before) = chat.online.insert(user.clone(), online)
                    && before.device != device
                {
                    let _gone = before.lines.send(format!("kicked {device}"));
                }
                let _gone = out.send("welcome".to_owned());
                for message in chat.waiting.remove(&user).unwrap_or_default() {
                    let _gone = out.send(message);
                }
            }
            "send" => {
                let (id, to, text) = (word(), word(), word());
                let message = format!("message {id} {user} {text}");
                match chat.online.get(&to) {
                    Some(online) => {
                        let _gone = online.lines.send(message);
                    }
                    None => chat.waiting.entry(to).or_default().push(message),
                }
                let _gone = out.send(format!("sent {id}"));
            }
            "logout" => return Ok(()),
            _ => {
                let _gone = out.send("pong".to_owned());
            }
        }
    }
    Ok(())
}
