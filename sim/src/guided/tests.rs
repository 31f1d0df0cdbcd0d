//! What is learnt steers, and steers in the same way every time.

use super::*;

/// A made-up run: it reaches what its number says.
fn lesson(draft: Draft) -> Lesson {
    let number = draft.seed.number as Feature;
    let features = if number.is_multiple_of(3) { vec![1, 100 + number] } else { vec![1] };
    Lesson { draft, features, events: 5_000 }
}

fn taught(generations: u64) -> Guide {
    let mut guide = Guide::new(Profile::Swarm);
    for generation in 0..generations {
        let numbers = generation * GENERATION..(generation + 1) * GENERATION;
        let lessons: Vec<Lesson> = numbers.map(|number| lesson(guide.draft(number))).collect();
        guide.learn(lessons);
    }
    guide
}

#[test]
fn nothing_is_mutated_before_it_is_known_what_is_rare() {
    for guide in [Guide::new(Profile::Swarm), taught(FRESH_FIRST - 1)] {
        for number in 1_000..1_000 + GENERATION {
            assert_eq!(guide.draft(number), Draft::fresh(number.into()));
        }
    }
    assert!((1_000..1_064).any(|number| taught(FRESH_FIRST).draft(number).mutant.is_some()));
}

#[test]
fn the_same_lessons_lead_to_the_same_drafts() {
    let (one, other) = (taught(FRESH_FIRST + 1), taught(FRESH_FIRST + 1));
    let drafts = |guide: &Guide| (1_000..1_064).map(|number| guide.draft(number)).collect::<Vec<_>>();
    assert_eq!(drafts(&one), drafts(&other));
    let mutants = drafts(&one).into_iter().filter(|draft| draft.mutant.is_some()).count();
    assert!((40..=60).contains(&mutants), "{mutants} of 64");
    // In whichever order drafts are asked for.
    assert_eq!(one.draft(1_062), drafts(&one)[62]);
}

#[test]
fn only_what_is_new_is_kept_and_its_mutants_say_where_they_come_from() {
    let guide = taught(1);
    // Feature 1, and one for each third number, of which the first has both.
    assert_eq!(guide.progress(), Progress { corpus: 22, features: 23, new: 23 });
    let guide = taught(FRESH_FIRST);
    let mutant = (1_000..1_064).find_map(|number| guide.draft(number).mutant).expect("most are mutants");
    let root = mutant.title.split("from seed ").nth(1).and_then(|rest| rest.split(':').next()).unwrap();
    assert!(root.parse::<u64>().unwrap().is_multiple_of(3), "{}", mutant.title);
}

#[test]
fn what_others_reach_as_well_is_picked_less() {
    let mut corpus = Corpus::default();
    let guide = Guide::new(Profile::Swarm);
    let run = |number, features: &[Feature]| {
        let draft = guide.draft(number);
        Lesson { draft, features: features.to_vec(), events: 10 }
    };
    for number in 0..10 {
        corpus.learn(run(number, &[1]));
    }
    corpus.learn(run(10, &[2]));
    corpus.weigh();
    let mut draw = Draw::new(1, "test", "pick");
    let rare = (0..1_100).filter(|_| corpus.pick(&mut draw).unwrap().root == 10).count();
    assert!((950..1_050).contains(&rare), "{rare}");
    assert_eq!(corpus.len(), 2);
}

#[test]
fn a_scenario_that_takes_too_long_is_not_kept() {
    let mut corpus = Corpus::default();
    let draft = Guide::new(Profile::Swarm).draft(1);
    assert_eq!(corpus.learn(Lesson { draft, features: vec![7], events: 1_000_000 }), 1);
    assert_eq!(corpus.len(), 0);
}
