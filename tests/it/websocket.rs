//! The browser's way in: the same frames, in the messages of a WebSocket.

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use gatecrash::driver::server::Door;
use gatecrash::driver::wire::{self, FrameReader};
use gatecrash::id::{Attempt, CallId, DeviceId};
use gatecrash::policy::Platform;
use gatecrash::protocol::{ClientFrame, FRAME_BYTES_MAX, ServerFrame, VERSION};
use gatecrash::ticket::Ticket;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::loopback::{before_admission_ends, run, ticket};
use crate::secured::Behind;

/// A tab of a browser.
struct Tab(WebSocketStream<TcpStream>);

impl Tab {
    async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        Tab(tokio_tungstenite::client_async(format!("ws://{address}/"), stream).await.unwrap().0)
    }

    async fn logged_in(address: &str, device: u8) -> Self {
        let mut tab = Tab::open(address).await;
        tab.send(login(device)).await;
        assert!(matches!(tab.next().await, Some(ServerFrame::LoginAnswer { .. })));
        tab
    }

    async fn send(&mut self, bytes: Bytes) {
        self.0.send(Message::Binary(bytes)).await.unwrap();
    }

    /// The next frame; none when the server has closed.
    async fn next(&mut self) -> Option<ServerFrame> {
        match self.0.next().await {
            Some(Ok(Message::Binary(bytes))) => Some(FrameReader::default().next(&mut &bytes[..]).await.unwrap()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => None,
            Some(Ok(other)) => panic!("{other:?}"),
        }
    }
}

fn login(device: u8) -> Bytes {
    let mut bytes = BytesMut::new();
    let device = DeviceId::from_bytes([device; 16]);
    wire::write(&ClientFrame::<Ticket>::Hello { version: VERSION, device, platform: Platform::Web }, &mut bytes);
    let login = ClientFrame::Login {
        call: CallId(1),
        attempt: Attempt { start: 1, count: 1 },
        user: "alice".into(),
        ticket: ticket("alice"),
        known_ended: None,
    };
    wire::write(&login, &mut bytes);
    bytes.freeze()
}

async fn behind() -> Behind {
    let door = Door { websocket: true, ..Door::tcp("127.0.0.1:0") };
    Behind::doors(vec![door], |_| {}).await
}

/// POLICY-3, KICK-1: two tabs are two devices, and the second takes the place of the first.
#[test]
fn the_second_tab_of_a_user_takes_the_place_of_the_first() {
    run(async {
        let server = behind().await;
        let mut first = Tab::logged_in(&server.addresses[0], 1).await;
        let mut second = Tab::open(&server.addresses[0]).await;
        // Where a message ends means nothing: here in the middle of a length, and of a body.
        let whole = login(2);
        for part in [whole.slice(..2), whole.slice(2..40), whole.slice(40..)] {
            second.send(part).await;
        }
        assert!(matches!(second.next().await, Some(ServerFrame::LoginAnswer { .. })));
        assert!(matches!(first.next().await, Some(ServerFrame::Kick(_))));
        drop((first, second));
        server.stop().await;
    });
}

/// INPUT-1: what is no message of ours ends its connection, and nobody else's.
#[test]
fn what_is_no_binary_message_or_too_long_closes_its_connection_alone() {
    run(async {
        let server = behind().await;
        let mut good = Tab::logged_in(&server.addresses[0], 1).await;
        let mut texter = Tab::open(&server.addresses[0]).await;
        texter.0.send(Message::text("login please")).await.unwrap();
        assert!(before_admission_ends(texter.next()).await.is_none());
        let mut shouter = Tab::open(&server.addresses[0]).await;
        // It may be closed before it has sent all of it.
        let _ = shouter.0.send(Message::binary(vec![0; FRAME_BYTES_MAX + 5])).await;
        assert!(before_admission_ends(shouter.next()).await.is_none());
        assert_eq!(answer(&server.addresses[0], "login please\r\n\r\n").await, "");

        let mut heartbeat = BytesMut::new();
        wire::write(&ClientFrame::<Ticket>::Heartbeat, &mut heartbeat);
        good.send(heartbeat.freeze()).await;
        assert!(matches!(good.next().await, Some(ServerFrame::HeartbeatAnswer)));
        drop((good, texter, shouter));
        server.stop().await;
    });
}

/// What a connection gets that begins with this, until it is closed.
async fn answer(address: &str, asked: &str) -> String {
    let mut stranger = TcpStream::connect(address).await.unwrap();
    stranger.write_all(asked.as_bytes()).await.unwrap();
    let mut said = String::new();
    before_admission_ends(stranger.read_to_string(&mut said)).await.unwrap();
    said
}

/// INPUT-7: no frame comes, but HTTP's own answer to whoever speaks HTTP.
#[test]
fn a_request_for_something_else_is_told_that_here_is_a_websocket() {
    run(async {
        let server = behind().await;
        for request in [
            "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        ] {
            let said = answer(&server.addresses[0], request).await;
            let (head, body) = said.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{request:?} gets {said:?}");
            assert!(head.contains("\r\nUpgrade: websocket\r\n"), "{head}");
            assert!(head.ends_with(&format!("\r\nContent-Length: {}", body.len())), "{head}");
        }
        Tab::logged_in(&server.addresses[0], 1).await;
        server.stop().await;
    });
}
