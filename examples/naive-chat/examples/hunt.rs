//! Hunts for bugs in the chat: `cargo run --release -p naive-chat --example hunt -- 0 200`.
//!
//! Prints what is found, each kind once and made small, and leaves the scenarios in `target/naive-chat`.

#[path = "../tests/bugs/chat.rs"]
mod chat;

use chat::NaiveChat;
use gatecrash_sim::subject::Seeds;

fn main() -> std::io::Result<()> {
    let mut numbers =
        std::env::args().skip(1).map(|number| number.parse().expect("two numbers: from which seed, to which"));
    let (first, last) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(100));
    let report = Seeds::new(first..last).keep_in("target/naive-chat").run(&NaiveChat)?;
    println!("{report}");
    Ok(())
}
