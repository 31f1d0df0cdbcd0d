//! A server with 1,000,000 accounts is killed with 200,000 devices connected, and starts again.
//!
//! One run, timed by the clock on the wall. Another process writes the accounts and is killed, so that the
//! database is not closed; then this one opens it, once as it was left and once after it was closed
//! properly. Prints one object of JSON.

mod device;
mod population;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use clap::Parser;
use gatecrash::driver::ServerStore;
use gatecrash::driver::store::FileStore;
use gatecrash::protocol::Presence;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use device::{Core, Login};

/// Starts a server on a large database, and prints what that took.
#[derive(Parser)]
struct Arguments {
    /// A folder for the database, on the disk to be measured. What is in it is removed.
    folder: PathBuf,
    /// How many accounts there are.
    #[arg(long, default_value_t = 1_000_000)]
    accounts: u32,
    /// Every so many accounts one is logged in, and connected.
    #[arg(long, default_value_t = 5)]
    connected_every: u32,
    /// Writes the accounts, says so, and waits to be killed.
    #[arg(long, hide = true)]
    fill: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    if arguments.fill {
        fill(&runtime, &arguments);
        return ExitCode::SUCCESS;
    }
    let _ = std::fs::remove_dir_all(&arguments.folder);
    let killed = fill_and_kill(&arguments);
    assert!(!killed, "the process that wrote the accounts did not end by itself");
    let file = arguments.folder.join("gatecrash.redb");
    let bytes = std::fs::metadata(&file).expect("the database is there").len();
    let after_a_kill = start(&runtime, &arguments, false);
    let after_a_close = start(&runtime, &arguments, true);
    let _ = std::fs::remove_dir_all(&arguments.folder);
    let printed = json!({
        "accounts": arguments.accounts,
        "connected": arguments.accounts.div_ceil(arguments.connected_every),
        "file_bytes": bytes,
        "after_a_kill": after_a_kill,
        "after_a_close": after_a_close,
    });
    println!("{printed}");
    ExitCode::SUCCESS
}

fn fill(runtime: &Runtime, arguments: &Arguments) {
    let every = arguments.connected_every;
    let presence = move |number: u32| match number.is_multiple_of(every) {
        true => Presence::Online,
        false => Presence::Offline,
    };
    runtime.block_on(async {
        let mut store = FileStore::new(&arguments.folder);
        store.open().await.expect("the store is made");
        for batch in population::batches(arguments.accounts, presence) {
            store.commit(batch).await.expect("the batch is written");
        }
        println!("written");
        std::io::stdout().flush().expect("somebody reads");
        // Until it is killed: the database is never closed.
        let mut nothing = String::new();
        let _ = std::io::stdin().read_line(&mut nothing);
    });
}

/// Returns whether the process ended by itself.
fn fill_and_kill(Arguments { folder, accounts, connected_every, .. }: &Arguments) -> bool {
    let this = std::env::current_exe().expect("this program is a file");
    let mut filling = Command::new(this)
        .arg(folder)
        .args(["--accounts", &accounts.to_string(), "--connected-every", &connected_every.to_string(), "--fill"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program starts");
    let mut said = String::new();
    let output = filling.stdout.take().expect("its output is ours");
    BufReader::new(output).read_line(&mut said).expect("it says when it is done");
    assert_eq!(said, "written\n");
    filling.kill().expect("it can be killed");
    filling.wait().expect("it ends").success()
}

/// Starts a server, and what its start changed is committed only if asked for: otherwise the next finds the
/// same sessions connected.
fn start(runtime: &Runtime, arguments: &Arguments, is_last: bool) -> Value {
    let mut store = FileStore::new(&arguments.folder);
    let login = Login::new(arguments.accounts / 2, 0);
    let (begun, processor_before) = (now(), processor_seconds());
    let records = runtime.block_on(store.open()).expect("the store opens");
    let opened = now();
    assert_eq!(records.users.len(), arguments.accounts as usize);
    let (mut core, mut changes) = Core::start(records);
    let started = now();
    let lost = changes.iter().map(|commit| commit.facts.len()).sum::<usize>() / 2;
    assert_eq!(lost, arguments.accounts.div_ceil(arguments.connected_every) as usize, "every link is lost");
    changes.extend(core.log_in(vec![login]));
    let (decided, processor_ready) = (now(), processor_seconds());
    let mut printed = json!({
        "open_seconds": (opened - begun).as_secs_f64(),
        "core_seconds": (started - opened).as_secs_f64(),
        "first_login_seconds": (decided - started).as_secs_f64(),
        "ready_seconds": (decided - begun).as_secs_f64(),
        "ready_processor_seconds": processor_ready - processor_before,
    });
    if is_last {
        runtime.block_on(async { store.commit(changes).await }).expect("the links' loss is written");
        printed["answered_seconds"] = json!((now() - begun).as_secs_f64());
    }
    printed
}

/// How long this process has been on a processor, to a hundredth of a second: what a start would take alone on
/// the machine with its files in memory.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("this system tells it");
    let after_the_name = stat.rsplit_once(')').expect("it has a name").1;
    // The 14th and 15th field, of which the name is the second, in hundredths.
    after_the_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("ticks")).sum::<f64>()
        / 100.0
}

#[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
fn now() -> Instant {
    Instant::now()
}
