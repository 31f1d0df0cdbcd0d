//! A line of a snapshot in its columns. What they mean is the parser's.

/// What a line of a story or a ledger says; none of a title or a list.
pub fn said(line: &str) -> Option<&str> {
    columns(line).map(|(_, _, what)| what).or_else(|| ledger(line).map(|_| line))
}

/// When, who and what of a line of a story.
pub fn columns(line: &str) -> Option<(u64, &str, &str)> {
    let (at, rest) = line.trim_start().split_once("  ")?;
    let (seconds, millis) = at.split_once('.')?;
    let at = seconds.parse::<u64>().ok()?.checked_mul(1_000)?
        + (millis.len() == 3).then(|| millis.parse::<u64>().ok())??;
    let (who, what) = rest.split_once("  ").unwrap_or((rest, ""));
    Some((at, who, what.trim_start()))
}

/// What and how many, of a line of a ledger.
pub fn ledger(line: &str) -> Option<(String, &str)> {
    let (key, count) = line.rsplit_once("  ")?;
    let is_count = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'.');
    (is_count && !line.starts_with(' ')).then(|| (key.split_whitespace().collect::<Vec<_>>().join(" "), count))
}
