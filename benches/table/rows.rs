//! The rows of the table: which measurements each compares, and what they must reach.
//!
//! Whoever adds a benchmark adds its row to [`all`]. Reads no file and prints nothing.

use crate::measured::{Commits, Measurements, Missing, Sample};
use crate::quantity::{Bound, Quantity, grouped};

/// One row.
pub struct Row {
    /// What was done.
    pub work: String,
    /// What it took.
    pub measured: Result<Figures, Missing>,
    /// What that has to be.
    pub demand: Option<Demand>,
}

/// The figures of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// What it took us.
    pub ours: Quantity,
    /// What it took whom we are compared with.
    pub peer: Option<(&'static str, Quantity)>,
    /// How the two compare.
    pub ratio: Option<Quantity>,
}

/// What is demanded of a row's ratio, or of our own figure where there is no ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    /// What it must reach.
    pub must: Option<Bound>,
    /// What it should reach.
    pub goal: Option<Bound>,
}

/// What a row reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// Not what it must; or, where there is only a goal, not that.
    No,
    /// What it must, but not its goal.
    Must,
    /// What it must and its goal, as far as it has them.
    All,
}

impl Row {
    /// What it reached; nothing where nothing is demanded or measured.
    pub fn reached(&self) -> Option<Reached> {
        let (figures, demand) = (self.measured.as_ref().ok()?, self.demand?);
        let judged = figures.ratio.unwrap_or(figures.ours);
        let holds = |bound: Option<Bound>| bound.map(|bound| bound.holds(judged));
        Some(match (holds(demand.must), holds(demand.goal)) {
            (Some(false), _) | (None, Some(false)) => Reached::No,
            (Some(true), Some(false)) => Reached::Must,
            (Some(true) | None, Some(true) | None) => Reached::All,
        })
    }
}

/// The size of the crowd that the demands are about. A smaller one is shown and not judged.
const CROWD: u64 = 1_000_000;

/// The number of accounts that the demands are about.
const ACCOUNTS: u64 = 1_000_000;

