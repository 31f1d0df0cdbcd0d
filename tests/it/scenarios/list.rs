//! Every scenario by its file's name, in alphabetical order, a line each. A test says which are missing.

super::scenarios! {
    a_thousand_devices_on_eight_sites
    forty_devices_reconnect_through_a_rolling_partition
    kick_reaches_a_device_that_was_offline
    ten_tickets_expire_in_every_way
    thirty_simultaneous_logins_under_dual
    thirty_simultaneous_logins_under_multi
    thirty_simultaneous_logins_under_single
    thirty_simultaneous_logins_under_triple
    twenty_switches_with_the_link_failing_at_each
}
