//! What a server puts up with from whoever connects, over TCP: each limit, with what counts it (INPUT-2, INPUT-7,
//! INPUT-8).

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use gatecrash::driver::server::{Door, Settings, Turned};
use gatecrash::driver::wire;
use gatecrash::driver::{OpenError, ServerStore};
use gatecrash::id::DeviceId;
use gatecrash::policy::Platform;
use gatecrash::protocol::{ClientFrame, ServerFrame, VERSION};
use gatecrash::store::{Commit, Records};
use gatecrash::ticket::Ticket;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::authority::Authority;
use crate::loopback::{Raw, before_admission_ends, is_accepted, run, ticket};
use crate::secured::Behind;

/// How long between two bytes of somebody who is slow on purpose.
const SLOWLY: Duration = Duration::from_millis(50);

async fn serving(change: impl FnOnce(&mut Settings)) -> Behind {
    Behind::doors(vec![Door::tcp("127.0.0.1:0")], change).await
}

/// Whether the server closes without a word.
async fn is_closed(raw: &mut Raw) -> bool {
    before_admission_ends(raw.next()).await.is_err()
}

/// INPUT-8: one more than an address may have is closed, nobody else is, and there is room again once somebody leaves.
#[test]
fn an_address_gets_no_more_connections_than_its_share() {
    run(async {
        let server = serving(|settings| settings.bounds.per_address_max = 2).await;
        let address = &server.addresses[0];
        let mut alice = Raw::logging_in(address, 1, "alice").await;
        assert!(is_accepted(alice.next().await));
        let mut second = Raw::connect(address).await;
        assert!(second.is_heard(2).await);
        assert!(is_closed(&mut Raw::connect(address).await).await);
        assert_eq!(server.load().turned(Turned::TooManyFromAddress), 1);
        assert!(second.is_still_heard().await, "who is there stays");
        drop(second);
        while !Raw::connect(address).await.is_heard(3).await {}
        server.stop().await;
    });
}

/// A store whose first commit fails.
struct FailsOnce(bool);

impl ServerStore for FailsOnce {
    async fn open(&mut self) -> Result<Records, OpenError> {
        Ok(Records::default())
    }

    async fn commit(&mut self, _: Vec<Commit>) -> io::Result<()> {
        match std::mem::replace(&mut self.0, true) {
            true => Ok(()),
            false => Err(io::Error::other("the disk is full")),
        }
    }
}

/// INPUT-8, DUR-5: a disk that failed closes everybody, and nobody's address is full afterwards.
#[test]
fn whom_an_outage_closed_takes_no_share_of_an_address() {
    run(async {
        let doors = vec![Door::tcp("127.0.0.1:0")];
        let server = Behind::doors_of(FailsOnce(false), doors, |settings| settings.bounds.per_address_max = 2).await;
        let address = &server.addresses[0];
        let mut bystander = Raw::connect(address).await;
        assert!(bystander.is_heard(2).await);
        let mut alice = Raw::logging_in(address, 1, "alice").await;
        assert!(matches!(alice.next().await, Ok(ServerFrame::LoginAnswer { outcome: Err(_), .. })));
        assert!(is_closed(&mut bystander).await);
        // The server opens its store again meanwhile, and both come back.
        let mut back = Vec::new();
        while back.len() < 2 {
            let mut raw = Raw::logging_in(address, back.len() as u8 + 1, "alice").await;
            if before_admission_ends(raw.next()).await.is_ok_and(|answer| is_accepted(Ok(answer))) {
                back.push(raw);
            }
        }
        server.stop().await;
    });
}

