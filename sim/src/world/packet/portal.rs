//! What answers in the server's place where a site has a portal: it takes every connection, and answers each word with
//! a page.
//!
//! One host for all sites, with no latency to any: a portal stands where its devices are.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use turmoil::net::{TcpListener, TcpStream};

use super::PORT;

pub(super) const HOST: &str = "portal";

const PAGE: &[u8] = b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n\r\n";

/// The software of the host.
pub(super) async fn answer() -> turmoil::Result {
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::task::spawn_local(converse(stream));
    }
}

async fn converse(mut stream: TcpStream) {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await.is_ok_and(|count| count > 0) {
        if stream.write_all(PAGE).await.is_err() {
            return;
        }
    }
}
