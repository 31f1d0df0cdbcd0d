//! Writing to a connection, and ending one politely, for both sides.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How much a peer may still send on a connection that is ending. It is not looked at.
const DISCARDED_BYTES_MAX: usize = 1024 * 1024;

/// Bytes to be sent on one connection.
#[derive(Debug, Default)]
pub(super) struct Sending {
    pub(super) bytes: BytesMut,
    unflushed: bool,
}

impl Sending {
    /// Whether everything is out.
    pub(super) fn is_done(&self) -> bool {
        self.bytes.is_empty() && !self.unflushed
    }

    /// Sends some of it. May be dropped while it waits without losing a byte.
    pub(super) async fn progress(&mut self, stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        if self.bytes.is_empty() {
            stream.flush().await?;
            self.unflushed = false;
        } else {
            self.unflushed = true;
            if stream.write_buf(&mut self.bytes).await? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }

    /// Sends the rest, says so, and waits for the peer's end: closing before what the peer sent is
    /// read would reset the connection and might destroy what is still on its way to the peer.
    pub(super) async fn finish<Reader, Writer>(mut self, reader: &mut Reader, writer: &mut Writer) -> io::Result<()>
    where
        Reader: AsyncRead + Unpin,
        Writer: AsyncWrite + Unpin,
    {
        while !self.is_done() {
            self.progress(writer).await?;
        }
        writer.shutdown().await?;
        let mut discarded = 0;
        let mut buffer = [0; 4096];
        while discarded < DISCARDED_BYTES_MAX {
            match reader.read(&mut buffer).await? {
                0 => break,
                number => discarded += number,
            }
        }
        Ok(())
    }
}
