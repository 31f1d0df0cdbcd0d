//! What a run of the benchmarks left in its folder.
//!
//! Criterion leaves `GROUP/FUNCTION/PARAMETER/new/estimates.json`, with the work of one iteration in
//! the `benchmark.json` beside it; the runs that are no business of criterion's leave one file of
//! JSON each. Judges nothing.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A folder of measurements.
pub struct Measurements {
    folder: PathBuf,
}

/// Why there is no measurement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// The file is not there, or is no JSON.
    #[error("not measured: {path}: {why}")]
    File {
        /// Which file.
        path: String,
        /// What reading it said.
        why: String,
    },
    /// The file does not say what it should.
    #[error("{path} has no {field}")]
    Field {
        /// Which file.
        path: String,
        /// What is not in it, or not as it should be.
        field: &'static str,
    },
    /// The two do not compare.
    #[error("ours did {ours} units of work in each iteration and the peer did {peer}: give them the same")]
    OtherWork {
        /// Units of ours.
        ours: u64,
        /// Units of the peer's.
        peer: u64,
    },
}

/// One benchmark of criterion's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The median over all iterations, in seconds.
    pub median: f64,
    /// How many units of work one iteration did: round trips, simulated seconds, or 1.
    pub units: u64,
}

impl Sample {
    /// Seconds for one unit of work.
    pub fn per_unit(self) -> f64 {
        self.median / self.units as f64
    }
}

/// One run of the crowd.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crowd {
    /// How many devices there were.
    pub devices: u64,
    /// From reading the scenario to the end of the run.
    pub seconds: f64,
    /// The most memory its process held.
    pub peak_bytes: f64,
}

/// How the logins that `store` or `sqlite` measured were committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commits {
    /// The database alone, one change each.
    Single,
    /// So many logins each: 1, 64 or 1,024.
    Of(u32),
}

/// One start of a server on a large database.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    /// How many accounts there were.
    pub accounts: u64,
    /// From opening the database to the first login decided.
    pub seconds: f64,
}

impl Measurements {
    /// Those in this folder.
    pub fn of(folder: PathBuf) -> Self {
        Measurements { folder }
    }

    /// A benchmark of criterion's, by its path of group, function and parameter.
    pub fn benchmark(&self, path: &str) -> Result<Sample, Missing> {
        let folder = self.folder.join(path).join("new");
        let estimates = File::read(&folder.join("estimates.json"))?;
        let nanoseconds = estimates.number("/median/point_estimate", "median")?;
        let benchmark = File::read(&folder.join("benchmark.json"))?;
        let units = match benchmark.json.pointer("/throughput") {
            None | Some(Value::Null) => 1,
            Some(_) => benchmark.whole("/throughput/Elements", "number of elements")?,
        };
        Ok(Sample { median: nanoseconds / 1e9, units })
    }

    /// What the crowd took, with or without a recorder.
    pub fn crowd(&self, recorded: bool) -> Result<Crowd, Missing> {
        let name = if recorded { "million.recorded.json" } else { "million.unrecorded.json" };
        let file = File::read(&self.folder.join(name))?;
        let seconds = file.number("/read_seconds", "read_seconds")? + file.number("/run_seconds", "run_seconds")?;
        let devices = file.whole("/devices", "devices")?;
        Ok(Crowd { devices, seconds, peak_bytes: file.number("/peak_bytes", "peak_bytes")? })
    }

    /// How many logins a second were committed, by us or by whoever left the other file.
    pub fn logins_per_second(&self, name: &str, commits: Commits) -> Result<f64, Missing> {
        let file = File::read(&self.folder.join(name))?;
        match commits {
            Commits::Single => file.number("/single_per_second", "single_per_second"),
            Commits::Of(size) => file.number(&format!("/grouped_per_second/{size}"), "rate of that size"),
        }
    }

    /// What a start of the server took, after it was killed or closed.
    pub fn start(&self, killed: bool) -> Result<Start, Missing> {
        let file = File::read(&self.folder.join("restart.json"))?;
        let pointer = if killed { "/after_a_kill/ready_seconds" } else { "/after_a_close/ready_seconds" };
        Ok(Start { accounts: file.whole("/accounts", "accounts")?, seconds: file.number(pointer, "ready_seconds")? })
    }

    /// How many seeds a sweep ran in a second, with or without checks: the median of its runs.
    pub fn seeds_per_second(&self, checked: bool) -> Result<f64, Missing> {
        let name = |run| format!("sweep.{}.{run}.json", if checked { "checked" } else { "unchecked" });
        let read = |run| File::read(&self.folder.join(name(run)))?.number("/seeds_per_second", "seeds_per_second");
        let mut found = vec![read(1)?];
        for run in 2.. {
            if !self.folder.join(name(run)).exists() {
                break;
            }
            found.push(read(run)?);
        }
        found.sort_by(f64::total_cmp);
        let (lower, upper) = (found[(found.len() - 1) / 2], found[found.len() / 2]);
        Ok((lower + upper) / 2.0)
    }
}

struct File {
    path: String,
    json: Value,
}

