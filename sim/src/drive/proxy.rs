//! The way of one device to the server: a proxy that knows bytes and nothing of what they mean, and the faults of that way.
//!
//! A way that is closed is not read from, so that whoever writes into it fills the kernel's buffers and waits, as with a
//! network that loses every packet; when it opens, what was written goes on, as TCP would have sent it again. Behind a
//! partition, though, nobody knows the connection any more: the first byte that comes then is answered by a reset.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::Ipv4Addr;
use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::generate::draw::Draw;
use crate::scenario::{Direction, Span};

/// What a hotel's portal answers to whoever asks for anything.
const PORTAL: &[u8] = b"HTTP/1.1 302 Found\r\nLocation: http://portal.invalid/\r\nContent-Length: 0\r\n\r\n";

/// How many bytes are read at once, and how many such pieces wait for their latency.
const PIECE: usize = 16 * 1024;
const PIECES: usize = 64;

/// How the way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) outbound: bool,
    pub(super) inbound: bool,
    pub(super) is_held: bool,
    pub(super) is_portal: bool,
    pub(super) latency: Span,
    pub(super) forgets_idle: Option<Duration>,
}

impl Way {
    pub(super) fn new(latency: Span, forgets_idle: Option<Duration>) -> Way {
        Way { outbound: true, inbound: true, is_held: false, is_portal: false, latency, forgets_idle }
    }

    fn is_open(&self, direction: Direction) -> bool {
        let passes = match direction {
            Direction::Outbound => self.outbound,
            Direction::Inbound => self.inbound,
            Direction::Both => self.outbound && self.inbound,
        };
        passes && !self.is_held
    }

    /// Whether everything gets through, both ways.
    pub(super) fn is_well(&self) -> bool {
        self.is_open(Direction::Both) && !self.is_portal
    }
}

/// What becomes of a connection, beside what its ends do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Alive,
    /// Nothing passes any more, and nobody is told.
    Dead,
    /// Both ends are told at once.
    Reset,
}

struct Connection {
    fate: watch::Sender<Fate>,
    /// A box on the way has forgotten it: the first byte is answered by a reset.
    is_forgotten: Cell<bool>,
}

/// A device's way to the server. Dropped, all its connections are gone.
pub(super) struct Proxy {
    port: u16,
    way: watch::Sender<Way>,
    connections: Rc<RefCell<Vec<Weak<Connection>>>>,
    task: AbortHandle,
}

impl Proxy {
    /// Listens at a port of its own, and connects whoever comes to the server's. Has to be called within a `LocalSet`.
    pub(super) async fn start(server: u16, way: Way, draw: Draw) -> io::Result<Proxy> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let (sender, receiver) = watch::channel(way);
        let connections = Rc::new(RefCell::new(Vec::new()));
        let accepting = accept(listener, server, receiver, Rc::clone(&connections), Rc::new(RefCell::new(draw)));
        let task = tokio::task::spawn_local(accepting).abort_handle();
        Ok(Proxy { port, way: sender, connections, task })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn way(&self) -> Way {
        *self.way.borrow()
    }

    /// From now on the way is another.
    pub(super) fn change(&self, change: impl FnOnce(&mut Way)) {
        let before = self.way();
        self.way.send_modify(change);
        let after = self.way();
        let closes = |was: bool, is: bool| was && !is;
        if closes(before.outbound, after.outbound) || closes(before.inbound, after.inbound) {
            self.each(|connection| connection.is_forgotten.set(true));
        }
        if after.is_portal && !before.is_portal {
            self.each(|connection| _ = connection.fate.send_replace(Fate::Dead));
        }
    }

    /// The device is on another network: what it had open is dead, and nobody is told.
    pub(super) fn abandon(&self) {
        self.each(|connection| _ = connection.fate.send_replace(Fate::Dead));
    }

    /// Connections are reset.
    pub(super) fn reset(&self) {
        let well = self.way().is_well();
        self.each(|connection| {
            if well && *connection.fate.borrow() == Fate::Alive {
                connection.fate.send_replace(Fate::Reset);
            }
        });
    }

