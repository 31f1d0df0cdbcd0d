//! The crowd: one task for each user, who does what it is told and notices what becomes of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gatecrash::ticket::SecretKey;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use crate::figures::{Crowd, Figures, Report, Server, Timed};
use crate::line::Dialler;
use crate::process::{self, Needs};
use crate::speech::{App, Failure, Heard, Language, Session, User};
use crate::{Run, Speaks, bad, seconds};

/// How long something may take that a device waits for.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long until a user whom an administrator kicked has a ticket that is issued later.
const NEW_TICKET: Duration = Duration::from_millis(2_100);

/// How long after a failure a device tries again.
const AGAIN: Duration = Duration::from_secs(1);

/// What a user is asked to do; it says when it is done.
enum Order {
    /// Logs in with the other device, and the first hears of it.
    TakeOver(Timed, oneshot::Sender<()>),
    /// Loses its connection, and comes back.
    Return,
    /// Is about to be kicked, at this moment.
    Kicked(Instant),
}

/// What all users share.
struct Place {
    language: Language,
    dialler: Dialler,
    figures: Figures,
    heartbeat: Duration,
}

/// Logs everybody in, keeps them busy, and prints what it came to; whether everybody was served.
pub fn run(run: Run) -> Result<bool, String> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| error.to_string())?;
    let report = runtime.block_on(crowd(&run))?;
    print!("{}", report.text());
    if let Some(path) = &run.json {
        let text = serde_json::to_string_pretty(&report).expect("texts and numbers are JSON");
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(report.is_good())
}

async fn crowd(run: &Run) -> Result<Report, String> {
    let place = Arc::new(place(run)?);
    let measure = || run.pid.map(process::needs).transpose();
    let empty = measure()?;

    let began = Instant::now();
    let gate = Arc::new(Semaphore::new(run.at_once));
    let mut users = JoinSet::new();
    let mut orders = Vec::new();
    let mut present = Vec::new();
    for number in 0..run.connections {
        let (sender, receiver) = mpsc::unbounded_channel();
        let (entered, is_there) = oneshot::channel();
        orders.push(sender);
        present.push(is_there);
        users.spawn(user(number, Arc::clone(&place), Arc::clone(&gate), entered, receiver));
    }
    for (number, is_there) in present.into_iter().enumerate() {
        is_there.await.map_err(|_| "a user's task ended".to_owned())?;
        if number % 5_000 == 4_999 {
            eprintln!("{} are there", number + 1);
        }
    }
    let entered_in = began.elapsed();
    let full = measure()?;

    let orders: Arc<[_]> = orders.into();
    let stayed = Instant::now();
    let mut meanwhile = JoinSet::new();
    for number in 0..run.strangers {
        let place = Arc::clone(&place);
        meanwhile.spawn(async move { bad::stranger(number, place.dialler.clone(), &place.figures).await });
    }
    for (seed, rate, is_takeover) in [(1, run.takeovers, true), (2, run.returns, false)] {
        if rate > 0 {
            meanwhile.spawn(ordering(seed, rate, Arc::clone(&orders), is_takeover));
        }
    }
    if run.kicks > 0 && run.speaks == Speaks::Gatecrash {
        meanwhile.spawn(administrator(run.kicks, Arc::clone(&place), Arc::clone(&orders)));
    }
    for passed in 0..run.seconds {
        tokio::time::sleep(seconds(1)).await;
        if passed % 60 == 59 {
            eprintln!("{} s of {}", passed + 1, run.seconds);
        }
    }
    let stayed = stayed.elapsed();
    meanwhile.shutdown().await;
    let end = measure()?;

    let flat_out_per_second = match run.flat_out {
        0 => None,
        time => Some(flat_out(run, &place, &orders, seconds(time)).await),
    };
    users.shutdown().await;
    let crowd = Crowd {
        speaks: format!("{:?}", run.speaks).to_lowercase(),
        tls: run.authority.is_some(),
        connections: run.connections,
        entered_in_s: entered_in.as_secs_f64(),
        entries_per_second: f64::from(run.connections) / entered_in.as_secs_f64(),
        stayed_s: stayed.as_secs_f64(),
        flat_out_per_second,
    };
    let needs = |needs: [Option<Needs>; 3]| match needs {
        [Some(empty), Some(full), Some(end)] => Some(Server::of([empty, full, end], run.connections, stayed)),
        _ => None,
    };
    Ok(place.figures.report(crowd, needs([empty, full, end])))
}