impl File {
    fn read(path: &Path) -> Result<File, Missing> {
        let missing = |why: String| Missing::File { path: path.display().to_string(), why };
        let text = fs::read_to_string(path).map_err(|error| missing(error.to_string()))?;
        let json = serde_json::from_str(&text).map_err(|error| missing(error.to_string()))?;
        Ok(File { path: path.display().to_string(), json })
    }

    fn number(&self, pointer: &str, field: &'static str) -> Result<f64, Missing> {
        let number = self.json.pointer(pointer).and_then(Value::as_f64).filter(|number| *number > 0.0);
        number.ok_or_else(|| self.lacks(field))
    }

    fn whole(&self, pointer: &str, field: &'static str) -> Result<u64, Missing> {
        let number = self.json.pointer(pointer).and_then(Value::as_u64).filter(|number| *number > 0);
        number.ok_or_else(|| self.lacks(field))
    }

    fn lacks(&self, field: &'static str) -> Missing {
        Missing::Field { path: self.path.clone(), field }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files, which is gone again when the test ends.
    fn with(test: &str, files: &[(&str, &str)], check: impl FnOnce(&Measurements)) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tests-of-the-table").join(test);
        for (path, text) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("it is in a folder")).expect("the folder can be made");
            fs::write(path, text).expect("the file can be written");
        }
        check(&Measurements::of(folder.clone()));
        fs::remove_dir_all(folder).expect("the folder can be removed");
    }

    #[test]
    fn a_benchmark_has_a_median_and_its_work() {
        let files = [
            ("trips/ours/5/new/estimates.json", r#"{"mean":{"point_estimate":9},"median":{"point_estimate":4e9}}"#),
            ("trips/ours/5/new/benchmark.json", r#"{"throughput":{"Elements":40000}}"#),
            ("year/ours/new/estimates.json", r#"{"median":{"point_estimate":5e8}}"#),
            ("year/ours/new/benchmark.json", r#"{"throughput":null}"#),
            ("torn/ours/new/estimates.json", r#"{"median":"#),
            ("empty/ours/new/estimates.json", r#"{"median":{}}"#),
        ];
        with("benchmark", &files, |measured| {
            let trips = measured.benchmark("trips/ours/5").unwrap();
            assert_eq!((trips.median, trips.units, trips.per_unit()), (4.0, 40_000, 1e-4));
            assert_eq!(measured.benchmark("year/ours").unwrap(), Sample { median: 0.5, units: 1 });
            assert!(matches!(measured.benchmark("none/ours"), Err(Missing::File { .. })));
            assert!(matches!(measured.benchmark("torn/ours"), Err(Missing::File { .. })));
            assert!(matches!(measured.benchmark("empty/ours"), Err(Missing::Field { field: "median", .. })));
        });
    }

    #[test]
    fn a_crowd_takes_reading_and_running() {
        let text = r#"{"devices":1000,"read_seconds":1.5,"run_seconds":2.5,"peak_bytes":4096}"#;
        with("crowd", &[("million.recorded.json", text)], |measured| {
            assert_eq!(measured.crowd(true).unwrap(), Crowd { devices: 1000, seconds: 4.0, peak_bytes: 4096.0 });
            assert!(measured.crowd(false).unwrap_err().to_string().contains("million.unrecorded.json"));
        });
    }

    #[test]
    fn the_store_has_rates_and_starts() {
        let store = r#"{"single_per_second":150.5,"grouped_per_second":{"64":2000.0}}"#;
        let restart = r#"{"accounts":1000,"after_a_kill":{"ready_seconds":2.5},"after_a_close":{"ready_seconds":1.5}}"#;
        with("store", &[("store.json", store), ("restart.json", restart)], |measured| {
            let rate = |commits| measured.logins_per_second("store.json", commits);
            assert_eq!((rate(Commits::Single), rate(Commits::Of(64))), (Ok(150.5), Ok(2_000.0)));
            assert!(matches!(rate(Commits::Of(1_024)), Err(Missing::Field { .. })));
            assert!(matches!(measured.logins_per_second("sqlite.json", Commits::Single), Err(Missing::File { .. })));
            assert_eq!(measured.start(true), Ok(Start { accounts: 1_000, seconds: 2.5 }));
            assert_eq!(measured.start(false).unwrap().seconds, 1.5);
        });
    }

    #[test]
    fn of_several_sweeps_the_median_counts() {
        let sweep = |seeds: u32| format!(r#"{{"seeds_per_second":{seeds}.0}}"#);
        let texts = [sweep(900), sweep(3_000), sweep(1_000), sweep(1_100)];
        let names = ["sweep.checked.1.json", "sweep.checked.2.json", "sweep.checked.3.json", "sweep.unchecked.1.json"];
        let files: Vec<(&str, &str)> = names.into_iter().zip(texts.iter().map(String::as_str)).collect();
        with("sweeps", &files, |measured| {
            assert_eq!(measured.seeds_per_second(true), Ok(1_000.0));
            assert_eq!(measured.seeds_per_second(false), Ok(1_100.0));
        });
    }
}
