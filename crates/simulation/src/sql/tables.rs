//! Tables of rows in the order of their keys, and the changes that a transaction makes to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use journal_postgres::Cell;

pub type Values = Arc<Vec<Cell>>;

#[derive(Clone, Debug, Default)]
pub struct Tables {
    tables: BTreeMap<String, Table>,
}

#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) shape: Arc<Shape>,
    /// By key.
    pub(super) rows: BTreeMap<Vec<Cell>, Values>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Shape {
    pub(super) columns: Vec<(String, Kind)>,
    /// Which columns are the key.
    pub(super) key: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Int4,
    Int8,
    Other,
}

/// One row that is different afterwards, or a table that is there.
#[derive(Clone, Debug)]
pub enum Change {
    Put { table: String, key: Vec<Cell>, values: Values },
    Remove { table: String, key: Vec<Cell> },
    Create { table: String, shape: Arc<Shape> },
}

impl Change {
    /// The row it locks until its transaction ends; none for tables.
    pub fn place(&self) -> Option<(&str, &[Cell])> {
        match self {
            Self::Put { table, key, .. } | Self::Remove { table, key } => Some((table, key)),
            Self::Create { .. } => None,
        }
    }

    /// What stands there afterwards, column by column.
    pub fn values(&self) -> Option<&[Cell]> {
        match self {
            Self::Put { values, .. } => Some(values),
            Self::Remove { .. } | Self::Create { .. } => None,
        }
    }
}

impl Shape {
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|(column, _)| column == name)
    }

    pub(super) fn key_of(&self, values: &[Cell]) -> Vec<Cell> {
        self.key.iter().map(|column| values[*column].clone()).collect()
    }
}

impl Tables {
    pub(super) fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Put { table, key, values } => {
                if let Some(table) = self.tables.get_mut(table) {
                    table.rows.insert(key.clone(), values.clone());
                }
            }
            Change::Remove { table, key } => {
                if let Some(table) = self.tables.get_mut(table) {
                    table.rows.remove(key);
                }
            }
            Change::Create { table, shape } => {
                let empty = Table { shape: shape.clone(), rows: BTreeMap::new() };
                self.tables.entry(table.clone()).or_insert(empty);
            }
        }
    }
}
