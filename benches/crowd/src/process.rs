//! What the system tells of the server's process.

use std::time::Duration;

/// The memory of a process that is in RAM, and the processor time it has used so far.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// Bytes.
    pub memory: u64,
    /// Of all its threads, its own and the system's on its behalf.
    pub time: Duration,
}

/// Clock ticks a second: what Linux has on every machine that programs see it from.
const TICKS: u64 = 100;

/// What this process needs now.
pub fn needs(pid: u32) -> Result<Needs, String> {
    let read = |name: &str| {
        let path = format!("/proc/{pid}/{name}");
        std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))
    };
    let status = read("status")?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    let stat = read("stat")?;
    // Behind the name, which may have any character in it, come the state and then numbers.
    let mut fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ');
    let (user, system) = (fields.nth(11), fields.next());
    let number = |text: Option<&str>| text.and_then(|text| text.trim().parse::<u64>().ok());
    match (number(kilobytes), number(user), number(system)) {
        (Some(kilobytes), Some(user), Some(system)) => {
            Ok(Needs { memory: kilobytes * 1024, time: Duration::from_millis((user + system) * 1_000 / TICKS) })
        }
        _ => Err(format!("/proc/{pid} says something else than it does on Linux")),
    }
}
