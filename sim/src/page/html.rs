//! The file itself: the page's template with its style, its scripts and what it shows, and a policy that lets it reach
//! nothing else.
//!
//! The drawing libraries come first, in the order of `vendor/locked`; then the page's own scripts, which share one scope.
//! What is shown is deflated: browsers inflate it by themselves.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use sha2::{Digest as _, Sha256};

use super::Data;

/// The largest page, in bytes.
pub const BYTES_MAX: usize = 1_000_000;

const TEMPLATE: &str = include_str!("../../page/page.html");
const STYLE: &str = include_str!("../../page/page.css");

macro_rules! joined {
    ($($file:literal)+) => { concat!($(include_str!(concat!("../../page/", $file)), "\n"),+) };
}

/// In the order of `vendor/locked`: each needs those before it.
const LIBRARIES: &str = joined! {
    "vendor/d3-array.min.js"
    "vendor/d3-color.min.js"
    "vendor/d3-format.min.js"
    "vendor/d3-dispatch.min.js"
    "vendor/d3-ease.min.js"
    "vendor/d3-timer.min.js"
    "vendor/d3-time.min.js"
    "vendor/d3-time-format.min.js"
    "vendor/d3-interpolate.min.js"
    "vendor/d3-selection.min.js"
    "vendor/d3-scale.min.js"
    "vendor/d3-axis.min.js"
    "vendor/d3-drag.min.js"
    "vendor/d3-transition.min.js"
    "vendor/d3-zoom.min.js"
    "vendor/d3-brush.min.js"
};

/// Each uses what those before it define; `main.js` puts them to work.
const SCRIPTS: &str = joined! {
    "load.js"
    "scale.js"
    "lanes.js"
    "cause.js"
    "filter.js"
    "likely.js"
    "picture.js"
    "text.js"
    "strip.js"
    "head.js"
    "pane.js"
    "address.js"
    "keys.js"
    "main.js"
};

/// The page's own scripts as one, without what only their readers need: comments, which have lines of their own, and
/// indents.
pub(super) fn own_script() -> String {
    let lines = SCRIPTS.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    format!("(() => {{\n\"use strict\";\n{}\n}})();\n", lines.collect::<Vec<_>>().join("\n"))
}

/// The file.
pub fn file(data: &Data<'_>) -> String {
    let own = own_script();
    let hash = |script: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(script)));
    let policy = format!(
        "default-src 'none'; script-src {} {}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
        hash(LIBRARIES),
        hash(&own)
    );
    let title = data.sides.first().map(|side| side.head.title.as_str()).unwrap_or_default();
    let json = serde_json::to_vec(data).expect("a page has text keys and finite numbers");
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&json).expect("a vector takes everything");
    let deflated = encoder.finish().expect("a vector takes everything");
    let parts = [
        ("{{policy}}", policy.as_str()),
        ("{{title}}", &escaped(title)),
        ("{{style}}", STYLE),
        ("{{data}}", &STANDARD.encode(deflated)),
        ("{{libraries}}", LIBRARIES),
        ("{{scripts}}", &own),
    ];
    filled(TEMPLATE, &parts)
}

/// The template with each mark replaced, once: what is put in is not looked at again.
fn filled(template: &str, parts: &[(&str, &str)]) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some(start) = rest.find("{{") {
        let (mark, part) =
            parts.iter().find(|(mark, _)| rest[start..].starts_with(mark)).expect("every mark has its part");
        text.push_str(&rest[..start]);
        text.push_str(part);
        rest = &rest[start + mark.len()..];
    }
    text.push_str(rest);
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