    fn each(&self, what: impl Fn(&Connection)) {
        self.connections.borrow_mut().retain(|connection| match connection.upgrade() {
            Some(connection) => {
                what(&connection);
                true
            }
            None => false,
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    server: u16,
    way: watch::Receiver<Way>,
    connections: Rc<RefCell<Vec<Weak<Connection>>>>,
    draw: Rc<RefCell<Draw>>,
) {
    // What was accepted is gone with this set when the proxy is.
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        let Ok((device, _)) = listener.accept().await else { return };
        let (fate, fates) = watch::channel(Fate::Alive);
        let is_forgotten = Cell::new({
            let way = way.borrow();
            !way.outbound || !way.inbound
        });
        let connection = Rc::new(Connection { fate, is_forgotten });
        connections.borrow_mut().push(Rc::downgrade(&connection));
        tasks.spawn_local(live(device, server, way.clone(), connection, fates, Rc::clone(&draw)));
        while tasks.try_join_next().is_some() {}
    }
}

/// One connection, from when the device has made it.
async fn live(
    mut device: TcpStream,
    server: u16,
    mut way: watch::Receiver<Way>,
    connection: Rc<Connection>,
    mut fates: watch::Receiver<Fate>,
    draw: Rc<RefCell<Draw>>,
) {
    let _ = device.set_nodelay(true);
    if way.borrow().is_portal {
        let mut piece = [0; 1];
        if device.read(&mut piece).await.is_ok_and(|read| read > 0) {
            let _ = device.write_all(PORTAL).await;
        }
        return std::future::pending().await;
    }
    // Nobody is there until the way is open.
    if way.wait_for(|way| way.is_open(Direction::Both)).await.is_err() {
        return;
    }
    let latency = way.borrow().latency;
    let trip = draw.borrow_mut().within(latency);
    sleep(trip).await;
    let Ok(mut upstream) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else {
        return reset(&device);
    };
    let _ = upstream.set_nodelay(true);
    let ended = {
        let ((from_device, to_device), (from_server, to_server)) = (device.split(), upstream.split());
        let pump = |reader, writer, direction| Pump { reader, writer, direction };
        let outbound = pump(from_device, to_server, Direction::Outbound).run(&way, &connection, &draw);
        let inbound = pump(from_server, to_device, Direction::Inbound).run(&way, &connection, &draw);
        tokio::select! {
            ended = async { tokio::try_join!(outbound, inbound) } => ended.map(|_| Fate::Alive).unwrap_or(Fate::Reset),
            fate = fates.wait_for(|fate| *fate != Fate::Alive) => fate.map_or(Fate::Reset, |fate| *fate),
        }
    };
    match ended {
        Fate::Alive => {}
        Fate::Reset => {
            reset(&device);
            reset(&upstream);
        }
        Fate::Dead => std::future::pending().await,
    }
}

/// Whoever is at the other end gets a reset when the stream is dropped.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

/// What is under way.
enum Piece {
    Bytes(Vec<u8>),
    End,
    Broken,
}

/// One direction of a connection.
struct Pump<'c> {
    reader: ReadHalf<'c>,
    writer: WriteHalf<'c>,
    direction: Direction,
}

impl Pump<'_> {
    /// Carries what comes until its end. An error: the connection is to be reset.
    async fn run(
        self,
        way: &watch::Receiver<Way>,
        connection: &Connection,
        draw: &RefCell<Draw>,
    ) -> Result<(), io::Error> {
        let Pump { mut reader, mut writer, direction } = self;
        let (sender, mut pieces) = mpsc::channel::<(Instant, Piece)>(PIECES);
        let reads = async {
            let mut way = way.clone();
            let mut due = Instant::now();
            let mut bytes = vec![0; PIECE];
            loop {
                if way.wait_for(|way| way.is_open(direction)).await.is_err() {
                    return;
                }
                let Way { latency, forgets_idle, .. } = *way.borrow();
                let read = reader.read(&mut bytes);
                let read = match forgets_idle {
                    Some(span) => match timeout(span, read).await {
                        Ok(read) => read,
                        Err(_) => {
                            connection.is_forgotten.set(true);
                            continue;
                        }
                    },
                    None => read.await,
                };
                let piece = match read {
                    Ok(0) => Piece::End,
                    Ok(count) => Piece::Bytes(bytes[..count].to_vec()),
                    Err(_) => Piece::Broken,
                };
                let trip = draw.borrow_mut().within(latency);
                due = due.max(Instant::now() + trip);
                let is_last = !matches!(piece, Piece::Bytes(_));
                if sender.send((due, piece)).await.is_err() || is_last {
                    return;
                }
            }
        };
        let writes = async {
            let mut way = way.clone();
            while let Some((due, piece)) = pieces.recv().await {
                sleep_until(due).await;
                if way.wait_for(|way| way.is_open(direction)).await.is_err() {
                    return Ok(());
                }
                if connection.is_forgotten.get() {
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
                match piece {
                    Piece::Bytes(bytes) => writer.write_all(&bytes).await?,
                    Piece::End => {
                        let _ = writer.shutdown().await;
                    }
                    Piece::Broken => return Err(io::ErrorKind::ConnectionReset.into()),
                }
            }
            Ok(())
        };
        let ((), written) = tokio::join!(reads, writes);
        written
    }
}
