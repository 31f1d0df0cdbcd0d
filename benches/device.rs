//! Devices that log in at a server's core by themselves: what they say, and whether they are answered.
//!
//! Their tickets are signed and opened before anything is timed: a driver does that at the edge, beside the core.

use gatecrash::id::{Attempt, CallId, ConnectionId};
use gatecrash::policy::Platform;
use gatecrash::protocol::{ClientFrame, ServerFrame, VERSION};
use gatecrash::server::{Action, Config, Input, Server};
use gatecrash::store::{Commit, Records};
use gatecrash::ticket::{OpenedTicket, SecretKey, TicketSpec, open, sign};
use gatecrash::time::{Instant, Now, WallTime};

use crate::population::{self, APP, TICKET_TTL, TODAY};

/// A server's core, and what came out of it.
pub struct Core {
    server: Server,
    now: Now,
    /// How many logins it accepted.
    pub accepted: usize,
}

/// The account of this number logs in anew on its device, on a connection of its own.
pub struct Login(Vec<Input>);

impl Core {
    /// One that goes on from these records, with the changes of its start.
    pub fn start(records: Records) -> (Core, Vec<Commit>) {
        let now = Now { instant: Instant::ZERO, wall: WallTime::from_seconds(TODAY) };
        let mut core = Core { server: Server::restore(Config::new(APP), records), now, accepted: 0 };
        let changes = core.take(vec![Input::Started]);
        (core, changes)
    }

    /// Lets these devices log in, one after the other. Returns the changes to commit before any is answered.
    pub fn log_in(&mut self, logins: Vec<Login>) -> Vec<Commit> {
        let accepted = self.accepted + logins.len();
        let changes = self.take(logins.into_iter().flat_map(|Login(inputs)| inputs));
        assert_eq!(self.accepted, accepted, "every login is accepted");
        changes
    }

    fn take(&mut self, inputs: impl IntoIterator<Item = Input>) -> Vec<Commit> {
        let mut changes = Vec::new();
        for input in inputs {
            self.server.handle_input(self.now, input);
            while let Some(output) = self.server.poll_output() {
                match output.action {
                    Action::Commit(commit) => changes.push(commit),
                    Action::Send { frame: ServerFrame::LoginAnswer { outcome: Ok(_), .. }, .. } => self.accepted += 1,
                    Action::Send { .. } | Action::Close { .. } | Action::Note(_) => {}
                }
            }
        }
        changes
    }
}

impl Login {
    /// Of this account, on the connection of this number.
    pub fn new(account: u32, connection: u32) -> Login {
        let connection = ConnectionId(connection);
        let (user, device) = (population::user(account), population::device(account));
        let hello = ClientFrame::Hello { version: VERSION, device, platform: Platform::Android };
        let login = ClientFrame::Login {
            call: CallId(1),
            attempt: Attempt { start: 2, count: 1 },
            user: user.to_string(),
            ticket: ticket(account),
            known_ended: None,
        };
        let frame = |frame| Input::Frame { connection, frame };
        Login(vec![Input::Opened { connection }, frame(hello), frame(login)])
    }
}

fn ticket(account: u32) -> OpenedTicket {
    let key = SecretKey::from("the benchmark's key");
    let user = population::user(account);
    let spec = TicketSpec { app_id: APP, user, issued_at: TODAY, ttl: TICKET_TTL, userbuf: None };
    open(sign(&spec, &key).as_str(), &[key])
}
