//! What a page shows of a run that is too long for it: the events around the place that matters.

use std::ops::Range;

/// Of those shown, how many in four come before the place that matters: what led there counts for more.
const QUARTERS_BEFORE: usize = 3;

/// Which of so many events are shown: at most `most`, with `place` among them, or else the last ones.
pub fn window(events: usize, place: Option<usize>, most: usize) -> Range<usize> {
    if events <= most {
        return 0..events;
    }
    let place = place.unwrap_or(events - 1).min(events - 1);
    let from = place.saturating_sub(most / 4 * QUARTERS_BEFORE).min(events - most);
    from..from + most
}

#[cfg(test)]
mod tests {
    use super::window;

    #[test]
    fn a_window_is_full_and_has_the_place_that_matters() {
        assert_eq!(window(100, Some(7), 100), 0..100);
        assert_eq!(window(1000, Some(500), 100), 425..525);
        assert_eq!(window(1000, Some(3), 100), 0..100);
        assert_eq!(window(1000, Some(999), 100), 900..1000);
        assert_eq!(window(1000, None, 100), 900..1000);
        for place in 0..1000 {
            let shown = window(1000, Some(place), 100);
            assert!(shown.contains(&place) && shown.len() == 100, "{place}: {shown:?}");
        }
    }
}
