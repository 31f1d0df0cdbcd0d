//! Rule by rule: in how many runs there was something to judge, and how often it held or was violated.

use std::collections::BTreeMap;

use super::play::Played;
use crate::judge::{Answer, Verdict};
use crate::scenario::rules::RuleId;

/// What many runs came to.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Of each rule that is claimed.
    pub rows: BTreeMap<RuleId, Row>,
    /// Runs that were judged, and how each came out.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// How often steps were left out, by why.
    pub left_out: BTreeMap<&'static str, u64>,
    /// Whole scenarios that were, by why.
    pub passed_over: BTreeMap<&'static str, u64>,
    /// Runs that came to nothing: how many, and the first of each kind.
    pub failed: BTreeMap<String, (u64, String)>,
    /// Runs that are not judged, as the machine was too busy for anybody to know when something was said.
    pub busy: u64,
    /// Runs in which the server's process ended by itself.
    pub died: u64,
    /// Scenarios that came to what the packet world makes of them.
    pub agrees: Vec<String>,
    /// Those that came to something else: the first things that differ, by the scenario's name.
    pub differs: BTreeMap<String, Vec<String>>,
    /// Lines of history.
    pub events: u64,
}

/// What many runs say of a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Runs in which there was something to judge.
    pub judged: u64,
    /// How often there was.
    pub times: u64,
    /// Runs in which it held.
    pub held: u64,
    /// Runs in which it was violated.
    pub violated: u64,
}

impl Table {
    /// One that has a row for each of these rules.
    pub fn of(rules: &[RuleId]) -> Table {
        Table { rows: rules.iter().map(|&rule| (rule, Row::default())).collect(), ..Table::default() }
    }

    /// One more run.
    pub(super) fn add(&mut self, played: &Played) {
        for (rule, answer) in &played.judgement.answers {
            let row = self.rows.entry(*rule).or_default();
            match answer {
                Answer::Holds { judged } => {
                    row.judged += 1;
                    row.times += judged;
                    row.held += 1;
                }
                Answer::Violated { times } => {
                    row.judged += 1;
                    row.times += times;
                    row.violated += 1;
                }
                Answer::NotObserved { .. } | Answer::NothingToJudge => {}
            }
        }
        *self.verdicts.entry(played.judgement.verdict()).or_default() += 1;
        for why in &played.left_out {
            *self.left_out.entry(why).or_default() += 1;
        }
        self.died += u64::from(played.died.is_some());
        self.events += played.events;
    }

    /// One more run that was held against the packet world's.
    pub(super) fn compare(&mut self, name: String, differs: Vec<String>) {
        match differs.is_empty() {
            true => self.agrees.push(name),
            false => drop(self.differs.insert(name, differs)),
        }
    }

    /// Runs that were judged.
    pub fn runs(&self) -> u64 {
        self.verdicts.values().sum()
    }

    /// All of it in one word. Nothing judged is never green.
    pub fn verdict(&self) -> Verdict {
        let any = |verdict| self.verdicts.get(&verdict).is_some_and(|&runs| runs > 0);
        if any(Verdict::Violated) || self.died > 0 || !self.differs.is_empty() {
            Verdict::Violated
        } else if self.rows.values().all(|row| row.judged == 0) {
            Verdict::NothingJudged
        } else if any(Verdict::Holds) {
            // What could not be decided in other runs is told, and says nothing against those.
            Verdict::Holds
        } else {
            Verdict::Undecided
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::rules::rule;

    #[test]
    fn nothing_judged_is_not_green() {
        let mut table = Table::of(&[rule("KICK-1"), rule("LOGIN-3")]);
        assert_eq!(table.verdict(), Verdict::NothingJudged);
        table.verdicts.insert(Verdict::NothingJudged, 300);
        assert_eq!(table.verdict(), Verdict::NothingJudged);
        table.rows.entry(rule("KICK-1")).or_default().judged = 1;
        table.verdicts.insert(Verdict::Undecided, 1);
        assert_eq!(table.verdict(), Verdict::Undecided);
        table.verdicts.insert(Verdict::Holds, 1);
        assert_eq!(table.verdict(), Verdict::Holds);
        table.died = 1;
        assert_eq!(table.verdict(), Verdict::Violated);
    }
}
