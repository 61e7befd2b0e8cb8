//! What goes into a statement and what comes back, without the driver's types.

use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// One value of the few types that the tables have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    Null,
    Bool(bool),
    Int4(i32),
    Int8(i64),
    Bytes(Vec<u8>),
    Uuid(Uuid),
    Text(String),
    List(Vec<Cell>),
}

/// One row of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(pub Vec<Cell>);

impl Row {
    /// A column as the type that the statement says it has.
    pub(crate) fn get<'a, T: FromCell<'a>>(&'a self, column: usize) -> T {
        let cell = self.0.get(column).and_then(T::from_cell);
        cell.unwrap_or_else(|| panic!("column {column} is not what the statement says: {:?}", self.0))
    }
}

pub(crate) trait FromCell<'a>: Sized {
    fn from_cell(cell: &'a Cell) -> Option<Self>;
}

/// What a statement is given.
pub trait Parameter: ToSql + Sync {
    fn cell(&self) -> Cell;
}

pub type Parameters<'a> = &'a [&'a dyn Parameter];

macro_rules! cells {
    ($($kind:ident($type:ty): $from:expr, $into:expr;)+) => {$(
        impl<'a> FromCell<'a> for $type {
            fn from_cell(cell: &'a Cell) -> Option<Self> {
                match cell {
                    Cell::$kind(value) => Some($from(value)),
                    _ => None,
                }
            }
        }
        impl Parameter for $type {
            fn cell(&self) -> Cell {
                Cell::$kind($into(self))
            }
        }
    )+};
}

cells! {
    Bool(bool): |value: &bool| *value, |value: &bool| *value;
    Int4(i32): |value: &i32| *value, |value: &i32| *value;
    Int8(i64): |value: &i64| *value, |value: &i64| *value;
    Uuid(Uuid): |value: &Uuid| *value, |value: &Uuid| *value;
    Text(String): Clone::clone, Clone::clone;
}

impl<'a> FromCell<'a> for &'a [u8] {
    fn from_cell(cell: &'a Cell) -> Option<Self> {
        match cell {
            Cell::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl Parameter for &[u8] {
    fn cell(&self) -> Cell {
        Cell::Bytes(self.to_vec())
    }
}

impl<'a> FromCell<'a> for Vec<u8> {
    fn from_cell(cell: &'a Cell) -> Option<Self> {
        <&[u8]>::from_cell(cell).map(<[u8]>::to_vec)
    }
}

impl<'a, T: FromCell<'a>> FromCell<'a> for Option<T> {
    fn from_cell(cell: &'a Cell) -> Option<Self> {
        if *cell == Cell::Null { Some(None) } else { T::from_cell(cell).map(Some) }
    }
}

impl<T: Parameter> Parameter for Option<T> {
    fn cell(&self) -> Cell {
        self.as_ref().map_or(Cell::Null, Parameter::cell)
    }
}

impl<T: Parameter> Parameter for &[T] {
    fn cell(&self) -> Cell {
        Cell::List(self.iter().map(Parameter::cell).collect())
    }
}

impl<T: Parameter> Parameter for Vec<T> {
    fn cell(&self) -> Cell {
        self.as_slice().cell()
    }
}
