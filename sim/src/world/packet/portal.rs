//! What answers in the server's place where a site has a portal: it takes every connection, and answers each word with
//! a page, or with what else speaks first on a port that is not ours.
//!
//! Where the app has TLS it speaks that, too, with what certificates it has, and writes down when it was told anything that
//! it can read (TLS-2). One host for all sites, with no latency to any: a portal stands where its devices are.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;
use turmoil::net::{TcpListener, TcpStream};

use super::PORT;
use super::place::Shared;
use crate::trace::Effect;

/// None is a frame. The last two begin like one: with the length of what follows, or with that of nothing.
const PAGES: [&[u8]; 5] = [
    b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n\r\n",
    b"\x15\x03\x01\x00\x02\x02\x28",
    b"SSH-2.0-portal\r\n",
    b"\x00\x00\x00\x04\xff\xff\xff\xff",
    b"\x00\x00\x00\x00",
];

/// The software of the host: another page and another certificate for each connection, the first one by the seed.
pub(super) async fn answer(shared: Arc<Shared>) -> turmoil::Result {
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    let acceptors = shared.tls.as_ref().map_or_else(Vec::new, |tls| tls.of_portals().to_vec());
    let mut number = shared.scenario().seed;
    loop {
        let (stream, peer) = listener.accept().await?;
        let page = *pick(&PAGES, number).expect("there are pages");
        match pick(&acceptors, number).cloned() {
            None => drop(tokio::task::spawn_local(async move { converse(stream, page, || {}).await })),
            Some(acceptor) => {
                let shared = Arc::clone(&shared);
                let overhears = move || {
                    if let Some(device) = shared.device_at(peer) {
                        shared.recorder.effect(shared.now(), Effect::Overheard { device });
                    }
                };
                drop(tokio::task::spawn_local(pretend(acceptor, stream, page, overhears)));
            }
        }
        number = number.wrapping_add(1);
    }
}

fn pick<T>(all: &[T], number: u64) -> Option<&T> {
    let place = number.checked_rem(all.len() as u64)?;
    all.get(place as usize)
}

/// Takes part in a handshake, as the server would, and goes on if that is believed.
async fn pretend(acceptor: TlsAcceptor, stream: TcpStream, page: &[u8], overhears: impl Fn()) {
    match acceptor.accept(stream).await {
        Ok(stream) => converse(stream, page, overhears).await,
        Err(error) if is_no_tls(&error) => overhears(),
        Err(_) => {}
    }
}

/// Whether what came was not even the beginning of a handshake: something that anybody can read.
fn is_no_tls(error: &io::Error) -> bool {
    let why = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(why, Some(rustls::Error::InvalidMessage(_)))
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, page: &[u8], overhears: impl Fn()) {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await.is_ok_and(|count| count > 0) {
        overhears();
        if stream.write_all(page).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use gatecrash::driver::wire::{FrameReader, Unreadable};
    use gatecrash::protocol::ServerFrame;

    use super::*;

    /// INPUT-6: a device can tell each of them from what a server says.
    #[tokio::test]
    async fn no_page_is_a_frame() {
        for mut page in PAGES {
            let read = FrameReader::default().next::<ServerFrame>(&mut page).await;
            assert!(matches!(read, Err(Unreadable::Frame(_))), "{page:?}: {read:?}");
        }
    }
}
