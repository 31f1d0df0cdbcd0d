//! `gatecrash drive`: scenarios on servers and SDKs that somebody else wrote.

mod book;
mod keep;
mod print;
mod selftest;

use std::fs;
use std::io::{self, IsTerminal as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Args;
use gatecrash_sim::drive::{Campaign, Place, PlayError, Played, Progress, Subject, Warden, keep_watch, tied};
use gatecrash_sim::generate::driven;
use gatecrash_sim::judge::Verdict;
use gatecrash_sim::scenario::Scenario;
use gatecrash_sim::search::report::{as_word, command_line, escaped};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::book::Book;
use super::files::{BadInput, load};
use super::report::Wanted;
use super::{End, complain, interrupt, judge, now, say, shrink, sweep};

/// Play scenarios on real processes: a server and an SDK that somebody else wrote
///
/// SUBJECT is a file that says how the server starts, what speaks to it, what it promises and how long things take
/// (docs/drive.md). Every scenario gets a server of its own, on loopback; an adapter for each device, a program of a hundred
/// lines in any language; and a proxy for each device that breaks its network. What applications called and were told is
/// judged by the rules that the subject claims, and by no other.
///
/// Real time repeats nothing by itself: what is found is run five times more, and made smaller only where it shows in two of
/// three runs. Nothing judged is never green.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash drive subjects/mosquitto/subject.toml          the first 20 seeds
  gatecrash drive SUBJECT --seeds 0..300                   a campaign
  gatecrash drive SUBJECT my.toml scenarios/policy         files, and folders of them
  gatecrash drive SUBJECT --seeds 17..18 --keep-files      one seed, with the logs of everybody
  gatecrash drive SUBJECT --report DIR --json              for CI, and for programs
  gatecrash drive --selftest python3 adapter.py            does an adapter keep the protocol?

Exit codes: 0 holds, 1 violated, 2 nothing judged or undecided, 3 bad input, 4 a run came to nothing;
130 or 143 told to end by SIGINT or SIGTERM, after saying what is known so far.")]
pub struct Arguments {
    /// The file that says all of the system
    #[arg(required_unless_present_any = ["selftest", "warden", "tied"])]
    subject: Option<PathBuf>,
    /// Scenarios, or folders of them
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<PathBuf>,
    /// Scenarios drawn from these seeds [default: 0..20 where no file is named]
    #[arg(long, value_name = "A..B", value_parser = sweep::seeds)]
    seeds: Option<Range<u64>>,
    /// How many scenarios are under way together: they mostly wait
    #[arg(long, value_name = "N", default_value = "16", value_parser = clap::value_parser!(u32).range(1..=256))]
    jobs: u32,
    /// Files whose script lasts longer are left out, and counted
    #[arg(long, value_name = "TIME", value_parser = shrink::time, default_value = "10s")]
    longest: Duration,
    /// How long smaller scenarios are tried for each finding, three times each; 0s shrinks nothing
    #[arg(long, value_name = "TIME", value_parser = shrink::time, default_value = "2m")]
    shrink: Duration,
    /// Only these rules of those that are claimed, or those whose ids begin so
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    rules: Vec<String>,
    /// Keep what is found here, a folder for each finding
    #[arg(long, value_name = "DIR", default_value = "target/gatecrash/drive")]
    out: PathBuf,
    /// Hold each run against what the packet world makes of its scenario: for gatecrash's own server and SDK
    #[arg(long)]
    compare: bool,
    /// Keep the directories and logs of all runs, and say where
    #[arg(long)]
    keep_files: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    report: Wanted,
    /// Look whether an adapter keeps the protocol: the command that starts it
    #[arg(long, value_name = "COMMAND", num_args = 1.., allow_hyphen_values = true, conflicts_with_all = ["subject", "warden"])]
    selftest: Vec<String>,
    /// Kill the processes that standard input names when it ends
    #[arg(long, hide = true, conflicts_with = "subject")]
    warden: bool,
    /// Become this command, and die with whoever has started it
    #[arg(long, hide = true, value_name = "COMMAND", num_args = 1.., allow_hyphen_values = true, conflicts_with_all = ["subject", "warden"])]
    tied: Vec<String>,
}

/// Does it.
pub fn run(arguments: &Arguments) -> End {
    if arguments.warden {
        return match keep_watch(io::stdin().lock()) {
            Ok(()) => End::Passed,
            Err(_) => End::BadInput,
        };
    }
    if !arguments.tied.is_empty() {
        complain(format_args!("cannot start `{}`: {}", arguments.tied[0], tied(&arguments.tied)));
        return End::BadInput;
    }
    let root = match Root::make() {
        Ok(root) => root,
        Err(error) => {
            complain(format_args!("error: {error}"));
            return End::HarnessFailed;
        }
    };
    if !arguments.selftest.is_empty() {
        return selftest::run(&arguments.selftest, &root.place, arguments.json);
    }
    match asked(arguments) {
        Ok(asked) => driven_by(arguments, asked, root),
        Err(bad_input) => Book::refuse(&arguments.report, &bad_input, arguments.json),
    }
}

/// What a command line asks for.
struct Asked {
    subject: Subject,
    files: Vec<(String, Scenario)>,
    seeds: Range<u64>,
}

fn asked(arguments: &Arguments) -> Result<Asked, BadInput> {
    let path = arguments.subject.as_deref().unwrap_or(Path::new("subject.toml"));
    // A folder is meant by the file in it.
    let path = if path.is_dir() { path.join("subject.toml") } else { path.to_path_buf() };
    let text = fs::read_to_string(&path);
    let text = text.map_err(|error| BadInput::Refused(format!("cannot read {}: {error}", path.display())))?;
    let subject = Subject::read(&text, &path);
    let subject = subject.map_err(|mistakes| refused(mistakes.iter().map(ToString::to_string).collect()))?;
    let subject = narrowed(subject, &arguments.rules)?;
    let files = if arguments.scenarios.is_empty() { Vec::new() } else { load(&arguments.scenarios)? };
    let files: Vec<_> = files.into_iter().map(|file| (file.path, file.scenario)).collect();
    let default = if files.is_empty() { 0..20 } else { 0..0 };
    let seeds = match &arguments.seeds {
        Some(seeds) if seeds.is_empty() => return Err(BadInput::Refused(sweep::without_seeds(seeds))),
        Some(seeds) => seeds.clone(),
        None => default,
    };
    Ok(Asked { subject, files, seeds })
}

/// The subject with these of its claims alone, where some are named.
fn narrowed(mut subject: Subject, rules: &[String]) -> Result<Subject, BadInput> {
    let wanted = judge::rules(rules)?;
    if !rules.is_empty() {
        subject.claims.rules.retain(|rule| wanted.contains(rule));
        if subject.claims.rules.is_empty() {
            return Err(BadInput::Refused(format!("--rules {}: none of them is claimed", rules.join(","))));
        }
    }
    Ok(subject)
}

/// Why there is nothing to do, in lines.
fn refused(lines: Vec<String>) -> BadInput {
    BadInput::Files { unreadable: lines, diagnoses: Vec::new(), found: 0 }
}

/// The directory of all runs, and who looks after their processes. Dropped, it is gone.
struct Root {
    place: Place,
    is_kept: bool,
}

impl Root {
    fn make() -> io::Result<Root> {
        let root = std::env::temp_dir().join(format!("gatecrash-drive-{}", std::process::id()));
        fs::create_dir_all(&root)?;
        let program = std::env::current_exe()?;
        let bin = program.parent().map(Path::to_path_buf).unwrap_or_default();
        let tied_by = vec![program.clone().into(), "drive".into(), "--tied".into()];
        let mut command = Command::new(program);
        command.args(["drive", "--warden"]);
        Ok(Root { place: Place { root, bin, warden: Warden::start(command, tied_by)? }, is_kept: false })
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = fs::remove_dir_all(&self.place.root);
        }
    }
}

