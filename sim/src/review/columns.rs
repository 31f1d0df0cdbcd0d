//! A line of a snapshot in its columns. What they mean is the parser's.

/// What the first column says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// Nothing: soon after the line before.
    #[default]
    Unsaid,
    /// When it is, in milliseconds since the start of the run. Of a step; snapshots of old had this on every line.
    At(u64),
    /// After how many seconds in which its actor was left alone.
    After(u64),
}

/// How wide the first column is where it says nothing, with the space behind it.
const UNSAID: &str = "           ";

/// What a line of a story or a ledger says; none of a title or a list.
pub fn said(line: &str) -> Option<&str> {
    columns(line).map(|(_, _, what)| what).or_else(|| ledger(line).map(|_| line))
}

/// When, who and what of a line of a story.
pub fn columns(line: &str) -> Option<(When, &str, &str)> {
    let (when, rest) = match line.strip_prefix(UNSAID) {
        Some(rest) => (When::Unsaid, rest),
        None => {
            let (column, rest) = line.trim_start().split_once("  ")?;
            (when(column)?, rest)
        }
    };
    let (who, what) = rest.split_once("  ").unwrap_or((rest, ""));
    (!who.is_empty() && !who.starts_with(' ')).then(|| (when, who, what.trim_start()))
}

/// `2.061` or `+15 s`.
fn when(column: &str) -> Option<When> {
    if let Some(wait) = column.strip_prefix('+') {
        return Some(When::After(wait.strip_suffix(" s")?.parse().ok()?));
    }
    let (seconds, millis) = column.split_once('.')?;
    let at = seconds.parse::<u64>().ok()?.checked_mul(1_000)?;
    (millis.len() == 3).then(|| Some(When::At(at + millis.parse::<u64>().ok()?)))?
}

/// What and how many, of a line of a ledger.
pub fn ledger(line: &str) -> Option<(String, &str)> {
    let (key, count) = line.rsplit_once("  ")?;
    let is_count = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'.');
    (is_count && !line.starts_with(' ')).then(|| (key.split_whitespace().collect::<Vec<_>>().join(" "), count))
}
