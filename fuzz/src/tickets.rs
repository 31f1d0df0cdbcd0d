//! Tickets that were changed on the way: none says what nobody signed.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gatecrash::ticket::{SecretKey, open};

use crate::Found;
use crate::corpus::{APP, Corpus, ISSUED_AT, KEY, TTL};

/// Tries so many.
pub fn fuzz(mut corpus: Corpus, inputs: u64, done: &dyn Fn()) -> Result<(), Found> {
    let keys = [SecretKey::from("another key of the app"), SecretKey::from(KEY)];
    let signed: BTreeSet<_> = ["alice", "bob"].into();
    for _ in 0..inputs {
        let input = corpus.next();
        let text = String::from_utf8_lossy(&input);
        let found = |what: &str| Err(Found { what: what.to_owned(), inputs: vec![input.clone()] });
        let Ok(opened) = catch_unwind(AssertUnwindSafe(|| open(&text, &keys))) else { return found("a panic") };
        if let Ok(opened) = opened
            && opened.signature_fits
        {
            let claims = &opened.claims;
            let is_ours = claims.user.as_ref().is_some_and(|user| signed.contains(user.as_str()));
            if !is_ours || (claims.app_id, claims.issued_at, claims.ttl) != (APP, ISSUED_AT, TTL) {
                return found("a ticket that fits says what nobody signed");
            }
        }
        done();
    }
    Ok(())
}
