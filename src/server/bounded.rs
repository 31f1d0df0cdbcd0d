//! A map that keeps only its newest entries: what the server remembers of strangers (TICKET-4, ATT-1).

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

/// Keeps at most `limit` entries; putting one more drops the one put longest ago.
///
/// Two are equal when they hold the same entries in the same order, however they came to it.
#[derive(Clone, Debug)]
pub(super) struct Bounded<Key, Value> {
    limit: usize,
    entries: BTreeMap<Key, (u64, Value)>,
    order: BTreeMap<u64, Key>,
    puts: u64,
}

impl<Key: Copy + Ord, Value: PartialEq> PartialEq for Bounded<Key, Value> {
    fn eq(&self, other: &Self) -> bool {
        self.limit == other.limit && self.oldest_first().eq(other.oldest_first())
    }
}

impl<Key: Copy + Ord, Value: Eq> Eq for Bounded<Key, Value> {}

impl<Key: Copy + Ord + Hash, Value: Hash> Hash for Bounded<Key, Value> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.limit.hash(state);
        self.entries.len().hash(state);
        self.oldest_first().for_each(|entry| entry.hash(state));
    }
}

impl<Key: Copy + Ord, Value> Bounded<Key, Value> {
    pub(super) fn new(limit: usize) -> Self {
        Bounded { limit, entries: BTreeMap::new(), order: BTreeMap::new(), puts: 0 }
    }

    pub(super) fn find(&self, key: &Key) -> Option<&Value> {
        self.entries.get(key).map(|(_, value)| value)
    }

    pub(super) fn put(&mut self, key: Key, value: Value) {
        self.remove(&key);
        self.puts += 1;
        self.entries.insert(key, (self.puts, value));
        self.order.insert(self.puts, key);
        while self.entries.len() > self.limit {
            let (_, oldest) = self.order.pop_first().expect("every entry has a place in the order");
            self.entries.remove(&oldest);
        }
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Value> {
        let (put, value) = self.entries.remove(key)?;
        self.order.remove(&put);
        Some(value)
    }

    fn oldest_first(&self) -> impl Iterator<Item = (&Key, &Value)> {
        self.order.values().map(|key| (key, &self.entries[key].1))
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.entries.values_mut().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::Bounded;

    /// TICKET-4: the oldest record is dropped, and putting again makes a record new.
    #[test]
    fn the_entry_put_longest_ago_goes_first() {
        let mut bounded = Bounded::new(2);
        bounded.put('a', 1);
        bounded.put('b', 2);
        bounded.put('a', 3);
        bounded.put('c', 4);
        assert_eq!((bounded.find(&'a'), bounded.find(&'b'), bounded.find(&'c')), (Some(&3), None, Some(&4)));
    }

    #[test]
    fn what_was_dropped_leaves_no_trace() {
        let mut long = Bounded::new(2);
        for number in 0..100 {
            long.put(number, 'x');
        }
        let mut short = Bounded::new(2);
        short.put(98, 'x');
        assert_ne!(long, short);
        short.put(99, 'x');
        assert_eq!(long, short);
        short.put(98, 'x');
        assert_ne!(long, short, "the order decides who goes next");
    }
}
