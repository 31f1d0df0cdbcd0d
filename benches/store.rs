//! How many logins a second the server's core and its database commit, by how many wait for one commit.
//!
//! One run, timed by the clock on the wall, in rounds, since a disk is not the same each second: a round
//! measures every size of batch, and of all rounds the median counts. Prints one object of JSON. SQLite does the
//! same in `peers/benches/sqlite.rs`.

mod device;
mod population;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use gatecrash::driver::ServerStore;
use gatecrash::driver::store::FileStore;
use gatecrash::protocol::Presence;
use gatecrash::store::Commit;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde_json::{Map, Value, json};
use tokio::runtime::{Builder, Runtime};

use device::{Core, Login};

/// Commits logins on this disk in batches of several sizes, and prints how many it did a second.
#[derive(Parser)]
struct Arguments {
    /// A folder for the database, on the disk to be measured. What is in it is removed.
    folder: PathBuf,
    /// How many accounts are on disk before; each logs in once at most.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(50_000..=1_000_000))]
    accounts: u32,
    /// How many rounds there are.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=6))]
    rounds: u32,
}

/// How many log in at a time, and how often in a round.
const SIZES: [(u32, u32); 3] = [(1, 200), (64, 20), (1_024, 6)];

/// How many changes a round commits alone, with nothing of the core's in the time.
const SINGLE: u32 = 200;

/// A prime above every number of accounts: its multiples meet each account once, and neighbours seldom meet.
const STRIDE: u64 = 7_368_787;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let _ = std::fs::remove_dir_all(&arguments.folder);
    let mut bench = Bench::new(&arguments);
    let mut single = Vec::new();
    let mut sized = SIZES.map(|_| Vec::new());
    for _ in 0..arguments.rounds {
        single.push(bench.single());
        for ((size, times), rates) in SIZES.into_iter().zip(&mut sized) {
            rates.push(bench.grouped(size, times));
        }
    }
    drop(bench);
    let single = median(single);
    let grouped: Map<String, Value> =
        SIZES.into_iter().zip(sized).map(|((size, _), rates)| (size.to_string(), json!(median(rates)))).collect();
    let ratio = |size: &str| grouped[size].as_f64().expect("a number") / single;
    let printed = json!({
        "accounts": arguments.accounts,
        "row_bytes": row_bytes(&arguments.folder),
        "single_per_second": single,
        "ratio_at_64": ratio("64"),
        "ratio_at_1024": ratio("1024"),
        "grouped_per_second": grouped,
    });
    let _ = std::fs::remove_dir_all(&arguments.folder);
    println!("{printed}");
    ExitCode::SUCCESS
}

struct Bench {
    runtime: Runtime,
    store: FileStore,
    core: Core,
    accounts: u32,
    /// How many logged in so far, each on a connection of its own.
    logins: u32,
}

impl Bench {
    fn new(arguments: &Arguments) -> Bench {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let mut store = FileStore::new(&arguments.folder);
        let core = runtime.block_on(async {
            store.open().await.expect("the store is made");
            for batch in population::batches(arguments.accounts, |_| Presence::PushOnline) {
                store.commit(batch).await.expect("the accounts are written");
            }
            let records = store.open().await.expect("the store opens");
            let (core, changes) = Core::start(records);
            assert!(changes.is_empty(), "nobody was connected");
            core
        });
        Bench { runtime, store, core, accounts: arguments.accounts, logins: 0 }
    }

    /// The next devices: of accounts that are not neighbours.
    fn devices(&mut self, number: u32) -> Vec<Login> {
        let first = self.logins;
        self.logins += number;
        assert!(self.logins <= self.accounts, "each account logs in once");
        let account = |login: u32| (u64::from(login) * STRIDE % u64::from(self.accounts)) as u32;
        (first..self.logins).map(|login| Login::new(account(login), login)).collect()
    }

    fn commit(&mut self, changes: Vec<Commit>) {
        self.runtime.block_on(async { self.store.commit(changes).await }).expect("the batch is written");
    }

    /// The database alone, one change a commit.
    fn single(&mut self) -> f64 {
        let devices = self.devices(SINGLE);
        let changes = self.core.log_in(devices);
        assert_eq!(changes.len(), SINGLE as usize, "a login is one change");
        let start = now();
        for change in changes {
            self.commit(vec![change]);
        }
        f64::from(SINGLE) / (now() - start).as_secs_f64()
    }

    /// The core and the database: so many devices log in while a commit runs, and the next is theirs.
    fn grouped(&mut self, size: u32, times: u32) -> f64 {
        let batches: Vec<Vec<Login>> = (0..times).map(|_| self.devices(size)).collect();
        let start = now();
        for batch in batches {
            let changes = self.core.log_in(batch);
            self.commit(changes);
        }
        f64::from(size * times) / (now() - start).as_secs_f64()
    }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// How many bytes an account's row has on average: SQLite is given rows of the same size.
fn row_bytes(folder: &Path) -> usize {
    let users: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("users");
    let database = Database::open(folder.join("gatecrash.redb")).expect("the database opens");
    let reading = database.begin_read().expect("it can be read");
    let rows = reading.open_table(users).expect("the table is there");
    let (mut number, mut bytes) = (0, 0);
    for row in rows.iter().expect("it has rows") {
        bytes += row.expect("a row").1.value().len();
        number += 1;
    }
    bytes / number
}

#[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
fn now() -> Instant {
    Instant::now()
}