/// INPUT-8: whoever comes from an address that was refused too often is closed, whatever it was refused for.
#[test]
fn an_address_that_is_refused_again_and_again_stays_out() {
    run(async {
        let doors = vec![Door::tcp("127.0.0.1:0"), Door { websocket: true, ..Door::tcp("127.0.0.1:0") }];
        let server = Behind::doors(doors, |settings| settings.bounds.address_refusals_max = 3).await;
        let address = &server.addresses[0];
        let mut alice = Raw::logging_in(address, 1, "alice").await;
        assert!(is_accepted(alice.next().await));
        // A ticket, what is no frame, and a handshake.
        let mut stranger = Raw::connect(address).await;
        stranger.hello(2).await;
        stranger.login("bob", Ticket::from("forged")).await;
        assert!(matches!(stranger.next().await, Ok(ServerFrame::LoginAnswer { outcome: Err(_), .. })));
        let mut stranger = TcpStream::connect(address).await.unwrap();
        stranger.write_all(&[0, 0, 0, 2, 0xff, 0xff]).await.unwrap();
        before_admission_ends(stranger.read_to_end(&mut Vec::new())).await.unwrap();
        assert!(Raw::connect(address).await.is_heard(3).await, "twice is not too often");
        let mut stranger = TcpStream::connect(&server.addresses[1]).await.unwrap();
        stranger.write_all(b"nothing that a browser says\r\n\r\n").await.unwrap();
        // It may be cut off before it has said all.
        let _ = before_admission_ends(stranger.read_to_end(&mut Vec::new())).await;

        assert!(is_closed(&mut Raw::connect(address).await).await);
        let load = server.load();
        assert_eq!((load.turned(Turned::Handshake), load.turned(Turned::AddressRefused)), (1, 1));
        assert!(alice.is_still_heard().await, "who is there stays");
        server.stop().await;
    });
}

/// INPUT-8: who looks whether a server answers, or goes away before it is known, was refused nothing.
#[test]
fn who_looks_whether_it_answers_is_not_refused() {
    run(async {
        let authority = Authority::new();
        let doors = vec![
            Door::tls("127.0.0.1:0", authority.signs("localhost").identity()),
            Door { websocket: true, ..Door::tcp("127.0.0.1:0") },
            Door::tcp("127.0.0.1:0"),
        ];
        let server = Behind::doors(doors, |settings| settings.bounds.address_refusals_max = 3).await;
        for _ in 0..3 {
            drop(TcpStream::connect(&server.addresses[0]).await.unwrap());
            drop(TcpStream::connect(&server.addresses[1]).await.unwrap());
            let mut watcher = TcpStream::connect(&server.addresses[1]).await.unwrap();
            watcher.write_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n").await.unwrap();
            let mut answer = String::new();
            before_admission_ends(watcher.read_to_string(&mut answer)).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
        }
        while server.load().turned(Turned::Handshake) < 9 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(Raw::connect(&server.addresses[2]).await.is_heard(1).await);
        assert_eq!(server.load().turned(Turned::AddressRefused), 0);
        server.stop().await;
    });
}

/// INPUT-7: a byte now and then is no handshake, of TLS or of a WebSocket.
#[test]
fn a_handshake_that_trickles_is_closed() {
    run(async {
        let authority = Authority::new();
        let doors = vec![
            Door::tls("127.0.0.1:0", authority.signs("localhost").identity()),
            Door { websocket: true, ..Door::tcp("127.0.0.1:0") },
        ];
        let server = Behind::doors(doors, |settings| settings.bounds.handshake_max = 6 * SLOWLY).await;
        // The beginning of a record of TLS that is to be long, and of a request.
        let record = [&[22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3][..], &[7; 200]].concat();
        let request = format!("GET / HTTP/1.1\r\nHost: {}", "x".repeat(200));
        for (turned, (address, words)) in server.addresses.iter().zip([record, request.into_bytes()]).enumerate() {
            trickle(address, &words).await;
            assert_eq!(server.load().turned(Turned::Handshake), turned as u64 + 1);
        }
        server.stop().await;
    });
}

/// INPUT-2: nor is a byte now and then a login, whether it is of a first frame or of a second.
#[test]
fn a_login_that_trickles_is_closed() {
    run(async {
        let server = serving(|settings| settings.config.limits.admission = 6 * SLOWLY).await;
        let mut frames = BytesMut::new();
        let device = DeviceId::from_bytes([1; 16]);
        wire::write(&ClientFrame::<Ticket>::Hello { version: VERSION, device, platform: Platform::Web }, &mut frames);
        let announced = [0, 0, 0x10, 0];
        trickle(&server.addresses[0], &[&announced[..], &[1; 200]].concat()).await;
        trickle(&server.addresses[0], &[&frames[..], &announced, &[1; 200]].concat()).await;
        server.stop().await;
    });
}

