//! Lists with a place for each device, user or connection by number, as long as the last that was asked for.

/// What stands at this place, which may be new.
pub(crate) fn grown<T: Default>(all: &mut Vec<T>, place: usize) -> &mut T {
    if all.len() <= place {
        all.resize_with(place + 1, T::default);
    }
    &mut all[place]
}
