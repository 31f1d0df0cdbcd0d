//! Another value for a field: one as plausible as the one it has.
//!
//! Numbers one up and one down, what the same field holds elsewhere in the trace, whoever and whatever else is in the
//! cast, another word of a closed set, nothing where there is something. What is drawn may not fit the field, which then
//! stays as it is: whoever asks looks.

use std::collections::BTreeMap;

use gatecrash::code::Code;
use gatecrash::id::Attempt;
use gatecrash::policy::{Platform, Policy, Seats};

use super::Name;
use crate::generate::draw::Draw;
use crate::trace::{Cast, DeviceIndex, Leaf, SiteIndex, UserIndex, Value};

/// How many values of one field are kept.
const VALUES_MAX: usize = 64;

const MILLISECOND: u64 = 1_000;
const SECOND: u64 = 1_000_000;

/// What each field holds somewhere in the trace.
#[derive(Debug, Default)]
pub(super) struct Pool(BTreeMap<Name, Vec<Value>>);

impl Pool {
    pub(super) fn seen(&mut self, name: Name, value: Value) {
        let values = self.0.entry(name).or_default();
        if values.len() < VALUES_MAX && !values.contains(&value) {
            values.push(value);
        }
    }

    /// Another value for this field; none when there is none.
    pub(super) fn another(&self, draw: &mut Draw, cast: &Cast, name: Name, leaf: Leaf) -> Option<Value> {
        let mut others = near(cast, leaf.value);
        others.extend(leaf.words.iter().map(|word| Value::Word(word)));
        others.extend(self.0.get(&name).into_iter().flatten().copied());
        others.push(Value::Nothing);
        others.retain(|&other| other != leaf.value);
        (!others.is_empty()).then(|| *draw.pick(&others))
    }
}

/// What is as plausible as this value, whatever else the trace holds.
fn near(cast: &Cast, value: Value) -> Vec<Value> {
    let around = |number: u64, steps: &[u64]| -> Vec<u64> {
        let near = steps.iter().flat_map(|&step| [number.checked_add(step), number.checked_sub(step)]);
        near.flatten().chain([0]).collect()
    };
    match value {
        Value::Number(number) => around(number, &[1]).into_iter().map(Value::Number).collect(),
        Value::Seconds(number) => around(number, &[1]).into_iter().map(Value::Seconds).collect(),
        Value::Micros(number) => around(number, &[MILLISECOND, SECOND]).into_iter().map(Value::Micros).collect(),
        Value::Signed(number) => vec![Value::Signed(number + 1), Value::Signed(number - 1)],
        Value::SignedMicros(number) => {
            vec![Value::SignedMicros(number + SECOND as i64), Value::SignedMicros(-number)]
        }
        Value::Flag(flag) => vec![Value::Flag(!flag)],
        Value::Code(_) => Code::ALL.iter().map(|&code| Value::Code(code)).collect(),
        Value::Attempt(Attempt { start, count }) => {
            [(start, count + 1), (start, count.saturating_sub(1)), (start + 1, count)]
                .map(|(start, count)| Value::Attempt(Attempt { start, count }))
                .into()
        }
        Value::Seats(_) => Policy::ALL
            .into_iter()
            .filter_map(|policy| Seats::new(policy, &BTreeMap::from([(Platform::Web, 2)])).ok().map(Value::Seats))
            .collect(),
        Value::Device(_) => (0..cast.devices().len()).map(|index| Value::Device(DeviceIndex::new(index))).collect(),
        Value::User(_) => (0..cast.users().len()).map(|index| Value::User(UserIndex::new(index))).collect(),
        Value::Site(_) => (0..cast.sites().len()).map(|index| Value::Site(SiteIndex::new(index))).collect(),
        // What else of these the same field holds is as near as another can be.
        Value::Nothing | Value::Word(_) | Value::Ticket(_) | Value::Text(_) | Value::List(_) => Vec::new(),
    }
}