/// All rows, in the order of the table.
pub fn all(measured: &Measurements) -> Vec<Row> {
    let trips =
        |function: &str, devices: u32| measured.benchmark(&format!("heartbeat round trips/{function}/{devices}"));
    let seconds = |function: &str| measured.benchmark(&format!("simulated seconds of 50 devices/{function}"));
    let packet = "80 devices on 4 sites beat for 300 s";
    let mut rows = Vec::new();
    let mut row = |work: String, measured, demand| rows.push(Row { work, measured, demand });

    let madsim = demand(Bound::AtMost(Quantity::Ratio(1.0 / 3.0)), Some(Bound::AtMost(Quantity::Ratio(0.2))));
    for (function, note, demand) in [("event world", "", Some(madsim)), ("event world, recorded", ", recorded", None)] {
        for (devices, number) in [(5, "5"), (100, "100"), (1_000, "1,000")] {
            let compared = slower(trips(function, devices), "madsim", trips("madsim", devices));
            row(format!("heartbeat round trip, {number} devices{note}"), compared, demand);
        }
    }

    let growth = demand(Bound::AtMost(Quantity::Ratio(8.0)), Some(Bound::AtMost(Quantity::Ratio(4.0))));
    for (function, note, demand) in [("event world", "", Some(growth)), ("event world, recorded", ", recorded", None)] {
        let compared = growing(trips(function, 100_000), "at 100", trips(function, 100));
        row(format!("heartbeat round trip, 100,000 devices{note}"), compared, demand);
    }

    let heap = demand(Bound::AtMost(Quantity::Ratio(5.0)), None);
    let compared = slower(trips("event world", 100), "bare heap", trips("bare heap", 100));
    row("heartbeat round trip, 100 devices, beside its queue".into(), compared, Some(heap));

    let turmoil = demand(Bound::AtLeast(Quantity::Faster(5_000.0)), None);
    for (tick, demand) in [("1", Some(turmoil)), ("10", None)] {
        let peer = seconds(&format!("turmoil, tick in ms/{tick}"));
        let compared = faster(seconds("event world"), "turmoil", peer);
        row(format!("second of 50 devices that beat in it, tick {tick} ms"), compared, demand);
    }

    let checked = alone(measured.benchmark("six devices for 180 days/event world, checked"));
    let second = demand(Bound::Under(Quantity::Seconds(1.0)), None);
    row("6 devices online for 180 days, checked".into(), checked, Some(second));

    for (recorded, note) in [(false, ""), (true, ", recorded")] {
        let crowd = measured.crowd(recorded);
        let devices = crowd.as_ref().map_or(CROWD, |crowd| crowd.devices);
        let is_judged = |bound| (devices == CROWD).then(|| demand(bound, None));
        let work = format!("{} devices for an hour{note}", grouped(&devices.to_string()));
        let time = crowd.clone().map(|crowd| Figures::ours(Quantity::Seconds(crowd.seconds)));
        row(work.clone(), time, is_judged(Bound::Under(Quantity::Seconds(180.0))));
        let peak = crowd.map(|crowd| Figures::ours(Quantity::Bytes(crowd.peak_bytes)));
        row(format!("{work}: memory"), peak, is_judged(Bound::AtMost(Quantity::Bytes(4.0 * f64::from(1 << 30)))));
    }

    let (checked, unchecked) = (measured.seeds_per_second(true), measured.seeds_per_second(false));
    let rate = demand(Bound::AtLeast(Quantity::Seeds(1_000.0)), Some(Bound::AtLeast(Quantity::Seeds(3_000.0))));
    row("sweep, one core".into(), checked.clone().map(|seeds| Figures::ours(Quantity::Seeds(seeds))), Some(rate));
    let share = demand(Bound::AtMost(Quantity::Share(0.3)), None);
    row("sweep, one core: part of the checks".into(), checks_share(checked, unchecked), Some(share));

    let judged = |function: &str, size: u32| measured.benchmark(&format!("lines of a history/{function}/{size}"));
    let lines = demand(Bound::AtLeast(Quantity::Lines(300_000.0)), Some(Bound::AtLeast(Quantity::Lines(1_000_000.0))));
    for (size, number) in [(100_000, "100,000"), (1_000_000, "1,000,000")] {
        let rate = judged("judge", size).map(|sample| Figures::ours(Quantity::Lines(1.0 / sample.per_unit())));
        row(format!("judge, a history of {number} lines"), rate, Some(lines));
        let compared = slower(judged("judge", size), "serde_json", judged("serde_json", size));
        row(format!("judge, a history of {number} lines, beside reading it"), compared, None);
    }

    let ours = measured.benchmark(&format!("{packet}/packet world"));
    let bare = measured.benchmark(&format!("{packet}/bare turmoil"));
    let goal = Demand { must: None, goal: Some(Bound::AtMost(Quantity::Ratio(1.2))) };
    row(format!("packet world, {packet}"), slower(ours, "turmoil", bare), Some(goal));
    let thousand = measured.benchmark("1,000 devices on 8 sites for 600 s/packet world");
    let fast = demand(Bound::AtLeast(Quantity::Faster(50.0)), None);
    let compared = faster(thousand, "real time", Ok(Sample { median: 600.0, units: 1 }));
    row("packet world, 1,000 devices on 8 sites for 600 s".into(), compared, Some(fast));

    let logins = |name, commits| measured.logins_per_second(name, commits);
    let at_64 = demand(Bound::AtLeast(Quantity::Faster(6.0)), Some(Bound::AtLeast(Quantity::Faster(10.0))));
    let at_1024 = demand(Bound::AtLeast(Quantity::Faster(12.0)), None);
    for (size, number, demand) in [(1, "1", None), (64, "64", Some(at_64)), (1_024, "1,024", Some(at_1024))] {
        let ours = || logins("store.json", Commits::Of(size));
        let work = format!("committed logins, {number} at a time");
        row(work.clone(), rates(ours(), "redb, single", logins("store.json", Commits::Single)), demand);
        row(format!("{work}, beside SQLite"), rates(ours(), "SQLite", logins("sqlite.json", Commits::Of(size))), None);
    }

    for (killed, note) in [(true, "a kill"), (false, "a close")] {
        let start = measured.start(killed);
        let accounts = start.as_ref().map_or(ACCOUNTS, |start| start.accounts);
        let work = format!("start with {} accounts after {note}", grouped(&accounts.to_string()));
        let bound = (accounts == ACCOUNTS).then(|| demand(Bound::Under(Quantity::Seconds(3.0)), None));
        row(work, start.map(|start| Figures::ours(Quantity::Seconds(start.seconds))), bound);
    }
    rows
}

fn demand(must: Bound, goal: Option<Bound>) -> Demand {
    Demand { must: Some(must), goal }
}

impl Figures {
    fn ours(ours: Quantity) -> Figures {
        Figures { ours, peer: None, ratio: None }
    }
}

/// Our time for one iteration.
fn alone(ours: Result<Sample, Missing>) -> Result<Figures, Missing> {
    Ok(Figures::ours(Quantity::Seconds(ours?.median)))
}

/// Our time for one unit of work as a multiple of the peer's, who did the same work.
fn slower(
    ours: Result<Sample, Missing>,
    name: &'static str,
    peer: Result<Sample, Missing>,
) -> Result<Figures, Missing> {
    let (ours, peer) = (ours?, peer?);
    if ours.units != peer.units {
        return Err(Missing::OtherWork { ours: ours.units, peer: peer.units });
    }
    growing(Ok(ours), name, Ok(peer))
}

