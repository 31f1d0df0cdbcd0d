//! TLS, end to end on this machine: whom an SDK trusts, what it says if it cannot, and certificates that are renewed
//! while devices are connected.

use std::time::Duration;

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::driver::client::{self, Sdk, Setup};
use gatecrash::driver::disk::MemoryDisk;
use gatecrash::driver::identity::{Identity, IdentityError};
use gatecrash::driver::server::{Door, Load, ServerDriver, ServerHandle, Settings};
use gatecrash::driver::store::MemoryStore;
use gatecrash::driver::tokio::Live;
use gatecrash::driver::trust::Trust;
use gatecrash::driver::{ServerStore, Surroundings, Unobserved};
use gatecrash::id::MessageId;
use gatecrash::policy::Platform;
use gatecrash::server::Config;
use gatecrash::ticket::SecretKey;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::authority::{Authority, Signed};
use crate::loopback::{APP, Heard, KEY, before_admission_ends, hears, run, ticket};

/// A server behind these doors, which listen at ports of their own.
pub struct Behind {
    pub addresses: Vec<String>,
    handle: ServerHandle,
    task: JoinHandle<()>,
}

impl Behind {
    pub async fn doors(doors: Vec<Door>, change: impl FnOnce(&mut Settings)) -> Self {
        Behind::doors_of(MemoryStore::default(), doors, change).await
    }

    pub async fn doors_of(store: impl ServerStore, doors: Vec<Door>, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings { doors, ..Settings::new("", Config::new(APP), vec![SecretKey::from(KEY)]) };
        change(&mut settings);
        let bound = ServerDriver::<_, _>::bind(Live::new(), store, Unobserved, settings).await;
        let (server, handle) = bound.unwrap();
        let addresses = server.listeners().map(|listener| listener.local_addr().unwrap().to_string()).collect();
        Behind { addresses, handle, task: tokio::spawn(async { server.run().await.unwrap() }) }
    }

    async fn tls(identity: Identity) -> Self {
        Behind::doors(vec![Door::tls("127.0.0.1:0", identity)], |_| {}).await
    }

    pub fn load(&self) -> Load {
        self.handle.load()
    }

    pub async fn stop(self) {
        self.handle.stop();
        self.task.await.unwrap();
    }
}

/// An SDK that trusts nobody else.
async fn device(address: &str, trust: &Trust) -> (Sdk, Heard) {
    let (sdk, driver) = client::sdk(trust.guards(Live::new(), address).unwrap(), MemoryDisk::default(), address);
    tokio::spawn(driver.run());
    let heard = hears(&sdk);
    let mut setup = Setup::from(Platform::Ios);
    setup.limits.login_timeout = Duration::from_millis(300);
    sdk.init(setup).await.unwrap();
    (sdk, heard)
}

/// What comes of a login by somebody who trusts so, and of its first attempt to connect.
async fn login(address: &str, trust: &Trust) -> (Result<(), Code>, String) {
    let (sdk, mut heard) = device(address, trust).await;
    let result = sdk.login("alice", ticket("alice")).await.map_err(|failure| failure.code);
    assert_eq!(heard.next().await, "connecting");
    (result, heard.next().await)
}

/// TLS-2: under TLS everything is as without.
#[test]
fn two_phones_log_in_over_tls_and_the_second_takes_the_place_of_the_first() {
    run(async {
        let authority = Authority::new();
        let server = Behind::tls(authority.signs("localhost").identity()).await;
        let address = server.addresses[0].replace("127.0.0.1", "localhost");
        let (first, mut heard) = device(&address, &authority.trusted()).await;
        first.login("alice", ticket("alice")).await.unwrap();
        assert_eq!(first.send_message("alice", "x".repeat(12_000)).await, Ok(MessageId(1)), "longer than a packet");
        let (second, _heard) = device(&address, &authority.trusted()).await;
        second.login("alice", ticket("alice")).await.unwrap();
        heard.until("kicked_offline 1 same_platform").await;
        assert_eq!((first.login_status(), second.login_status()), (Status::Logout, Status::Logined));
        server.stop().await;
    });
}

/// TLS-2: whoever cannot prove to be the server is told nothing, and the application is told why.
#[test]
fn nobody_is_told_a_ticket_who_cannot_prove_to_be_the_server() {
    run(async {
        let (authority, other) = (Authority::new(), Authority::new());
        let server = Behind::tls(authority.signs("localhost").identity()).await;
        let address = server.addresses[0].replace("127.0.0.1", "localhost");
        let untrusted = (Err(Code::ServerUntrusted), "connect_failed 9530".to_owned());

        assert_eq!(login(&address, &other.trusted()).await, untrusted, "another authority");
        assert_eq!(login(&server.addresses[0], &authority.trusted()).await, untrusted, "another name");
        let elsewhere = authority.trusted().named("im.example.org").unwrap();
        assert_eq!(login(&address, &elsewhere).await, untrusted, "the name that was asked for");
        assert_eq!(login(&address, &Trust::platform()).await, untrusted, "nobody whom the system knows");
        let named = authority.trusted().named("localhost").unwrap();
        assert_eq!(login(&server.addresses[0], &named).await.0, Ok(()), "the name that was asked for");
        server.stop().await;
    });
}

