//! Which arguments are good ones (LOGIN-2, API-4): of the SDK's calls, and of the server's frames once more.

use crate::scenario::numbers::USER_ID_MAX;

/// LOGIN-2
pub(super) fn is_user_id(name: &str) -> bool {
    let is_allowed = |letter: char| matches!(letter, 'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-');
    (1..=USER_ID_MAX).contains(&name.len()) && name.chars().all(is_allowed)
}
