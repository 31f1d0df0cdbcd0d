//! What a campaign leaves of each finding: a folder with the smallest scenario, a history that shows it, its page, and
//! whose it is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gatecrash_sim::drive::{Finding, Subject};

use super::super::complain;
use super::super::judge::picture;

/// Writes a folder for each finding, and says where each is.
pub fn keep(out: &Path, subject: &Subject, version: &str, findings: &[Finding]) -> io::Result<Vec<PathBuf>> {
    let mut kept = Vec::new();
    for finding in findings {
        let folder = out.join(format!("{}-{}", slug(&subject.system), finding.fingerprint.slug()));
        fs::create_dir_all(&folder)?;
        let scenario: String = finding
            .scenario
            .to_string()
            .lines()
            .filter(|line| !line.starts_with("#:schema"))
            .fold(String::new(), |text, line| text + line + "\n");
        fs::write(folder.join("scenario.toml"), scenario.trim_start())?;
        fs::write(folder.join("subject.toml"), &subject.text)?;
        let history = folder.join("history.jsonl");
        fs::write(&history, &finding.played.history)?;
        fs::write(folder.join("README.md"), readme(subject, version, finding))?;
        // What has no breach, as a server that died, has nothing to draw either.
        if !finding.played.judgement.breaches.is_empty()
            && let Err(why) = picture::quietly(&history, &folder.join("page.html"))
        {
            complain(format_args!("warning: {why}"));
        }
        kept.push(folder);
    }
    Ok(kept)
}

fn readme(subject: &Subject, version: &str, finding: &Finding) -> String {
    let rule = finding.fingerprint.rule();
    let demands = rule.map(|rule| format!("{rule}: {}\n\n", rule.text())).unwrap_or_default();
    let by = if version.is_empty() { String::new() } else { format!(" by {version}") };
    let (fails, runs) = finding.again_smaller;
    format!(
        "# {}\n\n{}{by}\n\n{demands}{}\n\nSeen in {} of the campaign's runs, first in {}; `scenario.toml` showed it in {fails} of \
         {runs} further ones.\n\n    gatecrash drive SUBJECT scenario.toml\n    gatecrash judge --page page.html history.jsonl\n",
        finding.fingerprint.said(),
        subject.system,
        finding.text,
        finding.seen,
        finding.names.first().map(String::as_str).unwrap_or_default(),
    )
}

/// A name as that of a folder.
pub fn slug(name: &str) -> String {
    let parts = name.split(|char: char| !char.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").to_lowercase()
}
