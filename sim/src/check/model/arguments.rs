//! Which arguments are good ones (LOGIN-2, API-4): of the SDK's calls, and of the server's frames once more.

/// The longest text of a message, in bytes (API-4).
pub(super) const TEXT_MAX: usize = 12 * 1024;

/// LOGIN-2
pub(super) fn is_user_id(name: &str) -> bool {
    let is_allowed = |letter: char| matches!(letter, 'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-');
    (1..=32).contains(&name.len()) && name.chars().all(is_allowed)
}
