//! A report as JUnit's XML, as Jenkins and GitLab read it.
//!
//! Written with `quick-xml` and not with `quick-junit`: that one gives `testsuites` an attribute `skipped`, which the
//! schema of Jenkins does not know, and Jenkins refuses the file.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::escape::xml as fit;
use super::suite::{Case, Outcome, Suite};
use super::{Ended, Report};

type Out = Writer<Vec<u8>>;

/// How many there are of each outcome that readers count.
#[derive(Clone, Copy, Default)]
struct Numbers {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Numbers {
    fn of<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Self {
        let mut numbers = Numbers::default();
        for case in cases {
            numbers.tests += 1;
            match &case.outcome {
                Outcome::Passed => {}
                Outcome::LeftOut(_) => numbers.skipped += 1,
                Outcome::Failed { kind, .. } if !kind.is_error() => numbers.failures += 1,
                Outcome::Failed { .. } | Outcome::NotRun(_) => numbers.errors += 1,
            }
        }
        numbers
    }
}

/// The file.
pub(super) fn xml(report: &Report) -> String {
    let suites = report.suites();
    let mut out = Writer::new_with_indent(Vec::new(), b' ', 2);
    write(&mut out, report, &suites).expect("memory takes everything");
    let mut text = String::from_utf8(out.into_inner()).expect("only text was written");
    text.push('\n');
    text
}

fn write(out: &mut Out, report: &Report, suites: &[Suite]) -> io::Result<()> {
    out.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let all = Numbers::of(suites.iter().flat_map(|suite| &suite.cases));
    let head = out
        .create_element("testsuites")
        .with_attribute(("name", "gatecrash"))
        .with_attribute(("tests", all.tests.to_string().as_str()))
        .with_attribute(("failures", all.failures.to_string().as_str()))
        .with_attribute(("errors", all.errors.to_string().as_str()))
        .with_attribute(("time", seconds(report.wall_seconds).as_str()));
    head.write_inner_content(|out| suites.iter().try_for_each(|suite| write_suite(out, report, suite)))?;
    Ok(())
}

fn write_suite(out: &mut Out, report: &Report, suite: &Suite) -> io::Result<()> {
    let numbers = Numbers::of(&suite.cases);
    let times: Vec<f64> = suite.cases.iter().filter_map(|case| case.seconds).collect();
    let time = (!times.is_empty()).then(|| seconds(times.iter().sum()));
    let head = out
        .create_element("testsuite")
        .with_attribute(("name", fit(&suite.name).as_str()))
        .with_attribute(("tests", numbers.tests.to_string().as_str()))
        .with_attribute(("failures", numbers.failures.to_string().as_str()))
        .with_attribute(("errors", numbers.errors.to_string().as_str()))
        .with_attribute(("skipped", numbers.skipped.to_string().as_str()));
    let head = match &time {
        Some(time) => head.with_attribute(("time", time.as_str())),
        None => head,
    };
    head.write_inner_content(|out| {
        out.create_element("properties").write_inner_content(|out| {
            properties(report).iter().try_for_each(|(name, value)| {
                let property = out.create_element("property").with_attribute(("name", *name));
                property.with_attribute(("value", fit(value).as_str())).write_empty().map(|_| ())
            })
        })?;
        suite.cases.iter().try_for_each(|case| write_case(out, case))
    })?;
    Ok(())
}

/// What ran, as names and values.
fn properties(report: &Report) -> Vec<(&'static str, String)> {
    let identity = &report.identity;
    let ended = match &report.ended {
        Ended::NotYet => "not yet",
        Ended::Finished => "finished",
        Ended::Told => "told to end",
        Ended::Refused(_) => "refused",
    };
    vec![
        ("command", report.subject.word().to_owned()),
        ("version", identity.to_string()),
        ("lock", identity.lock.clone()),
        ("toolchain", identity.toolchain.clone()),
        ("target", identity.target.clone()),
        ("ended", ended.to_owned()),
    ]
}

fn write_case(out: &mut Out, case: &Case) -> io::Result<()> {
    let (name, class) = (fit(&case.name), fit(&case.class));
    let time = case.seconds.map(seconds);
    let head = out.create_element("testcase").with_attribute(("name", name.as_str()));
    let head = head.with_attribute(("classname", class.as_str()));
    let head = match &time {
        Some(time) => head.with_attribute(("time", time.as_str())),
        None => head,
    };
    let (word, said, of, text) = match &case.outcome {
        Outcome::Passed => return head.write_empty().map(|_| ()),
        Outcome::LeftOut(why) => ("skipped", why, "left-out", ""),
        Outcome::NotRun(why) => ("error", why, "not-run", why.as_str()),
        Outcome::Failed { kind, short, text } => {
            (if kind.is_error() { "error" } else { "failure" }, short, kind.id(), text.as_str())
        }
    };
    let known = if case.is_known { "known: " } else { "" };
    let message = fit(&format!("{known}{said}"));
    head.write_inner_content(|out| {
        let inner = out.create_element(word).with_attribute(("message", message.as_str())).with_attribute(("type", of));
        match text {
            "" => inner.write_empty().map(|_| ()),
            text => inner.write_text_content(BytesText::new(&fit(text))).map(|_| ()),
        }
    })?;
    Ok(())
}

/// Seconds with three decimals, which is all that the schema takes.
fn seconds(seconds: f64) -> String {
    format!("{seconds:.3}")
}
