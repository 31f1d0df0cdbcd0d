//! The product, as if it were somebody else's: whoever finds something here has found a false alarm, or a bug.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatecrash::client::Status as LoginStatus;
use gatecrash::code::Code;
use gatecrash::decide::Rules;
use gatecrash::driver::Unobserved;
use gatecrash::driver::client::{Listener, Pending, Sdk, SdkDriver, Setup};
use gatecrash::driver::disk::MemoryDisk;
use gatecrash::driver::server::{ServerDriver, Settings};
use gatecrash::driver::store::MemoryStore;
use gatecrash::id::SendId;
use gatecrash::protocol::{Kick, Message};
use sha2::{Digest as _, Sha256};

use super::super::*;
use crate::scenario::{LimitOverrides, LimitValue, Scenario, config};
use crate::world::{packet, tickets};

#[derive(Clone)]
struct Product {
    seats: Seats,
    store: MemoryStore,
    disks: Arc<Mutex<BTreeMap<String, MemoryDisk>>>,
}

#[derive(Clone)]
struct Phone {
    sdk: Sdk,
    events: Events,
    asked: Arc<Mutex<String>>,
}

fn limits() -> LimitOverrides {
    let mut limits = LimitOverrides::default();
    let short = [
        ("heartbeat", 3_000),
        ("heartbeat_web", 3_000),
        ("heartbeat_min", 1_000),
        ("heartbeat_answer", 2_000),
        ("login_timeout", 6_000),
        ("request_timeout", 4_000),
        ("connect_timeout", 3_000),
        ("backoff_max", 1_000),
        ("backoff_max_web", 1_000),
    ];
    for (key, millis) in short {
        assert!(limits.set(key, LimitValue::Time(Duration::from_millis(millis))), "{key} is a time");
    }
    limits
}

impl System for Product {
    type Device = Phone;

    fn name(&self) -> &str {
        "gatecrash"
    }

    fn settles_within(&self) -> Duration {
        Duration::from_secs(30)
    }

    fn seats(&self) -> Seats {
        self.seats
    }

    async fn serve(self, place: ServerPlace) -> io::Result<()> {
        let mut scenario: Scenario = super::parsed("");
        (scenario.limits, scenario.app.seats) = (limits(), place.seats());
        let settings = Settings::new("0.0.0.0:7000".to_owned(), config::server(&scenario), tickets::keys(true));
        let bound = ServerDriver::<_, _, _, Rules>::bind(place.inner, self.store, Unobserved, settings).await;
        let (driver, _handle) = bound.map_err(io::Error::other)?;
        driver.run().await.map_err(io::Error::other)
    }

    fn start(&self, place: DevicePlace, events: Events) -> Phone {
        let disk =
            self.disks.lock().expect("nobody panics with it").entry(place.name().to_owned()).or_default().clone();
        let server = format!("{}:{}", packet::SERVER, packet::PORT);
        let platform = place.platform();
        let (sdk, driver) = SdkDriver::<_, _, _, Rules>::new(place.inner, disk, Unobserved, server);
        let phone = Phone { sdk: sdk.clone(), events, asked: Arc::default() };
        sdk.set_listener(Arc::new(Ears(phone.clone())));
        drop(sdk.init(Setup { platform, limits: config::client_limits(&limits(), platform) }));
        tokio::task::spawn_local(driver.run());
        phone
    }
}

impl Device for Phone {
    fn login(&self, user: &str, ticket: &Ticket, reply: Reply) {
        *self.asked.lock().expect("nobody panics with it") = user.to_owned();
        self.answer(self.sdk.login(user, ticket.text.as_str()), reply);
    }

    fn logout(&self, reply: Reply) {
        self.answer(self.sdk.logout(), reply);
    }

    fn send(&self, to: &str, text: &str, id: &str, reply: Reply) {
        let sum: [u8; 16] = Sha256::digest(id)[..16].try_into().expect("it has 32 bytes");
        // A message comes with the server's number, so that what the sender called it goes with its text.
        self.answer(self.sdk.send_message_as(SendId::from_bytes(sum), to, format!("{id} {text}")), reply);
    }

    fn woken(&self) {
        self.sdk.woken();
    }

    fn network_changed(&self) {
        self.sdk.network_changed();
    }

    fn status(&self) -> Status {
        match self.sdk.login_status() {
            LoginStatus::Logout => Status::Logout,
            LoginStatus::Logining => Status::Logining(self.asked.lock().expect("nobody panics with it").clone()),
            LoginStatus::Logined => Status::Logined(self.sdk.login_user().expect("somebody is").to_string()),
        }
    }
}

impl Phone {
    fn answer<T: 'static>(&self, pending: Pending<T>, reply: Reply) {
        let phone = self.clone();
        tokio::task::spawn_local(async move {
            let result = pending.await;
            phone.events.status(phone.status());
            reply.answer(result.map_or_else(|error| Outcome::Failed(error.code.number()), |_| Outcome::Ok));
        });
    }

    fn tell(&self, told: Told) {
        self.events.status(self.status());
        self.events.tell(told);
    }
}

struct Ears(Phone);

impl Listener for Ears {
    fn connecting(&self) {
        self.0.tell(Told::Connecting);
    }

    fn connect_success(&self) {
        self.0.tell(Told::ConnectSuccess);
    }

    fn connect_failed(&self, code: Code) {
        self.0.tell(Told::ConnectFailed(code.number()));
    }

    fn kicked_offline(&self, kick: &Kick) {
        self.0.tell(Told::KickedOffline { reason: kick.reason.word().to_owned(), by: None });
    }

    fn user_sig_expired(&self) {
        self.0.tell(Told::UserSigExpired);
    }

    fn message(&self, message: &Message) {
        let (id, text) = message.text.split_once(' ').expect("so it was sent");
        let (id, from, text) = (id.to_owned(), message.from.to_string(), text.to_owned());
        self.0.tell(Told::Message { id, from, text });
    }
}

#[test]
fn nothing_is_found_about_the_product_by_who_sees_only_its_applications() {
    let mut judged = 0;
    for seed in 0..60 {
        let policy = Policy::ALL[seed as usize % Policy::ALL.len()];
        let seats = Seats::new(policy, &BTreeMap::new()).expect("one device of each platform");
        let product = Product { seats, store: MemoryStore::default(), disks: Arc::default() };
        let run = run(&product, &scenario(&product, seed)).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let told: Vec<_> = run.findings.iter().map(|finding| (finding.property, &finding.text)).collect();
        let lines: Vec<usize> = run.findings.iter().flat_map(|finding| finding.lines.clone()).collect();
        assert!(run.findings.is_empty(), "seed {seed}: {told:#?}\n{}", run.story(&lines));
        judged += usize::from(run.history.contains("kicked_offline"));
    }
    assert!(judged > 8, "somebody is kicked in {judged} seeds only");
}
