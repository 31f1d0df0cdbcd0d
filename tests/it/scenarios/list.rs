//! Every scenario by its file's name, in alphabetical order, a line each. A test says which are missing.

super::scenarios! {
    kick_reaches_a_device_that_was_offline
}
