//! `gatecrashd serve`, killed without warning while devices are at work, again and again: what was answered
//! is still so after each start (DUR-1, DUR-2), and no epoch is given twice (DUR-3).

use std::time::Duration;

use gatecrash::id::{Attempt, CallId, DeviceId, Epoch, MessageId, SendId};
use gatecrash::policy::Platform;
use gatecrash::protocol::{ClientFrame, KickReason, ResumeOutcome, ServerFrame, VERSION};

use crate::loopback::{APP, Raw, run, ticket};
use crate::serve::{address_of, configured, gatecrashd};

/// How often the process is killed. `KILLS=1000 cargo test --release --test it killed` for more.
const KILLS: u32 = 50;

const WORKERS: u8 = 8;

/// What a worker was told last of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    /// A request was sent and not answered: anything may be so.
    Unknown,
    LoggedIn(Epoch),
    LoggedOut(Epoch),
}

/// One device, and what it knows for sure.
struct Worker {
    number: u8,
    attempts: u32,
    calls: u64,
    told: Told,
    last_epoch: Epoch,
    last_message: MessageId,
    /// The text of the last message answered, which its conversation list must show.
    last_text: Option<String>,
    answered: u32,
}

/// The connection broke: the server was killed.
struct Broken;

impl Worker {
    fn new(number: u8) -> Self {
        Worker {
            number,
            attempts: 0,
            calls: 0,
            told: Told::Nothing,
            last_epoch: Epoch(0),
            last_message: MessageId(0),
            last_text: None,
            answered: 0,
        }
    }

    fn user(&self) -> String {
        format!("user-{}", self.number)
    }

    fn attempt(&mut self) -> Attempt {
        self.attempts += 1;
        Attempt { start: 1, count: self.attempts }
    }

    async fn ask(
        &mut self,
        raw: &mut Raw,
        frame: ClientFrame<gatecrash::ticket::Ticket>,
    ) -> Result<ServerFrame, Broken> {
        raw.try_send(frame).await.map_err(|_| Broken)?;
        let answer = raw.next().await.map_err(|_| Broken)?;
        self.answered += 1;
        Ok(answer)
    }

    /// A connection on which it has said who it is.
    async fn connected(&self, address: &str) -> Result<Raw, Broken> {
        let mut raw = Raw::connect(address).await;
        let device = DeviceId::from_bytes([self.number + 1; 16]);
        let hello = ClientFrame::Hello { version: VERSION, device, platform: Platform::Web };
        raw.try_send(hello).await.map_err(|_| Broken)?;
        Ok(raw)
    }

    /// Checks that what it was told is so, then works until the server dies.
    async fn work(&mut self, address: &str) -> Result<(), Broken> {
        let mut raw = self.connected(address).await?;
        let user = self.user().parse().unwrap();
        if let Told::LoggedIn(epoch) | Told::LoggedOut(epoch) = self.told {
            let attempt = self.attempt();
            let resume = ClientFrame::Resume { attempt, user, epoch, ticket: ticket(&self.user()), received: 0 };
            let answer = self.ask(&mut raw, resume).await?;
            let ServerFrame::ResumeAnswer { outcome, .. } = answer else { panic!("a resume is answered: {answer:?}") };
            match self.told {
                Told::LoggedIn(_) => {
                    let ResumeOutcome::Resumed { conversations, .. } = outcome else {
                        panic!("{user} was logged in with epoch {epoch}: {outcome:?}")
                    };
                    if let Some(text) = &self.last_text {
                        assert_eq!(&conversations[0].preview, text, "what {user} sent is in the list");
                    }
                }
                _ => {
                    let ResumeOutcome::Kicked(kick) = outcome else {
                        panic!("{user} was logged out of epoch {epoch}: {outcome:?}")
                    };
                    assert_eq!(kick.reason, KickReason::Gone);
                    // Nothing else goes out on the connection of a session that is over.
                    raw = self.connected(address).await?;
                }
            }
        }
        self.go_on(raw).await
    }