fn place(run: &Run) -> Result<Place, String> {
    let language = match run.speaks {
        // A broker gives up on a client after one and a half times this.
        Speaks::Mqtt => {
            Language::Mqtt { keep_alive: u16::try_from(run.heartbeat * 2).map_err(|error| error.to_string())? }
        }
        Speaks::Gatecrash => {
            let path: &Path = run.key_file.as_deref().ok_or("--key-file is missing: tickets are signed with it")?;
            let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Language::Gatecrash(App { id: run.app_id, key: SecretKey::from(text.trim_end()) })
        }
    };
    Ok(Place {
        language,
        dialler: Dialler::new(&run.server, run.authority.as_deref())?,
        figures: Figures::default(),
        heartbeat: seconds(run.heartbeat),
    })
}

/// So many orders a second, to users drawn at random.
async fn ordering(seed: u64, rate: u32, orders: Arc<[mpsc::UnboundedSender<Order>]>, is_takeover: bool) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut ticks = tokio::time::interval(seconds(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let order = match is_takeover {
            // Nobody waits for it.
            true => Order::TakeOver(Timed::Takeover, oneshot::channel().0),
            false => Order::Return,
        };
        let _ = drawn(&mut random, &orders).send(order);
    }
}

fn drawn<'a, Of>(random: &mut ChaCha8Rng, from: &'a [Of]) -> &'a Of {
    &from[random.next_u64() as usize % from.len()]
}

