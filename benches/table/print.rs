//! The table for people and for programs.

use serde_json::{Value, json};

use crate::quantity::{Bound, Quantity};
use crate::rows::{Reached, Row};

const HEADINGS: [&str; 7] = ["work", "ours", "peer", "ratio", "must reach", "goal", "reached"];

/// The table as text: one line a row.
pub fn text(rows: &[Row]) -> String {
    let mut lines = vec![HEADINGS.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let mut widths = [0; HEADINGS.len()];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for line in lines {
        for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
            // Words on the left, figures on the right.
            text.push_str(&if column == 0 { format!("{cell:width$}") } else { format!("  {cell:>width$}") });
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

fn cells(row: &Row) -> [String; HEADINGS.len()] {
    let bound = |bound: Option<Bound>| bound.map(|bound| bound.to_string()).unwrap_or_default();
    let (ours, peer, ratio) = match &row.measured {
        Ok(figures) => (
            figures.ours.to_string(),
            figures.peer.map(|(name, quantity)| format!("{name} {quantity}")).unwrap_or_default(),
            figures.ratio.map(|ratio| ratio.to_string()).unwrap_or_default(),
        ),
        Err(_) => ("not measured".to_owned(), String::new(), String::new()),
    };
    let reached = match row.reached() {
        Some(Reached::No) => "no",
        Some(Reached::Must) => "must, not goal",
        Some(Reached::All) => "yes",
        None => "",
    };
    let (must, goal) = (row.demand.and_then(|demand| demand.must), row.demand.and_then(|demand| demand.goal));
    [row.work.clone(), ours, peer, ratio, bound(must), bound(goal), reached.to_owned()]
}

/// The table as one object.
pub fn json(rows: &[Row]) -> Value {
    let bound = |bound: Bound| json!({ "bound": bound.word(), "value": bound.quantity().value(), "unit": bound.quantity().unit() });
    let quantity = |quantity: Quantity| json!({ "value": quantity.value(), "unit": quantity.unit() });
    let row = |row: &Row| {
        let figures = row.measured.as_ref().ok();
        json!({
            "work": row.work,
            "ours": figures.map(|figures| quantity(figures.ours)),
            "peer": figures.and_then(|figures| figures.peer).map(|(_, peer)| quantity(peer)),
            "peer_name": figures.and_then(|figures| figures.peer).map(|(name, _)| name),
            "ratio": figures.and_then(|figures| figures.ratio).map(quantity),
            "must": row.demand.and_then(|demand| demand.must).map(bound),
            "goal": row.demand.and_then(|demand| demand.goal).map(bound),
            "reached": row.reached().map(|reached| reached != Reached::No),
            "reached_goal": row.reached().map(|reached| reached == Reached::All),
            "missing": row.measured.as_ref().err().map(ToString::to_string),
        })
    };
    json!({ "rows": rows.iter().map(row).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measured::Missing;
    use crate::rows::{Demand, Figures};

    fn rows() -> Vec<Row> {
        let figures = Figures {
            ours: Quantity::Seconds(2e-7),
            peer: Some(("madsim", Quantity::Seconds(1e-6))),
            ratio: Some(Quantity::Ratio(0.2)),
        };
        let third = Bound::AtMost(Quantity::Ratio(1.0 / 3.0));
        let tenth = Bound::AtMost(Quantity::Ratio(0.1));
        vec![
            Row {
                work: "a round trip".into(),
                measured: Ok(figures),
                demand: Some(Demand { must: Some(third), goal: Some(tenth) }),
            },
            Row {
                work: "half a year".into(),
                measured: Err(Missing::Field { path: "x".into(), field: "median" }),
                demand: Some(Demand { must: Some(Bound::Under(Quantity::Seconds(1.0))), goal: None }),
            },
        ]
    }

    #[test]
    fn the_text_is_aligned() {
        let expected = "\
work                  ours         peer  ratio  must reach   goal         reached
a round trip        200 ns  madsim 1 µs    0.2     ≤ 0.333  ≤ 0.1  must, not goal
half a year   not measured                           < 1 s
";
        assert_eq!(text(&rows()), expected);
    }

    #[test]
    fn the_object_has_the_same_figures() {
        let printed = json(&rows());
        let first = &printed["rows"][0];
        assert_eq!(first["ours"], json!({ "value": 2e-7, "unit": "seconds" }));
        assert_eq!(first["peer_name"], "madsim");
        assert_eq!(first["must"]["bound"], "at_most");
        assert_eq!((&first["reached"], &first["reached_goal"]), (&json!(true), &json!(false)));
        let second = &printed["rows"][1];
        assert_eq!((&second["ours"], &second["reached"]), (&Value::Null, &Value::Null));
        assert_eq!(second["missing"], "x has no median");
    }
}
