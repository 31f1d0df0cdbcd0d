//! Stories written by hand, and what a reviewer is told of them.

use super::*;

const HEAD: &str = "A login\nrules A-1\n\n";

/// A login of a device, with what is replaced in it.
fn login(device: &str, replace: &[(&str, &str)]) -> String {
    let mut text = format!(
        "{HEAD}    0.000  D <= app     login user=alice call=2
           D            status LOGINING
           D -> server  login call=2 attempt=1.1 user=alice
           server       commit 1 {{account alice; session accepted alice/D epoch 1}}
           server -> D  login_accepted call=2 epoch=1 commit=1
           D            status LOGINED login_user=alice
           D => app     connect_success user=alice epoch=1
           D => app     login answered: ok user=alice call=2
   +120 s  D            link lost
           D            tries again in 0.200s (attempt 1)
   10.000  world        script ended
           world        converged
"
    )
    .replace('D', "DEVICE")
    .replace("LOGINEDEVICE", "LOGINED");
    for (old, new) in replace {
        assert!(text.contains(old), "{old} is in the story");
        text = text.replace(old, new);
    }
    text.replace("DEVICE", device)
}

/// The same done to twenty stories, of devices with names of their own.
fn done_to_twenty(replace: &[(&str, &str)]) -> Review {
    let stories: Vec<Story> = (0..20)
        .map(|number| {
            let device = format!("phone-{number}");
            let stem = format!("story_{number:02}");
            Story { stem, before: Some(login(&device, &[])), after: Some(login(&device, replace)) }
        })
        .collect();
    review(&stories)
}

/// What the groups are of, and in how many stories.
fn told(review: &Review) -> Vec<(&'static str, &str, usize)> {
    review.groups.iter().map(|group| (group.kind, group.what.as_str(), group.stories.len())).collect()
}

#[test]
fn the_same_edit_in_twenty_stories_is_one_group() {
    for (replace, kind, what) in [
        (&[("answered: ok", "answered: [70001] expired")][..], "outcome", "`login answered`: ok -> [70001] expired"),
        (&[("login_accepted", "login_granted")], "word", "`login_accepted` is called `login_granted`"),
        (&[("session accepted", "session begun")], "word", "`accepted` is called `begun`"),
        (&[(" attempt=1.1", " attempt=1.1 path=wifi")], "field", "field `path` is new"),
        (&[(" attempt=1.1", "")], "field", "field `attempt` is no more"),
        (&[("attempt 1)", "attempt 2)")], "number", "`tries again`: attempt"),
        (&[("0.200s", "0.240s")], "time", "times"),
        (&[("+120 s", "+110 s")], "time", "times"),
        (&[("   10.000", "   20.000")], "time", "times"),
        (&[("   +120 s  DEVICE            link lost\n", "")], "event", "`link lost` is no more"),
        (&[("           world        converged\n", "")], "outcome", "`converged` is no more"),
    ] {
        let review = done_to_twenty(replace);
        assert_eq!(told(&review), [(kind, what, 20)], "{replace:?}");
        assert_eq!((review.changed, review.lines), (20, 20), "{replace:?}");
        assert_eq!(review.weighs(), !["number", "time"].contains(&kind), "{replace:?}");
    }
}

#[test]
fn a_result_and_an_event_that_changed_places_are_an_order() {
    let event = "           DEVICE => app     connect_success user=alice epoch=1\n";
    let result = "           DEVICE => app     login answered: ok user=alice call=2\n";
    let review = done_to_twenty(&[(&format!("{event}{result}"), &format!("{result}{event}"))]);
    assert_eq!(told(&review), [("order", "`login answered` now comes before `connect_success`", 20)]);
    let example = review.groups[0].example.as_ref().unwrap();
    let line = |side: &Option<(usize, String)>| side.as_ref().unwrap().0;
    assert_eq!((line(&example.before), line(&example.after)), (11, 10));
}

#[test]
fn times_that_follow_from_the_first_are_only_counted() {
    let shifted = &[("+120 s", "+125 s"), ("0.200s", "0.215s")];
    let review = done_to_twenty(shifted);
    assert_eq!(told(&review), [("time", "times", 20)]);
    let group = &review.groups[0];
    assert_eq!(group.details, [("the wait for `link lost` +5.000s".to_owned(), 20)]);
    assert_eq!((group.lines, group.lines_after, group.shifts), (40, 0, Some((15, 5_000))));
    assert!(!review.weighs() && review.outcomes == 0);
}