    async fn go_on(&mut self, mut raw: Raw) -> Result<(), Broken> {
        loop {
            self.calls += 1;
            let call = CallId(self.calls);
            match self.told {
                Told::LoggedIn(_) if !self.calls.is_multiple_of(5) => {
                    let text = format!("{} says {}", self.user(), self.calls);
                    let to = self.user().parse().unwrap();
                    // An unanswered message may be in the list or not.
                    self.last_text = None;
                    let id = SendId::from_bytes(u128::from(call.0).to_be_bytes());
                    let sent = self.ask(&mut raw, ClientFrame::SendMessage { call, id, to, text: text.clone() }).await;
                    let Ok(ServerFrame::SendAnswer { outcome: Ok(message), .. }) = sent else {
                        return sent.map(|answer| panic!("a message is answered: {answer:?}"));
                    };
                    assert!(message > self.last_message, "message numbers only grow");
                    (self.last_message, self.last_text) = (message, Some(text));
                }
                Told::LoggedIn(epoch) => {
                    let attempt = self.attempt();
                    self.told = Told::Unknown;
                    let answer = self.ask(&mut raw, ClientFrame::Logout { call, attempt }).await?;
                    assert!(matches!(answer, ServerFrame::LogoutAnswer { outcome: Ok(()), .. }), "{answer:?}");
                    self.told = Told::LoggedOut(epoch);
                }
                Told::Nothing | Told::Unknown | Told::LoggedOut(_) => {
                    let attempt = self.attempt();
                    let (user, ticket) = (self.user(), ticket(&self.user()));
                    self.told = Told::Unknown;
                    let login = ClientFrame::Login { call, attempt, user, ticket, known_ended: None };
                    let answer = self.ask(&mut raw, login).await?;
                    let ServerFrame::LoginAnswer { outcome: Ok(admission), .. } = answer else {
                        panic!("a login is accepted: {answer:?}")
                    };
                    assert!(admission.epoch > self.last_epoch, "epochs never go back");
                    self.last_epoch = admission.epoch;
                    self.told = Told::LoggedIn(admission.epoch);
                }
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn what_was_answered_survives_a_killed_process() {
    #[expect(clippy::disallowed_methods, reason = "how long to look is up to whoever runs it")]
    let kills = std::env::var("KILLS").map_or(KILLS, |kills| kills.parse().expect("a number of kills"));
    let directory = configured(&format!("app_id = {APP}\nkey_files = [\"app.key\"]\nlisten = \"127.0.0.1:0\"\n"));
    let mut workers: Vec<Worker> = (0..WORKERS).map(Worker::new).collect();
    for kill in 0..kills {
        let mut process = gatecrashd(&directory, &["--log", "error", "--data", "records"]);
        let address = address_of(&mut process);
        // Not the same moment of the work each time.
        let life = Duration::from_millis(u64::from(20 + kill * 37 % 150));
        run(async {
            let all = async {
                let mut working: Vec<_> = workers.iter_mut().map(|worker| Box::pin(worker.work(&address))).collect();
                std::future::poll_fn(|context| {
                    working.retain_mut(|work| work.as_mut().poll(context).is_pending());
                    if working.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
                })
                .await;
            };
            let killing = async {
                tokio::time::sleep(life).await;
                process.0.kill().unwrap();
                process.0.wait().unwrap();
            };
            tokio::join!(all, killing);
        });
    }
    let answered: Vec<u32> = workers.iter().map(|worker| worker.answered).collect();
    let all: u32 = answered.iter().sum();
    assert!(
        !answered.contains(&0) && all > kills * u32::from(WORKERS),
        "every worker got something done: {answered:?}"
    );
    // A short life on a busy machine may see no login at all.
    let reached = workers.iter().map(|worker| worker.last_epoch).max().unwrap();
    assert!(reached.0 > u64::from(kills / 2) * 1_000_000, "epochs leap at each start: {reached}");
}