/// Ends the sessions of so many users a second.
async fn administrator(rate: u32, place: Arc<Place>, orders: Arc<[mpsc::UnboundedSender<Order>]>) {
    let (mut random, me) = (ChaCha8Rng::seed_from_u64(3), User::administrator());
    let mut session = match enter(&place, &me, false, None).await {
        Ok(session) => session,
        Err(why) => return place.figures.counted(format!("failed to log in as administrator: {why}")),
    };
    let mut ticks = tokio::time::interval(seconds(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let number = random.next_u64() as usize % orders.len();
        let _ = orders[number].send(Order::Kicked(Instant::now()));
        let user = User::numbered(u32::try_from(number).expect("there are not so many"));
        let done = async {
            session.kick(&user).await?;
            session.hears().await
        };
        match tokio::time::timeout(PATIENCE, done).await {
            Ok(Ok(Heard::Kicked)) => place.figures.counted("kicks"),
            Ok(Ok(heard)) => return place.figures.counted(format!("failed to kick: {heard:?} out of turn")),
            Ok(Err(why)) => return place.figures.counted(format!("failed to kick: {why}")),
            Err(_) => return place.figures.counted("failed to kick: no answer"),
        }
    }
}

/// Takeovers one behind the other, as many at a time as log in at once; how many a second.
async fn flat_out(run: &Run, place: &Arc<Place>, orders: &Arc<[mpsc::UnboundedSender<Order>]>, time: Duration) -> f64 {
    let (began, mut tasks) = (Instant::now(), JoinSet::new());
    let at_once = run.at_once.min(orders.len());
    for lane in 0..at_once {
        let orders = Arc::clone(orders);
        tasks.spawn(async move {
            // Each has users of its own, so that nobody waits for another lane's.
            let mut users = (lane..orders.len()).step_by(at_once).cycle();
            while began.elapsed() < time {
                let (done, is_done) = oneshot::channel();
                let number = users.next().expect("there is one for each lane");
                let _ = orders[number].send(Order::TakeOver(Timed::FlatOut, done));
                let _ = is_done.await;
            }
        });
    }
    while tasks.join_next().await.is_some() {}
    place.figures.times(Timed::FlatOut) as f64 / began.elapsed().as_secs_f64()
}

/// Logs in, or comes back to the session of that epoch.
async fn enter(
    place: &Place,
    user: &User,
    is_second: bool,
    before: Option<gatecrash::id::Epoch>,
) -> Result<Session, Failure> {
    let greeting = match before {
        None => place.language.greeting(user, is_second),
        Some(epoch) => place.language.return_greeting(user, epoch, is_second),
    };
    let began = Instant::now();
    let line = place.dialler.dial().await?;
    let connected = Instant::now();
    let entering = place.language.enter(line, &greeting, user, before, is_second);
    let session = tokio::time::timeout(PATIENCE, entering)
        .await
        .map_err(|_| Failure::Broken(std::io::ErrorKind::TimedOut.into()))??;
    match before {
        None => {
            place.figures.took(Timed::Entry, began.elapsed());
            place.figures.took(Timed::Login, connected.elapsed());
        }
        Some(_) => place.figures.took(Timed::Return, began.elapsed()),
    }
    Ok(session)
}

/// Enters until it works.
async fn certainly(place: &Place, user: &User, is_second: bool, before: Option<gatecrash::id::Epoch>) -> Session {
    loop {
        match enter(place, user, is_second, before).await {
            Ok(session) => return session,
            Err(why) => place.figures.counted(format!("failed to enter: {why}")),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// One user, from the first login to the end of the run.
async fn user(
    number: u32,
    place: Arc<Place>,
    gate: Arc<Semaphore>,
    entered: oneshot::Sender<()>,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let user = User::numbered(number);
    let mut session = {
        let _one_of_few = gate.acquire().await;
        certainly(&place, &user, false, None).await
    };
    let _ = entered.send(());
    // Not all at once.
    let mut random = ChaCha8Rng::seed_from_u64(u64::from(number));
    let first = place.heartbeat.mul_f64(f64::from(random.next_u32()) / f64::from(u32::MAX));
    let mut beats = tokio::time::interval_at(Instant::now() + first, place.heartbeat);
    let (mut asked, mut kicked_at) = (None, None);
    loop {
        tokio::select! {
            heard = session.hears() => match heard {
                Ok(Heard::Beat) => if let Some(asked) = asked.take() {
                    place.figures.took(Timed::Beat, Instant::now() - asked);
                },
                Ok(Heard::Displaced) => {
                    if let Some(at) = kicked_at.take() {
                        place.figures.took(Timed::Kick, Instant::now() - at);
                    } else {
                        place.figures.counted("failed: displaced by nobody");
                    }
                    let (_, is_second) = session.whose();
                    session.concedes(&user).await;
                    tokio::time::sleep(NEW_TICKET).await;
                    (session, asked) = (certainly(&place, &user, is_second, None).await, None);
                }
                unexpected => {
                    place.figures.counted(match unexpected {
                        Err(why) => format!("failed to stay: {why}"),
                        Ok(heard) => format!("failed: {heard:?} out of turn"),
                    });
                    let (epoch, is_second) = session.whose();
                    tokio::time::sleep(AGAIN).await;
                    (session, asked) = (certainly(&place, &user, is_second, Some(epoch)).await, None);
                }
            },
            _ = beats.tick() => {
                if asked.is_some() {
                    place.figures.counted("failed: a heartbeat without an answer");
                }
                asked = Some(Instant::now());
                // Whether it arrives is heard.
                let _ = session.beat().await;
            }
            Some(order) = orders.recv() => match order {
                Order::Kicked(at) => kicked_at = Some(at),
                Order::Return => {
                    let (epoch, is_second) = session.whose();
                    drop(session);
                    (session, asked) = (certainly(&place, &user, is_second, Some(epoch)).await, None);
                }
                Order::TakeOver(timed, done) => {
                    session = takes_over(&place, &user, session, timed, &mut kicked_at).await;
                    asked = None;
                    let _ = done.send(());
                }
            },
        }
    }
}

/// Logs in with the other device, and hears with the first that it was displaced.
async fn takes_over(
    place: &Arc<Place>,
    user: &User,
    mut session: Session,
    timed: Timed,
    kicked_at: &mut Option<Instant>,
) -> Session {
    let (_, is_second) = session.whose();
    let began = Instant::now();
    let (next, displaced) = tokio::join!(certainly(place, user, !is_second, None), async {
        while let Ok(heard) = session.hears().await {
            if heard == Heard::Displaced {
                return true;
            }
        }
        false
    });
    // An administrator may have come first.
    match (displaced, kicked_at.take()) {
        (true, None) => place.figures.took(timed, began.elapsed()),
        (true, Some(_)) => {}
        (false, _) => place.figures.counted("failed: not told of a takeover"),
    }
    session.concedes(user).await;
    next
}