/// Our time for one unit of work as a multiple of the peer's, however much both did.
fn growing(
    ours: Result<Sample, Missing>,
    name: &'static str,
    peer: Result<Sample, Missing>,
) -> Result<Figures, Missing> {
    let (ours, peer) = (ours?.per_unit(), peer?.per_unit());
    Ok(Figures {
        ours: Quantity::Seconds(ours),
        peer: Some((name, Quantity::Seconds(peer))),
        ratio: Some(Quantity::Ratio(ours / peer)),
    })
}

/// How many times faster we do one unit of work, however much both did.
fn faster(
    ours: Result<Sample, Missing>,
    name: &'static str,
    peer: Result<Sample, Missing>,
) -> Result<Figures, Missing> {
    let figures = growing(ours, name, peer)?;
    let ratio = figures.ratio.map(|ratio| Quantity::Faster(1.0 / ratio.value()));
    Ok(Figures { ratio, ..figures })
}

/// Our logins in a second as a multiple of another's.
fn rates(ours: Result<f64, Missing>, name: &'static str, peer: Result<f64, Missing>) -> Result<Figures, Missing> {
    let (ours, peer) = (ours?, peer?);
    Ok(Figures {
        ours: Quantity::Logins(ours),
        peer: Some((name, Quantity::Logins(peer))),
        ratio: Some(Quantity::Faster(ours / peer)),
    })
}

/// Which part of a sweep's time goes to its checks, from how many seeds it runs with and without.
fn checks_share(checked: Result<f64, Missing>, unchecked: Result<f64, Missing>) -> Result<Figures, Missing> {
    let (checked, unchecked) = (checked?, unchecked?);
    Ok(Figures {
        ours: Quantity::Seeds(checked),
        peer: Some(("unchecked", Quantity::Seeds(unchecked))),
        ratio: Some(Quantity::Share(1.0 - checked / unchecked)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(median: f64, units: u64) -> Result<Sample, Missing> {
        Ok(Sample { median, units })
    }

    #[test]
    fn ratios_are_of_times_per_unit() {
        let figures = slower(sample(2.0, 4), "peer", sample(4.0, 4)).unwrap();
        assert_eq!(figures.ours, Quantity::Seconds(0.5));
        assert_eq!(figures.peer, Some(("peer", Quantity::Seconds(1.0))));
        assert_eq!(figures.ratio, Some(Quantity::Ratio(0.5)));
        let figures = faster(sample(1.0, 1_000), "peer", sample(8.0, 4)).unwrap();
        assert_eq!(figures.ratio, Some(Quantity::Faster(2_000.0)));
        let figures = rates(Ok(1_500.0), "peer", Ok(150.0)).unwrap();
        assert_eq!(figures.ratio, Some(Quantity::Faster(10.0)));
        let figures = checks_share(Ok(1_500.0), Ok(2_000.0)).unwrap();
        assert_eq!(figures.ratio, Some(Quantity::Share(0.25)));
    }

    #[test]
    fn other_work_is_not_compared() {
        let error = slower(sample(1.0, 4), "peer", sample(1.0, 5)).unwrap_err();
        assert_eq!(error, Missing::OtherWork { ours: 4, peer: 5 });
        assert!(growing(sample(1.0, 4), "peer", sample(1.0, 5)).is_ok());
    }

    #[test]
    fn a_row_is_judged_by_its_ratio_and_else_by_our_figure() {
        let third = demand(Bound::AtMost(Quantity::Ratio(0.5)), Some(Bound::AtMost(Quantity::Ratio(0.25))));
        let ratio = |ours| slower(sample(ours, 1), "peer", sample(1.0, 1));
        let reached = |measured, demand| Row { work: String::new(), measured, demand }.reached();
        assert_eq!(reached(ratio(0.2), Some(third)), Some(Reached::All));
        assert_eq!(reached(ratio(0.4), Some(third)), Some(Reached::Must));
        assert_eq!(reached(ratio(0.6), Some(third)), Some(Reached::No));
        assert_eq!(reached(ratio(0.6), None), None);
        let second = demand(Bound::Under(Quantity::Seconds(1.0)), None);
        let only_goal = Demand { must: None, ..third };
        assert_eq!(reached(ratio(0.4), Some(only_goal)), Some(Reached::No));
        assert_eq!(reached(ratio(0.2), Some(only_goal)), Some(Reached::All));
        assert_eq!(reached(alone(sample(0.9, 1)), Some(second)), Some(Reached::All));
        let missing = Missing::OtherWork { ours: 1, peer: 2 };
        assert_eq!(reached(Err(missing), Some(second)), None);
    }

    #[test]
    fn without_measurements_every_row_is_there_and_says_so() {
        let rows = all(&Measurements::of("there/is/no/such/folder".into()));
        assert!(rows.len() > 15);
        assert!(rows.iter().all(|row| row.reached().is_none() && row.measured.is_err()));
        assert!(rows.iter().filter(|row| row.demand.is_some()).count() >= 10);
    }
}