/// Says it byte by byte, and is closed before it ends.
async fn trickle(address: &str, words: &[u8]) {
    let (mut reader, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
    let said = async {
        for byte in words {
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(SLOWLY).await;
        }
        panic!("all of it was taken");
    };
    let mut last_words = Vec::new();
    tokio::select! {
        biased;
        // Whether it is cut off or closed.
        _ = reader.read_to_end(&mut last_words) => {}
        () = said => {}
    }
}

/// INPUT-8: who says too much is read at the pace that is allowed, and all of it is.
#[test]
fn who_says_too_much_is_read_at_a_pace() {
    const PER_SECOND: u32 = 2_000;
    const AT_ONCE: u64 = 16 * PER_SECOND as u64;
    run(async {
        let server = serving(|settings| settings.bounds.bytes_per_second = PER_SECOND).await;
        let mut frame = BytesMut::new();
        wire::write(&ClientFrame::<Ticket>::Heartbeat, &mut frame);
        let times = (AT_ONCE as usize + 8_000) / frame.len();
        let began = Instant::now();
        let mut raw = Raw::connect(&server.addresses[0]).await;
        raw.hello(1).await;
        let (load, mut heard) = (server.load(), 0);
        // As many at a time as an answer waits for.
        while heard < times {
            let now = 200.min(times - heard);
            raw.say(&frame.repeat(now)).await;
            for _ in 0..now {
                assert!(matches!(raw.next().await, Ok(ServerFrame::HeartbeatAnswer)));
            }
            heard += now;
            let allowed = AT_ONCE + (began.elapsed().as_millis() as u64 + 1) * u64::from(PER_SECOND) / 1_000;
            let ahead = 200 * frame.len() as u64 + 4_096;
            assert!(load.bytes_in() <= allowed + ahead, "{} bytes, and {allowed} are allowed", load.bytes_in());
        }
        assert!(load.held_back() > 0);
        let mut bob = Raw::connect(&server.addresses[0]).await;
        bob.hello(2).await;
        bob.login("bob", ticket("bob")).await;
        assert!(is_accepted(bob.next().await), "nobody else waits");
        server.stop().await;
    });
}

/// INPUT-8: who asks and does not read the answers is read no further, costs nothing, and has all its answers once it reads.
#[test]
fn who_does_not_read_answers_is_read_no_further() {
    run(async {
        let server = serving(|settings| {
            settings.bounds.bytes_per_second = u32::MAX;
            settings.config.limits.admission = Duration::from_secs(600);
        })
        .await;
        let (load, address) = (server.load(), &server.addresses[0]);
        let (mut hello, mut heartbeat) = (BytesMut::new(), BytesMut::new());
        let device = DeviceId::from_bytes([1; 16]);
        wire::write(&ClientFrame::<Ticket>::Hello { version: VERSION, device, platform: Platform::Web }, &mut hello);
        wire::write(&ClientFrame::<Ticket>::Heartbeat, &mut heartbeat);
        let (reader, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
        let asking = tokio::spawn(async move {
            writer.write_all(&hello).await.unwrap();
            let many = heartbeat.repeat(1_000);
            while writer.write_all(&many).await.is_ok() {}
        });
        // It comes to rest, and is not closed for it.
        let mut read = 0;
        while read == 0 || read != load.bytes_in() {
            read = load.bytes_in();
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        assert_eq!((load.turned(Turned::NotReading), asking.is_finished()), (0, false));
        let mut stranger = Raw::connect(address).await;
        assert!(stranger.is_heard(2).await, "nobody else waits");
        let (before, mut reader) = (load.bytes_in(), BufReader::new(reader));
        let mut answer = [0; 6];
        while load.bytes_in() == before {
            before_admission_ends(reader.read_exact(&mut answer)).await.unwrap();
            assert_eq!(answer, [0, 0, 0, 2, 0x2a, 0]);
        }
        asking.abort();
        server.stop().await;
    });
}
