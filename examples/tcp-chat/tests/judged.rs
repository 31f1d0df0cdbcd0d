//! What the chat's own history says of it, over real sockets. No instant is looked at, only what is true at any speed.

use gatecrash_sim::judge::{Answer, Judgement, Verdict, judge_text};
use tcp_chat::evening::evening;
use tcp_chat::server::LateResume;

fn judged(late_resume: LateResume) -> (String, Judgement) {
    let history = evening(late_resume).expect("loopback has ports");
    let judgement = judge_text(&history);
    (history, judgement)
}

#[test]
fn an_evening_over_tcp_holds_and_much_of_it_is_judged() {
    let (history, judgement) = judged(LateResume::Told);
    assert_eq!(judgement.verdict(), Verdict::Holds, "{:#?}\n{history}", judgement.breaches);
    // KICK-1 and KICK-9: a device in reach and one out of reach are told, and why. CONN-1: a cut link ends no session.
    for rule in ["LOGIN-6", "CONN-1", "CONN-3", "POLICY-3", "POLICY-4", "KICK-1", "KICK-9", "LOGOUT-1", "API-2"] {
        let answer = judgement.answer(rule);
        assert!(matches!(answer, Some(Answer::Holds { judged: 1.. })), "{rule}: {answer:?}\n{history}");
    }
}

#[test]
fn a_resume_that_logs_in_again_takes_a_place_that_another_login_had_taken() {
    let (history, judgement) = judged(LateResume::LogsIn);
    assert_eq!(judgement.verdict(), Verdict::Violated, "{history}");
    let told = judgement.breaches.iter().find(|breach| breach.rule.as_str() == "POLICY-3");
    let told = told.unwrap_or_else(|| panic!("{:#?}\n{history}", judgement.breaches));
    assert!(
        told.text.ends_with("that it was kicked by alice-new: that device cannot have displaced it"),
        "{}",
        told.text
    );
    let lines: Vec<&str> = history.lines().collect();
    let blamed: Vec<&str> = told.lines.iter().map(|line| lines[line.line as usize - 1]).collect();
    assert!(blamed.iter().all(|line| line.contains(r#""request":"login""#)), "{blamed:#?}");
}