#[test]
fn a_wait_that_comes_or_goes_is_a_time() {
    let late = login("a", &[]);
    let soon = login("a", &[("   +120 s  DEVICE", "           DEVICE")]);
    let of = |before: &str, after: &str| {
        let [before, after] = [before, after].map(|text| Some(text.to_owned()));
        review(&[Story { stem: "one".to_owned(), before, after }]).groups[0].shifts
    };
    assert_eq!((of(&late, &soon), of(&soon, &late)), (Some((-120_000, -120_000)), Some((120_000, 120_000))));
}

#[test]
fn a_story_that_was_kept_with_every_time_is_compared_without_them() {
    let kept = login("a", &[]);
    let mut old = String::new();
    for line in kept.lines() {
        let is_without = line.starts_with("     ") && !line.starts_with("    0.");
        old.push_str(&if is_without { format!("    0.091{}", &line[9..]) } else { line.to_owned() });
        old.push('\n');
    }
    assert_ne!(old, kept);
    let review = review(&[Story { stem: "one".to_owned(), before: Some(old), after: Some(kept) }]);
    assert_eq!((told(&review), review.changed, review.lines), (vec![], 1, 0));
}

#[test]
fn an_outcome_is_told_below_what_led_to_it() {
    let (plain, late) = (login("a", &[]), login("a", &[("    0.000", "    0.100")]));
    let failed = login("b", &[("    0.000", "    0.100"), ("answered: ok", "answered: [9520] nobody knows")]);
    let story = |stem: &str, before: &str, after: &str| Story {
        stem: stem.to_owned(),
        before: Some(before.to_owned()),
        after: Some(after.to_owned()),
    };
    let review = review(&[story("late", &plain, &late), story("failed", &login("b", &[]), &failed)]);
    assert_eq!(told(&review), [("time", "times", 2)]);
    let led = &review.groups[0].led_to[0];
    assert_eq!((led.kind, led.stories.as_slice()), ("outcome", &["failed".to_owned()][..]));
    assert!(review.weighs() && review.outcomes == 1);
    let text = text(&review, Length::Screen, Style::default());
    assert!(text.contains("led to outcome: `login answered`: ok -> [9520] nobody knows; 1 story, 1 line"), "{text}");
}

#[test]
fn what_follows_from_nothing_is_a_group_of_its_own() {
    let review = done_to_twenty(&[("0.200s", "0.240s"), ("login_accepted", "login_granted")]);
    assert_eq!(told(&review), [("word", "`login_accepted` is called `login_granted`", 20), ("time", "times", 20)]);
}

#[test]
fn a_word_that_others_still_have_was_not_renamed() {
    let plain = Some(login("a", &[]));
    let refused = Some(login("a", &[("login_accepted", "login_refused")]));
    let other = Story { stem: "other".to_owned(), before: plain.clone(), after: plain.clone() };
    let review = review(&[Story { stem: "one".to_owned(), before: plain, after: refused }, other]);
    assert_eq!(told(&review), [("outcome", "`login_accepted` gives way to `login_refused`", 1)]);
}

#[test]
fn stories_that_come_and_go_are_groups_of_their_own() {
    let text = Some(login("a", &[]));
    let story = |stem: &str, before: &Option<String>, after: &Option<String>| Story {
        stem: stem.to_owned(),
        before: before.clone(),
        after: after.clone(),
    };
    let new = review(&[story("new", &None, &text), story("same", &text, &text)]);
    assert_eq!((told(&new), new.weighs()), (vec![("story added", "told for the first time", 1)], false));
    let gone = review(&[story("gone", &text, &None), story("new", &None, &text)]);
    assert_eq!(
        (told(&gone), gone.weighs(), gone.changed),
        (vec![("story removed", "told no more", 1), ("story added", "told for the first time", 1)], true, 2)
    );
}

#[test]
fn nothing_changed_is_said() {
    let same = Some(login("a", &[]));
    // What insta writes above a story is none of it.
    let with_header = same.as_ref().map(|text| format!("---\nsource: tests/scenarios.rs\n---\n{text}"));
    let review = review(&[Story { stem: "a".to_owned(), before: same, after: with_header }]);
    assert_eq!(
        (review.changed, text(&review, Length::Screen, Style::default()).as_str()),
        (0, "none of 1 story changed")
    );
}

#[test]
fn markdown_fits_a_comment_and_says_what_it_left_out() {
    let stories: Vec<Story> = (0..2_000)
        .map(|number| {
            let said =
                |outcome: &str| Some(format!("{HEAD}    0.091  phone => app  login answered: {outcome} call=2\n"));
            let after = said(&format!("[{number}] reason-{}", char::from(b'a' + (number % 26) as u8)));
            Story { stem: format!("story_{number}"), before: said("ok"), after }
        })
        .collect();
    let review = review(&stories);
    let text = markdown(&review);
    assert!(text.len() <= MARKDOWN_MAX && review.groups.len() == 2_000, "{} {}", text.len(), review.groups.len());
    assert!(
        text.ends_with("more groups are left out here, the lightest: `gatecrash review --all` has them."),
        "{text}"
    );
    assert!(text.contains("\n   ```diff\n   @@ story_0:4 @@\n"), "{text}");
}

