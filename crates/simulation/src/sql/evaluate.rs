//! What an expression comes to for one row.

use std::cmp::Ordering;

use journal_postgres::Cell;

use super::Refusal;
use super::execute::select;
use super::parse::Expression;
use super::tables::Tables;

/// What names stand for: the rows at hand, innermost first.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) tables: &'a Tables,
    pub(super) parameters: &'a [Cell],
    pub(super) rows: &'a [Named<'a>],
    pub(super) outer: Option<&'a Scope<'a>>,
}

/// A row of a source; None, where a join found nothing.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) source: &'a str,
    pub(super) columns: Columns<'a>,
    pub(super) values: Option<&'a [Cell]>,
}

#[derive(Clone, Copy)]
pub(super) enum Columns<'a> {
    OfTable(&'a super::tables::Shape),
    Named(&'a [String]),
}

impl Columns<'_> {
    fn find(self, name: &str) -> Option<usize> {
        match self {
            Self::OfTable(shape) => shape.column(name),
            Self::Named(names) => names.iter().position(|column| column == name),
        }
    }
}

impl Scope<'_> {
    fn column(&self, source: Option<&str>, name: &str) -> Result<Cell, Refusal> {
        for row in self.rows {
            if source.is_none_or(|source| source == row.source)
                && let Some(column) = row.columns.find(name)
            {
                return Ok(row.values.map_or(Cell::Null, |values| values[column].clone()));
            }
        }
        match self.outer {
            Some(outer) => outer.column(source, name),
            None => Err(Refusal::new("42703", format!("there is no column {name}"))),
        }
    }

    pub(super) fn is_true(&self, filter: Option<&Expression>) -> Result<bool, Refusal> {
        filter.map_or(Ok(true), |filter| Ok(self.value(filter)? == Cell::Bool(true)))
    }

    pub(super) fn value(&self, expression: &Expression) -> Result<Cell, Refusal> {
        Ok(match expression {
            Expression::Value(value) => value.clone(),
            Expression::Parameter(number) => {
                let missing = || Refusal::syntax(format!("parameter {number} is not given"));
                self.parameters.get(*number).cloned().ok_or_else(missing)?
            }
            Expression::Column(source, name) => self.column(source.as_deref(), name)?,
            Expression::Compare(operator, left, right) => {
                match compare(&self.value(left)?, &self.value(right)?)? {
                    None => Cell::Null,
                    Some(order) => Cell::Bool(match *operator {
                        "=" => order.is_eq(),
                        "<>" => order.is_ne(),
                        "<" => order.is_lt(),
                        "<=" => order.is_le(),
                        ">" => order.is_gt(),
                        _ => order.is_ge(),
                    }),
                }
            }
            Expression::Any(left, list) => {
                let (left, list) = (self.value(left)?, self.value(list)?);
                let Cell::List(list) = list else { return Err(Refusal::syntax("ANY of no list")) };
                let mut found = false;
                for one in &list {
                    found |= compare(&left, one)?.is_some_and(Ordering::is_eq);
                }
                Cell::Bool(found)
            }
            Expression::And(all) => {
                for one in all {
                    if self.value(one)? != Cell::Bool(true) {
                        return Ok(Cell::Bool(false));
                    }
                }
                Cell::Bool(true)
            }
            Expression::Not(inner) => match self.value(inner)? {
                Cell::Bool(value) => Cell::Bool(!value),
                _ => Cell::Null,
            },
            Expression::Add(left, right) => match (number(&self.value(left)?), number(&self.value(right)?)) {
                (Some(left), Some(right)) => Cell::Int8(left + right),
                _ => Cell::Null,
            },
            Expression::Exists(inner) => Cell::Bool(!select(self, inner)?.is_empty()),
            Expression::Scalar(inner) => {
                let rows = select(self, inner)?;
                rows.into_iter().next().and_then(|row| row.0.into_iter().next()).unwrap_or(Cell::Null)
            }
            Expression::Call(name, arguments) => self.call(name, arguments)?,
        })
    }

    fn call(&self, name: &str, arguments: &[Expression]) -> Result<Cell, Refusal> {
        let values = arguments.iter().map(|it| self.value(it)).collect::<Result<Vec<_>, _>>()?;
        Ok(match (name, values.as_slice()) {
            ("coalesce", values) => {
                values.iter().find(|it| **it != Cell::Null).cloned().unwrap_or(Cell::Null)
            }
            ("substring", [Cell::Bytes(bytes), from, length]) => {
                let start = number(from).and_then(|from| usize::try_from(from - 1).ok()).unwrap_or(0);
                let length = number(length).and_then(|it| usize::try_from(it).ok()).unwrap_or(0);
                let start = start.min(bytes.len());
                Cell::Bytes(bytes[start..(start + length).min(bytes.len())].to_vec())
            }
            ("pg_total_relation_size", _) => Cell::Int8(0),
            _ => return Err(Refusal::new("42883", format!("there is no function {name}"))),
        })
    }
}

pub(super) fn number(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Int4(number) => Some(i64::from(*number)),
        Cell::Int8(number) => Some(*number),
        _ => None,
    }
}

/// None, where something is not known.
pub(super) fn compare(left: &Cell, right: &Cell) -> Result<Option<Ordering>, Refusal> {
    if *left == Cell::Null || *right == Cell::Null {
        return Ok(None);
    }
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return Ok(Some(left.cmp(&right)));
    }
    if std::mem::discriminant(left) != std::mem::discriminant(right) {
        return Err(Refusal::new("42883", format!("{left:?} is not compared with {right:?}")));
    }
    Ok(Some(left.cmp(right)))
}
