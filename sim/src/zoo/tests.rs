//! Every bug is caught, quickly enough for every `cargo test`: on a seed that is known to show it.

use std::collections::BTreeSet;

use super::*;
use crate::property;

#[test]
fn every_bug_has_a_name_of_its_own_and_properties_that_exist() {
    let scenario = generate::scenario(0);
    let sentences: BTreeSet<&str> =
        property::all(&scenario).iter().map(|property| property.name()).chain([NOT_CONVERGED, PANICKED]).collect();
    let ids: BTreeSet<&str> = BUGS.iter().map(|bug| bug.id).collect();
    assert_eq!(ids.len(), BUGS.len());
    for bug in BUGS {
        assert!(!bug.right.is_empty(), "{} is named by no property", bug.id);
        for sentence in bug.right {
            assert!(sentences.contains(sentence), "{}: there is no property \"{sentence}\"", bug.id);
        }
    }
    let known = (1..=35).map(|number| format!("F{number:02}")).chain((1..=6).map(|number| format!("D{number}")));
    known.for_each(|id| assert!(ids.contains(&id[..]), "{id} is missing"));
    assert!(ids.iter().filter(|id| id.starts_with('Z')).count() >= 16);
}