#[test]
fn a_ledgers_results_are_outcomes_and_its_frames_are_not() {
    let ledger = |ok: u32, hellos: u32| {
        Some(format!("{HEAD}result        login ok      {ok}\ndevice frame  hello     {hellos}\n"))
    };
    let of = |after| review(&[Story { stem: "many".to_owned(), before: ledger(30, 30), after }]);
    assert_eq!(told(&of(ledger(29, 30))), [("outcome", "`result login ok`: count", 1)]);
    assert_eq!(told(&of(ledger(30, 31))), [("number", "`device frame hello`: count", 1)]);
}

#[test]
fn a_line_that_passes_several_others_is_one_order() {
    let lines = |order: [&str; 2]| {
        let told: String = order.iter().map(|word| format!("    0.091  phone  {word}\n")).collect();
        Some(format!("{HEAD}{told}"))
    };
    let story = |stem: &str, passed| Story {
        stem: stem.to_owned(),
        before: lines([passed, "moved"]),
        after: lines(["moved", passed]),
    };
    let stories = [story("one", "first"), story("two", "second")];
    let review = review(&stories);
    assert_eq!(told(&review), [("order", "`moved` now comes earlier", 2)], "{:?}", review.groups);
}

#[test]
fn a_field_that_such_lines_have_where_there_is_something_to_say_is_not_new() {
    let login = |fields: &str| Some(format!("{HEAD}    0.030  phone -> server  resume attempt=1.1{fields}\n"));
    let story = |stem: &str, before: &str, after: &str| Story {
        stem: stem.to_owned(),
        before: login(before),
        after: login(after),
    };
    let review = review(&[story("one", "", " epoch=2"), story("other", " epoch=1", " epoch=1")]);
    assert_eq!(told(&review), [("value", "`resume`: epoch", 1)]);
}

#[test]
fn a_call_that_is_answered_later_and_otherwise_has_another_answer() {
    let answer = "           DEVICE => app     login answered: ok user=alice call=2\n";
    let lost = "   +120 s  DEVICE            link lost\n";
    let late = "           DEVICE => app     login answered: [9520] nobody knows user=alice call=2\n";
    let review = done_to_twenty(&[(answer, ""), (lost, &format!("{lost}{late}"))]);
    assert_eq!(told(&review), [("outcome", "`login answered`: ok -> [9520] nobody knows", 20)]);
}

#[test]
fn a_renamed_word_that_the_parser_knows_is_a_renamed_word() {
    for (old, new) in [("status", "login_status"), ("answered:", "returned:"), ("attempt=", "try=")] {
        let [was, is] = [old, new].map(|word| word.trim_end_matches([':', '=']));
        // `(attempt 1)` stays, and so the label is no word that is gone: it is another field.
        let review = done_to_twenty(&[(old, new)]);
        match old {
            "attempt=" => assert_eq!(told(&review).len(), 2),
            _ => assert_eq!(told(&review), [("word", format!("`{was}` is called `{is}`").as_str(), 20)]),
        }
    }
}

#[test]
fn a_text_fits_a_screen_and_all_of_it_does_not() {
    for groups in [1, 10, 38, 39, 40, 100] {
        let stories: Vec<Story> = (0..groups)
            .map(|number| {
                let letters = [number / 26, number % 26].map(|letter| char::from(b'a' + letter as u8));
                let word: String = letters.into_iter().collect();
                let said = |count: u32| Some(format!("{HEAD}    0.091  phone  x{word} n={count}\n"));
                Story { stem: format!("story_{number}"), before: said(1), after: said(2) }
            })
            .collect();
        let review = review(&stories);
        assert_eq!(review.groups.len(), groups as usize);
        let screen = text(&review, Length::Screen, Style::default());
        let lines = screen.lines().count();
        assert!(
            lines <= SCREEN_LINES_MAX && lines >= (groups as usize + 1).min(SCREEN_LINES_MAX),
            "{groups}: {screen}"
        );
        assert_eq!(screen.ends_with(": --all tells them"), groups as usize > SCREEN_LINES_MAX - 1, "{screen}");
        let all = text(&review, Length::All, Style::default());
        assert_eq!(all.lines().count(), 1 + 5 * groups as usize, "{all}");
    }
}
