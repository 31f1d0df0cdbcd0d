//! What answers in the server's place where a site has a portal: it takes every connection, and answers each word with
//! a page, or with what else speaks first on a port that is not ours.
//!
//! One host for all sites, with no latency to any: a portal stands where its devices are.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use turmoil::net::{TcpListener, TcpStream};

use super::PORT;

pub(super) const HOST: &str = "portal";

/// None is a frame. The last two begin like one: with the length of what follows, or with that of nothing.
const PAGES: [&[u8]; 5] = [
    b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n\r\n",
    b"\x15\x03\x01\x00\x02\x02\x28",
    b"SSH-2.0-portal\r\n",
    b"\x00\x00\x00\x04\xff\xff\xff\xff",
    b"\x00\x00\x00\x00",
];

/// The software of the host: another page for each connection, the first one by the seed.
pub(super) async fn answer(seed: u64) -> turmoil::Result {
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    let first = (seed % PAGES.len() as u64) as usize;
    let mut pages = PAGES.iter().cycle().skip(first);
    loop {
        let (stream, _) = listener.accept().await?;
        let page = pages.next().expect("a cycle does not end");
        tokio::task::spawn_local(converse(stream, page));
    }
}

async fn converse(mut stream: TcpStream, page: &[u8]) {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await.is_ok_and(|count| count > 0) {
        if stream.write_all(page).await.is_err() {
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