fn driven_by(arguments: &Arguments, asked: Asked, mut root: Root) -> End {
    let Asked { subject, files, seeds } = asked;
    let json = arguments.json;
    let name = arguments.subject.as_deref().unwrap_or(Path::new("")).display().to_string();
    let book = match Book::begin(&arguments.report, &name, json) {
        Ok(book) => book,
        Err(bad_input) => return bad_input.report(json),
    };
    let start = now();
    root.is_kept = arguments.keep_files;
    let jobs = usize::try_from(arguments.jobs).unwrap_or(1);
    let campaign = match Campaign::new(subject, root.place.clone(), jobs) {
        Ok(campaign) => campaign,
        Err(error @ PlayError::Adapter { .. }) => {
            let said = format!("{error}\n`gatecrash drive --selftest` looks at an adapter by itself");
            return book.refused(&refused(said.lines().map(str::to_owned).collect()), json);
        }
        Err(error) => return book.refused(&refused(error.to_string().lines().map(str::to_owned).collect()), json),
    };
    let campaign = if arguments.compare { campaign.beside_the_packet_world() } else { campaign };
    let mut watch = Watch::new(files.len() as u64 + seeds.end.saturating_sub(seeds.start));
    let (knows, seats) = (campaign.can.vocabulary(), campaign.subject().claims.seats());
    let drawn = seeds.clone().map(|seed| (format!("seed {seed}"), driven(seed, knows, seats)));
    let (mut table, mut findings) = campaign.play(files.into_iter().chain(drawn), arguments.longest, &mut watch);
    for (number, finding) in findings.iter_mut().enumerate() {
        watch.says(&format!("finding {}: once more", number + 1));
        campaign.examine(finding, arguments.shrink, &mut watch);
    }
    watch.bar.finish_and_clear();
    let kept = match keep::keep(&arguments.out, campaign.subject(), &campaign.version, &findings) {
        Ok(kept) => kept,
        Err(error) => {
            table.failed.insert("kept".to_owned(), (1, format!("{}: {error}", arguments.out.display())));
            Vec::new()
        }
    };
    let wall = now() - start;
    let end = interrupt::told().unwrap_or(if table.verdict() == Verdict::Violated {
        End::Violated
    } else if !table.failed.is_empty() {
        End::HarnessFailed
    } else if table.verdict() == Verdict::Holds {
        End::Passed
    } else {
        End::NotConverged
    });
    let told = print::Told { campaign: &campaign, table: &table, findings: &findings, kept: &kept, wall };
    match json {
        true => say(told.json()),
        false => say(told.text(super::colours(&io::stdout()))),
    }
    if arguments.keep_files {
        complain(format_args!("the files of all runs are in {}", root.place.root.display()));
    }
    book.end(&told, &command(arguments), end)
}

