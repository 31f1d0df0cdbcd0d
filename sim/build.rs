//! Hands the compiler's own name and version on to the sources: a finding is of a toolchain, too.
//!
//! Generates nothing.

use std::process::Command;

#[expect(clippy::disallowed_methods, reason = "Cargo tells a build script by variables what it builds, and with what")]
fn main() {
    let rustc = std::env::var_os("RUSTC").expect("Cargo names the compiler");
    let output = Command::new(rustc).arg("--version").output().expect("the compiler that builds this runs");
    println!("cargo::rustc-env=GATECRASH_TOOLCHAIN={}", String::from_utf8_lossy(&output.stdout).trim());
    let target = std::env::var("TARGET").expect("Cargo names the target");
    println!("cargo::rustc-env=GATECRASH_TARGET={target}");
    println!("cargo::rerun-if-changed=build.rs");
}
