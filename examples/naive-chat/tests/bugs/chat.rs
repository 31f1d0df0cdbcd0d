//! The chat as a system under test: which call of ours is which of theirs, and nothing else.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use gatecrash_sim::subject::{
    Device, DevicePlace, Events, Outcome, Policy, Reply, Seats, ServerPlace, Status, Stream, System, Ticket, Told,
};
use naive_chat::sdk::{Callback, Connect, Listener, Sdk};
use naive_chat::server;

/// The chat.
#[derive(Clone)]
pub struct NaiveChat;

/// Its SDK on a device.
pub struct Phone(Rc<Sdk<Stream>>);

impl System for NaiveChat {
    type Device = Phone;

    fn name(&self) -> &str {
        "naive-chat 0.1"
    }

    fn settles_within(&self) -> Duration {
        // Six seconds until a lost connection is noticed, two attempts to connect, a login.
        Duration::from_secs(20)
    }

    fn seats(&self) -> Seats {
        Seats::new(Policy::Single, &Default::default()).expect("one device of each platform")
    }

    async fn serve(self, place: ServerPlace) -> io::Result<()> {
        let listener = place.listen().await?;
        server::serve(async || place.accept(&listener).await).await
    }

    fn start(&self, place: DevicePlace, events: Events) -> Phone {
        let name = place.name().to_owned();
        let connect: Connect<Stream> = Rc::new(move || {
            let place = place.clone();
            Box::pin(async move { place.connect().await })
        });
        Phone(Sdk::new(&name, connect, Box::new(Ears(events))))
    }
}

impl Device for Phone {
    fn login(&self, user: &str, _: &Ticket, reply: Reply) {
        self.0.login(user, callback(reply));
    }

    fn logout(&self, reply: Reply) {
        self.0.logout(callback(reply));
    }

    fn send(&self, to: &str, text: &str, id: &str, reply: Reply) {
        self.0.send(to, text, id, callback(reply));
    }

    fn network_changed(&self) {
        self.0.reconnect();
    }

    fn status(&self) -> Status {
        match self.0.user() {
            None => Status::Logout,
            Some((user, true)) => Status::Logined(user),
            Some((user, false)) => Status::Logining(user),
        }
    }
}

fn callback(reply: Reply) -> Callback {
    Rc::new(move |result| reply.answer(result.map_or_else(Outcome::Failed, |()| Outcome::Ok)))
}

struct Ears(Events);

impl Listener for Ears {
    fn connected(&self) {
        self.0.tell(Told::ConnectSuccess);
    }

    fn kicked(&self, by: &str) {
        self.0.tell(Told::KickedOffline { reason: "other_platform".to_owned(), by: Some(by.to_owned()) });
    }

    fn message(&self, id: &str, from: &str, text: &str) {
        self.0.tell(Told::Message { id: id.to_owned(), from: from.to_owned(), text: text.to_owned() });
    }
}
