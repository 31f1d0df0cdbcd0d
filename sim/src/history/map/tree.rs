//! The TOML of a map: its values, each with its place in the text.
//!
//! Knows no key: `read` does.

use crate::history::hint;
use crate::scenario::nearest;
use serde_json::{Map, Value};
use toml_edit::{Item, TableLike, Value as Written};

/// A value, and at which byte of the text it begins.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) at: usize,
    pub(crate) node: Node,
}

#[derive(Debug)]
pub(crate) enum Node {
    /// A text, a number, true or false.
    One(Value),
    List(Vec<Tree>),
    Table(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_at: usize,
    pub(crate) value: Tree,
}

impl Tree {
    /// That of a whole text.
    pub(crate) fn of_table(table: &dyn TableLike, at: usize) -> Tree {
        let entries = table.iter().filter_map(|(key, _)| table.get_key_value(key));
        let entries = entries.map(|(key, item)| {
            let key_at = key.span().or_else(|| item.span()).map_or(at, |span| span.start);
            Entry { key: key.get().to_owned(), key_at, value: Tree::of(item, key_at) }
        });
        Tree { at, node: Node::Table(entries.collect()) }
    }

    fn of(item: &Item, around: usize) -> Tree {
        let at = item.span().map_or(around, |span| span.start);
        match item {
            Item::None => Tree { at, node: Node::One(Value::Null) },
            Item::Value(value) => Tree::of_value(value, around),
            Item::Table(table) => Tree::of_table(table, at),
            Item::ArrayOfTables(tables) => {
                let place = |span: Option<std::ops::Range<usize>>| span.map_or(at, |span| span.start);
                let all = tables.iter().map(|table| Tree::of_table(table, place(table.span())));
                Tree { at, node: Node::List(all.collect()) }
            }
        }
    }

    fn of_value(value: &Written, around: usize) -> Tree {
        let at = value.span().map_or(around, |span| span.start);
        let node = match value {
            Written::String(text) => Node::One(text.value().as_str().into()),
            Written::Integer(number) => Node::One((*number.value()).into()),
            Written::Float(number) => Node::One((*number.value()).into()),
            Written::Boolean(truth) => Node::One((*truth.value()).into()),
            Written::Datetime(instant) => Node::One(instant.value().to_string().into()),
            Written::Array(list) => Node::List(list.iter().map(|value| Tree::of_value(value, at)).collect()),
            Written::InlineTable(table) => return Tree::of_table(table, at),
        };
        Tree { at, node }
    }

    /// It as JSON.
    pub(crate) fn json(&self) -> Value {
        match &self.node {
            Node::One(value) => value.clone(),
            Node::List(list) => list.iter().map(Tree::json).collect(),
            Node::Table(entries) => Value::Object(
                entries.iter().map(|entry| (entry.key.clone(), entry.value.json())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// Its entries, if it is a table.
    pub(crate) fn entries(&self) -> Option<&[Entry]> {
        match &self.node {
            Node::Table(entries) => Some(entries),
            Node::One(_) | Node::List(_) => None,
        }
    }

    /// Its values, if it is a list.
    pub(crate) fn list(&self) -> Option<&[Tree]> {
        match &self.node {
            Node::List(list) => Some(list),
            Node::One(_) | Node::Table(_) => None,
        }
    }

    /// It as a text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.node {
            Node::One(value) => value.as_str(),
            Node::List(_) | Node::Table(_) => None,
        }
    }

    /// The keys that a table of this name has besides these, each at its place, with what may have been meant.
    pub(crate) fn unknown(&self, name: &str, keys: &[&str]) -> impl Iterator<Item = (usize, String)> {
        let others = self.entries().unwrap_or_default().iter().filter(|entry| !keys.contains(&entry.key.as_str()));
        others.map(move |Entry { key, key_at, .. }| {
            let meant = hint(nearest(key, keys.iter().copied()));
            (*key_at, format!("{name} has no `{key}`{meant}; it has {}", keys.join(", ")))
        })
    }

    /// The entry of a table with this key.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries()?.iter().find(|entry| entry.key == key)
    }
}
