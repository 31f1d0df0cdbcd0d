//! Processes: each in a group of its own, so that whatever it starts dies with it, and none of them outlives the drive.
//!
//! Groups are killed when they are dropped, which covers a run's end, an interrupt and a panic. A drive that is killed
//! itself cannot do that: its [`Warden`], a process that reads a pipe, kills the groups when the pipe is closed. Between a
//! start and the line in the pipe that tells of it there is a moment, and so the first process of each group is tied to
//! the drive by the system, too, where the system can do that.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command as Plain, ExitStatus, Stdio};
use std::rc::Rc;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Knows which groups of processes there are, and kills them when whoever started them is gone. A clone is the same one.
#[derive(Clone)]
pub struct Warden {
    child: Rc<RefCell<Option<std::process::Child>>>,
    /// What a command is put behind, so that it runs tied to this process.
    tied_by: Rc<[OsString]>,
}

impl Warden {
    /// Starts one: `command` has to run [`keep_watch`], and the words of `tied_by` before those of another command to run
    /// [`tied`] with the latter.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn start(mut command: Plain, tied_by: Vec<OsString>) -> io::Result<Warden> {
        // In a group of its own, so that an interrupt from the terminal does not end it first.
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0).spawn()?;
        Ok(Warden { child: Rc::new(RefCell::new(Some(child))), tied_by: tied_by.into() })
    }

    /// None: what is started is killed when it is dropped, and only then.
    pub fn none() -> Warden {
        Warden { child: Rc::default(), tied_by: Rc::new([]) }
    }

    fn tell(&self, sign: char, group: Pid) -> io::Result<()> {
        match self.child.borrow_mut().as_mut().and_then(|child| child.stdin.as_mut()) {
            Some(pipe) => writeln!(pipe, "{sign}{}", group.as_raw_nonzero()).and_then(|()| pipe.flush()),
            None => Ok(()),
        }
    }
}

impl Drop for Warden {
    fn drop(&mut self) {
        if Rc::strong_count(&self.child) == 1
            && let Some(mut child) = self.child.borrow_mut().take()
        {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// What a warden does: reads `+GROUP` and `-GROUP`, and when there is nothing more to read kills the groups that are left.
///
/// # Errors
///
/// When a line is none of these.
pub fn keep_watch(lines: impl BufRead) -> io::Result<()> {
    let mut groups = BTreeSet::new();
    let mut wrong = None;
    for line in lines.lines() {
        let Ok(line) = line else { break };
        match (line.strip_prefix('+').map(str::parse), line.strip_prefix('-').map(str::parse)) {
            (Some(Ok(group)), _) => drop(groups.insert(group)),
            (_, Some(Ok(group))) => drop(groups.remove(&group)),
            _ => {
                wrong = Some(io::Error::new(io::ErrorKind::InvalidInput, format!("`{line}` is no group of processes")));
                break;
            }
        }
    }
    for group in groups.into_iter().filter_map(Pid::from_raw) {
        // One that is gone by itself is no concern.
        let _ = kill_process_group(group, Signal::KILL);
    }
    wrong.map_or(Ok(()), Err)
}

/// Becomes the program that these words start, and dies with whoever has started this process.
///
/// Comes back only with why that cannot be.
pub fn tied(words: &[String]) -> io::Error {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getppid, set_parent_process_death_signal};
        let parent = getppid();
        if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
            return error.into();
        }
        // It may have died before it could be tied to.
        if getppid() != parent || parent.is_none_or(|parent| parent.is_init()) {
            return io::Error::other("whoever started it is gone");
        }
    }
    Plain::new(&words[0]).args(&words[1..]).exec()
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending(pub(super) ExitStatus);

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::os::unix::process::ExitStatusExt as _;
        match (self.0.code(), self.0.signal()) {
            (Some(code), _) => write!(f, "with code {code}"),
            (None, Some(signal)) => write!(f, "by signal {signal}"),
            (None, None) => write!(f, "{}", self.0),
        }
    }
}

/// A process and what it started, by the group they are in.
pub(super) struct Group {
    child: Child,
    id: Pid,
    warden: Warden,
}

/// Where the output of a process goes.
pub(super) enum Output {
    /// All of it to this file.
    Log(File),
    /// Lines are read and written, and the rest goes to this file.
    Spoken(File),
}

impl Group {
    /// Starts a command, in this directory.
    pub(super) fn start(words: &[String], dir: &Path, output: Output, warden: &Warden) -> io::Result<Group> {
        // A path is meant from where this program was started, and not from the directory of the run.
        let program = Path::new(&words[0]);
        let program = if program.components().count() > 1 { std::fs::canonicalize(program)? } else { program.into() };
        let mut words = words.to_vec();
        words[0] = program.display().to_string();
        let all: Vec<OsString> = warden.tied_by.iter().cloned().chain(words.into_iter().map(Into::into)).collect();
        let mut command = Command::new(&all[0]);
        command.args(&all[1..]).current_dir(dir).process_group(0).kill_on_drop(true);
        match output {
            Output::Log(log) => command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log),
            Output::Spoken(log) => command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log),
        };
        let child = command.spawn()?;
        let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let id = id.ok_or_else(|| io::Error::other("it ended before it had begun"))?;
        warden.tell('+', id)?;
        Ok(Group { child, id, warden: warden.clone() })
    }

    /// What it reads, and what it writes; once.
    pub(super) fn pipes(&mut self) -> Option<(ChildStdin, ChildStdout)> {
        Some((self.child.stdin.take()?, self.child.stdout.take()?))
    }

    /// Kills all of it, and waits until its first process is gone.
    pub(super) async fn kill(mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait().await;
    }

    /// The operating system freezes it.
    pub(super) fn suspend(&self) {
        self.signal(Signal::STOP);
    }

    /// The operating system lets it go on.
    pub(super) fn wake(&self) {
        self.signal(Signal::CONT);
    }

    /// Waits until its first process ends by itself.
    pub(super) async fn ended(&mut self) -> io::Result<Ending> {
        self.child.wait().await.map(Ending)
    }

    fn signal(&self, signal: Signal) {
        // One that is gone by itself hears nothing.
        let _ = kill_process_group(self.id, signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.warden.tell('-', self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warden_kills_what_is_left_and_no_other() {
        let sleeper = || Plain::new("sleep").arg("60").process_group(0).spawn().unwrap();
        let (mut left, mut gone) = (sleeper(), sleeper());
        let text = format!("+{}\n+{}\n-{}\n", left.id(), gone.id(), gone.id());
        keep_watch(text.as_bytes()).unwrap();
        use std::os::unix::process::ExitStatusExt as _;
        assert_eq!(left.wait().unwrap().signal(), Some(9));
        assert_eq!(gone.try_wait().unwrap(), None);
        gone.kill().unwrap();
        gone.wait().unwrap();
    }

    #[test]
    fn a_warden_that_reads_nonsense_kills_what_it_knows() {
        let mut left = Plain::new("sleep").arg("60").process_group(0).spawn().unwrap();
        assert!(keep_watch(format!("+{}\nhello\n", left.id()).as_bytes()).is_err());
        assert!(!left.wait().unwrap().success());
    }
}
