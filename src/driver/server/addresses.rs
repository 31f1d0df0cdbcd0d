//! Who connects from where: how many there are from one address, and how often somebody from there was refused
//! (INPUT-8).
//!
//! Of IPv6 the network of 64 bits counts, since whoever has one address of it has them all. Where the surroundings have
//! no addresses nothing is bounded here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::bounds::Bounds;
use super::load::Turned;
use crate::time::Instant;

/// How long refusals count together, and how long whoever had too many stays out.
const WINDOW: Duration = Duration::from_secs(60);

/// How many addresses without a connection are remembered for their refusals. Of more, those forgotten first that were
/// refused longest ago.
const REMEMBERED_MAX: usize = 65_536;

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    connections: usize,
    refusals: u32,
    /// When the first of those refusals was.
    since: Option<Instant>,
}

/// The addresses that somebody is connected from, or was refused from.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    places: BTreeMap<IpAddr, Place>,
    /// Those with refusals, by when they began.
    refused: BTreeSet<(Instant, IpAddr)>,
}

/// What counts as one address.
fn place_of(address: SocketAddr) -> IpAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

impl Addresses {
    /// Why nobody else gets in from there at this time.
    pub(super) fn keeps_out(&mut self, address: SocketAddr, bounds: &Bounds, now: Instant) -> Option<Turned> {
        self.forget_old(now);
        let place = self.places.get(&place_of(address))?;
        if place.refusals >= bounds.address_refusals_max {
            Some(Turned::AddressRefused)
        } else {
            (place.connections >= bounds.per_address_max).then_some(Turned::TooManyFromAddress)
        }
    }

    /// Somebody was let in from there.
    pub(super) fn opened(&mut self, address: SocketAddr) {
        self.places.entry(place_of(address)).or_default().connections += 1;
    }

    /// Somebody from there is gone.
    pub(super) fn closed(&mut self, address: SocketAddr) {
        let address = place_of(address);
        if let Some(place) = self.places.get_mut(&address) {
            place.connections = place.connections.saturating_sub(1);
            self.forget_if_idle(address);
        }
    }

    /// Everybody is gone, from wherever they came.
    pub(super) fn all_closed(&mut self) {
        self.places.retain(|_, place| {
            place.connections = 0;
            place.since.is_some()
        });
    }

    /// Somebody from there was refused.
    pub(super) fn refused(&mut self, address: SocketAddr, now: Instant) {
        self.forget_old(now);
        let address = place_of(address);
        let place = self.places.entry(address).or_default();
        place.refusals = place.refusals.saturating_add(1);
        if place.since.is_none() {
            place.since = Some(now);
            self.refused.insert((now, address));
            if self.refused.len() > REMEMBERED_MAX {
                self.forget_first();
            }
        }
    }

    fn forget_old(&mut self, now: Instant) {
        while self.refused.first().is_some_and(|(since, _)| *since + WINDOW <= now) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let Some((_, address)) = self.refused.pop_first() else { return };
        if let Some(place) = self.places.get_mut(&address) {
            (place.refusals, place.since) = (0, None);
        }
        self.forget_if_idle(address);
    }

    fn forget_if_idle(&mut self, address: IpAddr) {
        if self.places.get(&address).is_some_and(|place| place.connections == 0 && place.since.is_none()) {
            self.places.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn address(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().expect("an address"), 4_000)
    }

    /// INPUT-8.
    #[test]
    fn an_address_has_so_many_connections_and_no_more() {
        let bounds = Bounds { per_address_max: 2, ..Bounds::default() };
        let mut addresses = Addresses::default();
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
        for _ in 0..2 {
            assert_eq!(addresses.keeps_out(one, &bounds, at(0)), None);
            addresses.opened(one);
        }
        assert_eq!(addresses.keeps_out(one, &bounds, at(0)), Some(Turned::TooManyFromAddress));
        assert_eq!(addresses.keeps_out(address("::ffff:192.0.2.1"), &bounds, at(0)), Some(Turned::TooManyFromAddress));
        assert_eq!(addresses.keeps_out(other, &bounds, at(0)), None);
        addresses.closed(one);
        assert_eq!(addresses.keeps_out(one, &bounds, at(0)), None);
        addresses.closed(one);
        assert!(addresses.places.is_empty(), "who is gone is forgotten");
    }

    /// INPUT-8, DUR-5: when all connections are closed at once, none of them keeps a newcomer out, and refusals still do.
    #[test]
    fn nobody_is_counted_once_all_are_closed() {
        let bounds = Bounds { per_address_max: 1, address_refusals_max: 1, ..Bounds::default() };
        let mut addresses = Addresses::default();
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
        [one, other].into_iter().for_each(|address| addresses.opened(address));
        addresses.refused(other, at(0));
        addresses.all_closed();
        assert_eq!(addresses.keeps_out(one, &bounds, at(1)), None);
        assert_eq!(addresses.keeps_out(other, &bounds, at(1)), Some(Turned::AddressRefused));
        assert_eq!(addresses.places.len(), 1);
    }

    /// INPUT-8: a network of IPv6 is one address.
    #[test]
    fn a_network_of_64_bits_is_one_address() {
        let bounds = Bounds { per_address_max: 1, ..Bounds::default() };
        let mut addresses = Addresses::default();
        addresses.opened(address("2001:db8::1"));
        assert_eq!(addresses.keeps_out(address("2001:db8::ffff:2"), &bounds, at(0)), Some(Turned::TooManyFromAddress));
        assert_eq!(addresses.keeps_out(address("2001:db8:0:1::1"), &bounds, at(0)), None);
    }

    /// INPUT-8: who was refused too often stays out until the minute is over, and not for ever.
    #[test]
    fn too_many_refusals_keep_an_address_out_for_a_minute() {
        let bounds = Bounds { address_refusals_max: 3, ..Bounds::default() };
        let mut addresses = Addresses::default();
        let one = address("192.0.2.1");
        for second in [0, 10, 59] {
            assert_eq!(addresses.keeps_out(one, &bounds, at(second)), None);
            addresses.refused(one, at(second));
        }
        assert_eq!(addresses.keeps_out(one, &bounds, at(59)), Some(Turned::AddressRefused));
        assert_eq!(addresses.keeps_out(address("192.0.2.2"), &bounds, at(59)), None);
        assert_eq!(addresses.keeps_out(one, &bounds, at(60)), None);
        assert!(addresses.places.is_empty() && addresses.refused.is_empty());
    }

    /// INPUT-8: what is remembered is bounded, and the oldest goes first.
    #[test]
    fn a_flood_of_addresses_is_not_remembered_for_ever() {
        let mut addresses = Addresses::default();
        for number in 0..u32::try_from(REMEMBERED_MAX).expect("few") + 10 {
            let ip = IpAddr::from((0x0a00_0000 + number).to_be_bytes());
            addresses.refused(SocketAddr::new(ip, 1), at(u64::from(number) / 10_000));
        }
        assert_eq!((addresses.places.len(), addresses.refused.len()), (REMEMBERED_MAX, REMEMBERED_MAX));
        assert!(!addresses.places.contains_key(&IpAddr::from([10, 0, 0, 9])), "the first");
        assert!(addresses.places.contains_key(&IpAddr::from([10, 0, 0, 10])));
    }
}
