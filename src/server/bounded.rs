//! A map that keeps only its newest entries: what the server remembers of strangers (TICKET-4, ATT-1).

use std::collections::BTreeMap;

/// Keeps at most `limit` entries; putting one more drops the one put longest ago.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Bounded<Key, Value> {
    limit: usize,
    entries: BTreeMap<Key, (u64, Value)>,
    order: BTreeMap<u64, Key>,
    puts: u64,
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
}
