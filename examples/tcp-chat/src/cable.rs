//! A cable between a device and the server that can be cut: a relay of TCP connections on loopback.
//!
//! Cut, it does what a tunnel does to a phone: nothing passes, and neither side is told. Mended, what was open is closed.

use std::io;
use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::spawn_local;

/// A cable.
pub struct Cable {
    /// Where a device finds the server behind it.
    pub address: SocketAddr,
    is_whole: watch::Sender<bool>,
}

impl Cable {
    /// One that is whole. In a `LocalSet`.
    ///
    /// # Errors
    ///
    /// When loopback has no port left.
    pub async fn to(server: SocketAddr) -> io::Result<Cable> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (is_whole, state) = watch::channel(true);
        let cable = Cable { address: listener.local_addr()?, is_whole };
        spawn_local(async move {
            while let Ok((near, _)) = listener.accept().await {
                spawn_local(carry(near, server, state.clone()));
            }
        });
        Ok(cable)
    }

    /// Cuts it.
    pub fn cut(&self) {
        self.is_whole.send_replace(false);
    }

    /// Mends it.
    pub fn mend(&self) {
        self.is_whole.send_replace(true);
    }
}

async fn carry(mut near: TcpStream, server: SocketAddr, mut is_whole: watch::Receiver<bool>) {
    let _slower = near.set_nodelay(true);
    let mut far = None;
    if *is_whole.borrow() {
        let Ok(stream) = TcpStream::connect(server).await else { return };
        let _slower = stream.set_nodelay(true);
        tokio::select! {
            _ended = copy_bidirectional(&mut near, far.insert(stream)) => return,
            _cut = is_whole.wait_for(|is_whole| !is_whole) => {}
        }
    }
    // Both ends stay open until then.
    let _mended = is_whole.wait_for(|is_whole| *is_whole).await;
}