/// The command that does it again.
fn command(arguments: &Arguments) -> String {
    let subject = arguments.subject.as_deref().unwrap_or(Path::new("")).display().to_string();
    command_line(&format!("drive {}", as_word(&subject)))
}

/// Progress on a terminal, and whether to go on.
struct Watch {
    bar: ProgressBar,
    violated: u64,
    failed: u64,
}

impl Watch {
    fn new(runs: u64) -> Watch {
        let target =
            if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(runs), target);
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len} scenarios, {elapsed}, {msg}");
        bar.set_style(style.expect("a template that is well formed"));
        Watch { bar, violated: 0, failed: 0 }
    }
}

impl Progress for Watch {
    fn played(&mut self, name: &str, played: &Result<Played, PlayError>) {
        self.bar.inc(1);
        match played {
            Ok(played) if played.judgement.verdict() == Verdict::Violated || played.died.is_some() => {
                self.violated += 1
            }
            Ok(_) => {}
            Err(error) => {
                self.failed += 1;
                let error = error.to_string();
                self.bar.println(format!("{}: {}", escaped(name), escaped(&error)));
            }
        }
        self.bar.set_message(format!("{} violated, {} came to nothing", self.violated, self.failed));
    }

    fn says(&mut self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    fn goes_on(&mut self) -> bool {
        interrupt::told().is_none()
    }
}
