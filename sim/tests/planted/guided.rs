//! A guided hunt finds what is broken, and finds it with the same run every time.

use gatecrash_sim::zoo::{Bug, hunt, hunt_guided};

#[test]
fn a_guided_hunt_catches_a_planted_bug_as_often_as_it_is_made() {
    let bug = Bug::find("Z20").expect("a bug of the zoo");
    let [one, other] = [0, 1].map(|_| hunt_guided(bug, 200_000..201_000));
    assert_eq!(one, other);
    let caught = one.expect("it is caught within a thousand runs");
    assert!(caught.is_right(bug), "{:?}", caught.named);
    // The first generations are fresh seeds, and nothing else is done to them.
    if caught.seeds <= 256 {
        assert_eq!(Some(caught), hunt(bug, 200_000..200_256));
    }
}
