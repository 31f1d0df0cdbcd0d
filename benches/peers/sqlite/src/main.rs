//! SQLite commits what a login changes: one row of a user, the day's count, and the number of the change.
//!
//! Rows, rounds and the order of users are those of `benches/store.rs`, and so is what is printed. There is no
//! core here: the new row is the old one with some bytes changed. With a write-ahead log, synced at each
//! commit, as SQLite promises no less than our own store only then.
//!
//! ```text
//! gatecrash-sqlite FOLDER BYTES_OF_A_ROW [ROUNDS]
//! ```

use std::path::{Path, PathBuf};
use std::time::Instant;

use rusqlite::{Connection, Result, params};

const ACCOUNTS: u64 = 100_000;
const ROUNDS: u32 = 5;

/// How many changes are in a transaction, and how many transactions in a round.
const SIZES: [(u32, u32); 3] = [(1, 200), (64, 20), (1_024, 6)];

/// As in our own: its multiples meet each account once.
const STRIDE: u64 = 7_368_787;

const DAY: i64 = 19_675;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("a folder"));
    let row_bytes: usize = arguments.next().and_then(|bytes| bytes.parse().ok()).expect("the bytes of a row");
    let rounds = arguments.next().map_or(ROUNDS, |rounds| rounds.parse().expect("a number of rounds"));
    let _ = std::fs::remove_dir_all(&folder);
    let mut bench = Bench::new(&folder, row_bytes).expect("the database is made");
    let mut rates = SIZES.map(|_| Vec::new());
    for _ in 0..rounds {
        for ((size, times), rates) in SIZES.into_iter().zip(&mut rates) {
            let start = Instant::now();
            for _ in 0..times {
                bench.commit(size).expect("the batch is written");
            }
            rates.push(f64::from(size * times) / start.elapsed().as_secs_f64());
        }
    }
    drop(bench);
    let _ = std::fs::remove_dir_all(&folder);
    let [single, at_64, at_1024] = rates.map(median);
    println!(
        r#"{{"accounts":{ACCOUNTS},"row_bytes":{row_bytes},"single_per_second":{single},"grouped_per_second":{{"1":{single},"64":{at_64},"1024":{at_1024}}}}}"#
    );
}

struct Bench {
    database: Connection,
    changes: u64,
}

impl Bench {
    fn new(folder: &Path, row_bytes: usize) -> Result<Bench> {
        std::fs::create_dir_all(folder).expect("the folder can be made");
        let mut database = Connection::open(folder.join("peer.sqlite"))?;
        database.pragma_update(None, "journal_mode", "wal")?;
        database.pragma_update(None, "synchronous", "full")?;
        // As much as our own database takes by itself: 1 GiB, here in KiB.
        database.pragma_update(None, "cache_size", -1_048_576)?;
        database.execute_batch(
            "create table users (name text primary key, row blob not null) without rowid;
             create table days (day integer primary key, count integer not null);
             create table numbers (name text primary key, value integer not null) without rowid;
             insert into numbers values ('change', 0), ('message', 0);",
        )?;
        let transaction = database.transaction()?;
        {
            let mut insert = transaction.prepare("insert into users values (?, ?)")?;
            for number in 0..ACCOUNTS {
                let row: Vec<u8> = (0..row_bytes).map(|index| (number as usize * 31 + index) as u8).collect();
                insert.execute(params![format!("user-{number}"), row])?;
            }
        }
        transaction.commit()?;
        Ok(Bench { database, changes: 0 })
    }

    /// So many changes in one transaction.
    fn commit(&mut self, size: u32) -> Result<()> {
        let transaction = self.database.transaction()?;
        {
            let mut read = transaction.prepare_cached("select row from users where name = ?")?;
            let mut write = transaction.prepare_cached("update users set row = ? where name = ?")?;
            for _ in 0..size {
                let name = format!("user-{}", self.changes * STRIDE % ACCOUNTS);
                self.changes += 1;
                let mut row: Vec<u8> = read.query_row([&name], |row| row.get(0))?;
                row.iter_mut().take(16).for_each(|byte| *byte = byte.wrapping_add(1));
                assert_eq!(write.execute(params![row, name])?, 1, "the account is there");
            }
            let mut count = transaction.prepare_cached(
                "insert into days values (?1, ?2) on conflict (day) do update set count = count + ?2",
            )?;
            count.execute(params![DAY, size])?;
            let mut number = transaction.prepare_cached("update numbers set value = ?2 where name = ?1")?;
            number.execute(params!["change", self.changes as i64])?;
            number.execute(params!["message", 0])?;
        }
        transaction.commit()
    }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
