//! What seeds find in the chat.

mod chat;

use chat::NaiveChat;
use gatecrash_sim::subject::Seeds;

#[test]
fn seeds_find_what_is_wrong_with_the_chat() {
    let report =
        Seeds::new(0..100).keep_in(env!("CARGO_TARGET_TMPDIR")).run(&NaiveChat).expect("the folder can be written");
    println!("{report}");
    assert!(report.findings.is_empty());
}
