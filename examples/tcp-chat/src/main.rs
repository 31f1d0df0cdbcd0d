//! Prints the history of an evening: `cargo run -p tcp-chat > history.jsonl`, and with `resume-logs-in` that of a worse one.

use std::io::{self, Write};

use tcp_chat::evening::evening;
use tcp_chat::server::LateResume;

fn main() -> io::Result<()> {
    let mut words = std::env::args().skip(1);
    let late_resume = match (words.next().as_deref(), words.next()) {
        (None, _) => LateResume::Told,
        (Some("resume-logs-in"), None) => LateResume::LogsIn,
        _ => return Err(io::Error::other("there is nothing to say but `resume-logs-in`")),
    };
    io::stdout().write_all(evening(late_resume)?.as_bytes())
}
