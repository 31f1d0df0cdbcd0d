//! What a line of a foreign history costs to be read and judged by every rule, beside what it costs to be read as JSON.
//!
//! The history is that of a service with a thousand users: each has two phones, of which each login displaces the other,
//! and sends messages. The peer parses the same lines with `serde_json` into values that borrow, and looks at nothing.

use std::fmt::{self, Write};

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use gatecrash_sim::judge::{Verdict, judge_text};
use serde_json::Value;

const USERS: u32 = 1_000;

/// How many lines about; of the longer history nothing more may be kept than of the shorter one.
const SIZES: [usize; 2] = [100_000, 1_000_000];

fn lines_of_a_history(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lines of a history");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    for size in SIZES {
        let history = history(size).expect("a string takes everything");
        let lines = history.lines().count();
        group.throughput(Throughput::Elements(u64::try_from(lines).expect("few lines")));
        group.bench_function(BenchmarkId::new("judge", size), |bencher| {
            bencher.iter(|| {
                let judgement = judge_text(&history);
                assert_eq!(judgement.verdict(), Verdict::Holds, "{:?}", judgement.breaches.first());
            });
        });
        group.bench_function(BenchmarkId::new("serde_json", size), |bencher| {
            bencher.iter(|| {
                let objects = history
                    .lines()
                    .filter(|line| serde_json::from_str::<Value>(line).expect("each line is JSON").is_object());
                assert_eq!(objects.count(), lines);
            });
        });
    }
    group.finish();
}

/// At least so many lines.
fn history(size: usize) -> Result<String, fmt::Error> {
    let mut recorded = Recorded::default();
    let text = &mut recorded.text;
    writeln!(
        text,
        r#"{{"history":1,"system":"acme-im","policy":"dual","observes":["calls","events","status","process"],"skew":"5ms"}}"#
    )?;
    let mut login = 0_u32;
    let mut at = 0;
    while recorded.lines < size || !login.is_multiple_of(USERS) {
        at = u64::from(login) * 20_000;
        let (user, round) = (login % USERS, login / USERS);
        let phone = |which: u32| format!("phone-{user}-{}", which % 2);
        let (new, old) = (phone(round), phone(round + 1));
        if round < 2 {
            recorded.says(at, &new, r#""what":"process","process":"up""#)?;
            let call = recorded.calls(at, &new, r#""request":"init","platform":"android""#)?;
            recorded.answers(at, &new, call)?;
        }
        let call = recorded.calls(
            at + 100,
            &new,
            &format!(r#""request":"login","user":"user-{user}","platform":"android","ticket":"{login}""#),
        )?;
        recorded.says(at + 100, &new, r#""what":"status","status":"LOGINING""#)?;
        recorded.says(at + 100, &new, &format!(r#""what":"told","event":"connecting","user":"user-{user}""#))?;
        let logined = format!(r#""what":"status","status":"LOGINED","login_user":"user-{user}""#);
        recorded.says(at + 2_000, &new, &logined)?;
        let told = format!(r#""what":"told","event":"connect_success","user":"user-{user}","epoch":{login}"#);
        recorded.says(at + 2_000, &new, &told)?;
        recorded.answers(at + 2_000, &new, call)?;
        if round > 0 {
            recorded.says(at + 2_500, &old, r#""what":"status","status":"LOGOUT""#)?;
            let kick = format!(
                r#""what":"told","event":"kicked_offline","user":"user-{user}","epoch":{},"by":"{new}","reason":"same_platform""#,
                login - USERS
            );
            recorded.says(at + 2_500, &old, &kick)?;
        }
        // To users of whom nobody is logged in: what they would be told is not the affair of this history.
        for message in 0..4 {
            let at = at + 3_000 + message * 3_000;
            let send = format!(r#""request":"send","to":"absent-{user}","text":"hello {message}""#);
            let call = recorded.calls(at, &new, &send)?;
            recorded.answers(at + 1_000, &new, call)?;
        }
        login += 1;
    }
    writeln!(recorded.text, r#"{{"at_us":{},"what":"end","settled":true}}"#, at + 60_000_000)?;
    Ok(recorded.text)
}

#[derive(Default)]
struct Recorded {
    text: String,
    lines: usize,
    call: u64,
}

impl Recorded {
    fn says(&mut self, at: u64, who: &str, rest: &str) -> fmt::Result {
        self.lines += 1;
        writeln!(self.text, r#"{{"at_us":{at},"actor":"{who}",{rest}}}"#)
    }

    fn calls(&mut self, at: u64, who: &str, rest: &str) -> Result<u64, fmt::Error> {
        self.call += 1;
        self.says(at, who, &format!(r#""what":"called","call":{},{rest}"#, self.call))?;
        Ok(self.call)
    }

    fn answers(&mut self, at: u64, who: &str, call: u64) -> fmt::Result {
        self.says(at, who, &format!(r#""what":"answered","call":{call},"outcome":"ok""#))
    }
}

criterion_group!(benches, lines_of_a_history);
criterion_main!(benches);
