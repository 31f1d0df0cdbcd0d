//! Scenarios drawn at random, run in the fast world: no property objects to what the product does.
//!
//! Draws text, so that what fails can be saved as a scenario file and replayed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::checks::Checks;
use crate::generate::draw::Draw;
use crate::scenario::Scenario;
use crate::trace::{Cast, Recorder};
use crate::world;

const RUNS: u64 = 300;

const DEVICES: [(&str, &str, &str); 6] = [
    ("phone-1", "android", "home"),
    ("phone-2", "android", "office"),
    ("iphone", "ios", "home"),
    ("desk", "windows", "office"),
    ("page-1", "web", "cafe"),
    ("page-2", "web", "home"),
];

struct Author {
    draw: Draw,
}

impl Author {
    fn one<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        choices[self.draw.below(choices.len() as u64) as usize]
    }

    fn user(&mut self) -> &'static str {
        self.one(&["alice", "alice", "bob", "root"])
    }

    fn call(&mut self) -> String {
        match self.draw.below(20) {
            0..=7 => {
                let ticket =
                    self.one(&["", "", "", " ttl=8s", " ttl=20s", " ticket=last", " ticket=wrong", " ticket=old"]);
                format!("login {}{ticket}", self.user())
            }
            8..=9 => "logout".into(),
            10..=12 => format!("send {} \"hello\"", self.user()),
            13..=14 => "conversations".into(),
            15 => format!("kick {}", self.user()),
            16 => "query alice bob nemo".into(),
            17 => "network_changed".into(),
            18 => "uninit".into(),
            _ => "init".into(),
        }
    }

    fn fault(&mut self) -> String {
        let device = DEVICES[self.draw.below(DEVICES.len() as u64) as usize].0;
        match self.draw.below(14) {
            0..=2 => format!("partition {}{}", self.one(&["home", "office"]), self.one(&["", " inbound", " outbound"])),
            3..=4 => format!("repair {}", self.one(&["home", "office"])),
            5 => "hold cafe".into(),
            6 => "release cafe".into(),
            7 => format!("reset {device}"),
            8 => format!("kill {device}"),
            9 => format!("start {device}"),
            10 => format!("suspend {device}"),
            11 => format!("wake {device}"),
            12 => self.one(&["bounce server after=3s", "power-loss server", "start server"]).into(),
            _ => self.one(&["skew server +5s", "skew server -3s", "skew desk +1h", "wipe iphone"]).into(),
        }
    }

    fn app(&mut self) -> String {
        match self.draw.below(4) {
            0 => format!("policy {}", self.one(&["single", "dual", "triple", "multi"])),
            1 => format!("reconnect_kicks {}", self.one(&["true", "false"])),
            2 => format!("notify_offline_kick {}", self.one(&["true", "false"])),
            _ => self.one(&["administrators alice root", "administrators root", "drop_key old"]).into(),
        }
    }

    fn scenario(&mut self, seed: u64) -> String {
        let mut text = format!("title = \"Drawn\"\nrules = [\"POLICY-3\"]\nseed = {seed}\ntick = \"1ms\"\n\n[app]\n");
        text += &format!("policy = \"{}\"\n", self.one(&["single", "dual", "triple", "multi"]));
        text += "administrators = [\"root\"]\n";
        text += &format!("commit_latency = \"{}\"\n", self.one(&["1ms", "20ms", "300ms"]));
        text += "\n[limits]\nheartbeat = \"12s\"\nheartbeat_web = \"6s\"\nheartbeat_answer = \"3s\"\n";
        text +=
            "silence = \"40s\"\nsilence_web = \"20s\"\ndormant = \"10s\"\ndormant_web = \"5s\"\nbackoff_max = \"4s\"\n";
        text += "push_online = \"30s\"\n\n[devices]\n";
        for (name, platform, site) in DEVICES {
            text += &format!("{name} = {{ platform = \"{platform}\", site = \"{site}\" }}\n");
        }
        text += "\n[tickets]\nwrong = { user = \"alice\", ttl = \"1h\", forge = \"wrong_key\" }\n";
        text += "old = { user = \"alice\", ttl = \"1h\", forge = \"old_key\" }\n";
        text += "\n[script]\nuntil = \"90s\"\nsteps = \"\"\"\n";
        let mut millis = 0;
        while millis < 85_000 {
            let line = match self.draw.below(20) {
                0..=13 => {
                    let device = DEVICES[self.draw.below(DEVICES.len() as u64) as usize].0;
                    let on = if self.draw.below(12) == 0 {
                        format!("on {} ", self.one(&["connect_success", "kicked_offline", "connecting", "message"]))
                    } else {
                        String::new()
                    };
                    format!("{device} {on}{}", self.call())
                }
                14..=18 => format!("fault {}", self.fault()),
                _ => format!("app {}", self.app()),
            };
            text += &format!("{millis}ms {line}\n");
            millis += [0, 1, 20, 31, 200, 900, 2_500][self.draw.below(7) as usize];
        }
        text += "\"\"\"\n";
        text
    }
}

#[test]
fn no_property_objects_to_what_the_product_does() {
    let mut calls = 0;
    for seed in 0..RUNS {
        let text = Author { draw: Draw::new(seed, "author", "scenario") }.scenario(seed);
        let scenario = Scenario::parse("drawn.toml", &text).unwrap_or_else(|diagnosis| panic!("\n{diagnosis}"));
        let checks = Arc::new(Mutex::new(Checks::new(&scenario, Duration::ZERO)));
        let recorder = Recorder::streaming(Cast::of(&scenario));
        recorder.add_observer(Box::new(Arc::clone(&checks)));
        world::event::run(&scenario, &recorder).expect("the world carries every drawn scenario");
        let mut checks = checks.lock().expect("nobody panicked");
        let found = recorder.cast(|cast| checks.finish(cast));
        let lines: Vec<String> =
            found.iter().map(|one| format!("{} {} ({}): {}", one.at, one.rule, one.property, one.text)).collect();
        assert!(lines.is_empty(), "\n{}\n\n{scenario}", lines.join("\n"));
        assert!(checks.converged, "not converged:\n{scenario}");
        calls += scenario.steps.len();
    }
    assert!(calls > 5_000, "the scenarios are worth running");
}