/// TLS-1: nobody serves with what nobody would trust.
#[test]
fn what_is_wrong_with_a_certificate_is_said_when_it_is_read() {
    let authority = Authority::new();
    let (good, other) = (authority.signs("localhost"), authority.signs("localhost"));
    let read = |chain: &str, key: &str| Signed { chain: chain.to_owned(), key: key.to_owned() }.read().unwrap_err();
    assert!(matches!(read(&good.chain, &other.key), IdentityError::OtherKey));
    assert!(matches!(read(&good.key, &good.key), IdentityError::NoCertificate));
    assert!(matches!(read("", &good.key), IdentityError::NoCertificate));
    assert!(matches!(read(&good.chain, ""), IdentityError::NoKey));
    assert!(matches!(read(&good.chain, &good.chain), IdentityError::NoKey));
    let cut = &good.chain[..good.chain.len() / 2];
    assert!(matches!(read(cut, &good.key), IdentityError::BadCertificate { number: 1, .. }), "cut off");
    let torn = good.chain.replacen("MII", "MIJ", 1);
    assert!(matches!(read(&torn, &good.key), IdentityError::BadCertificate { number: 1, .. }), "torn");
    let expired = authority.signs_from("localhost", 2019, 2020);
    assert!(matches!(read(&expired.chain, &expired.key), IdentityError::Expired { number: 1, .. }));
    let coming = authority.signs_from("localhost", 2119, 2120);
    assert!(matches!(read(&coming.chain, &coming.key), IdentityError::NotYetValid { number: 1, .. }));
    let chain = format!("{}{}", good.chain, expired.chain);
    assert!(matches!(read(&chain, &good.key), IdentityError::Expired { number: 2, .. }), "of the whole chain");
    assert!(format!("{:?}", good.identity()).starts_with("Identity { valid_until"), "a log tells no key");
}

/// TLS-2: a certificate that has expired since it was read proves nothing any more.
#[test]
fn a_certificate_that_has_expired_is_not_trusted() {
    run(async {
        let authority = Authority::new();
        let expired = authority.signs_from("localhost", 2019, 2020);
        let in_2019 = gatecrash::time::WallTime::from_micros(1_560_000_000_000_000);
        let identity = Identity::from_pem(expired.chain.as_bytes(), expired.key.as_bytes(), in_2019).unwrap();
        let server = Behind::tls(identity).await;
        let address = server.addresses[0].replace("127.0.0.1", "localhost");
        assert_eq!(login(&address, &authority.trusted()).await.0, Err(Code::ServerUntrusted));
        server.stop().await;
    });
}

/// TLS-3.
#[test]
fn a_renewed_certificate_is_shown_to_newcomers_and_closes_nobody() {
    run(async {
        let (old, new) = (Authority::new(), Authority::new());
        let identity = old.signs("localhost").identity();
        let server = Behind::tls(identity.clone()).await;
        let address = server.addresses[0].replace("127.0.0.1", "localhost");
        let (phone, mut heard) = device(&address, &old.trusted()).await;
        phone.login("alice", ticket("alice")).await.unwrap();
        heard.until("connect_success").await;

        identity.renew(&new.signs("localhost").identity());
        assert_eq!(login(&address, &new.trusted()).await.0, Ok(()), "who knows the new authority gets in");
        assert_eq!(login(&address, &old.trusted()).await.0, Err(Code::ServerUntrusted));
        assert_eq!(heard.next().await, "kicked_offline 1 same_platform", "the link is the same as before");
        server.stop().await;
    });
}

/// TLS-2: neither end talks to one that speaks no TLS, and no secret is sent in clear.
#[test]
fn who_speaks_no_tls_is_no_server() {
    run(async {
        let authority = Authority::new();
        let doors = vec![Door::tcp("127.0.0.1:0"), Door::tls("127.0.0.1:0", authority.signs("localhost").identity())];
        let server = Behind::doors(doors, |_| {}).await;
        let (result, told) = login(&server.addresses[0], &authority.trusted()).await;
        assert_eq!((result, told.as_str()), (Err(Code::NoLink), "connect_failed 9508"));
        let (sdk, driver) = client::sdk(Live::new(), MemoryDisk::default(), server.addresses[1].as_str());
        tokio::spawn(driver.run());
        let mut setup = Setup::from(Platform::Ios);
        setup.limits.login_timeout = Duration::from_millis(300);
        sdk.init(setup).await.unwrap();
        assert!(sdk.login("alice", ticket("alice")).await.is_err());
        server.stop().await;
    });
}

/// INPUT-7: whoever opens a connection and does not finish its handshake is closed.
#[test]
fn a_handshake_that_is_never_finished_ends_in_time() {
    run(async {
        let authority = Authority::new();
        let doors = vec![Door::tls("127.0.0.1:0", authority.signs("localhost").identity())];
        let server = Behind::doors(doors, |settings| settings.bounds.handshake_max = Duration::from_millis(200)).await;
        let began = Live::new();
        let mut silent = TcpStream::connect(&server.addresses[0]).await.unwrap();
        let mut said = Vec::new();
        let ended = before_admission_ends(silent.read_to_end(&mut said)).await;
        assert!(ended.is_err() || said.is_empty(), "{said:?}");
        assert!(began.now().instant >= gatecrash::time::Instant::ZERO + Duration::from_millis(200));
        server.stop().await;
    });
}
