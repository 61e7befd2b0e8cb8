//! What a statement does to tables, as rows and changes.

use std::sync::Arc;

use journal_postgres::{Cell, Row};

use super::evaluate::{Columns, Named, Scope, compare, number};
use super::parse::{Expression, Select, Source, Statement};
use super::tables::{Change, Kind, Shape, Table, Tables, Values};
use super::{Effect, Refusal};

pub(super) fn run(tables: &Tables, statement: &Statement, parameters: &[Cell]) -> Result<Effect, Refusal> {
    let scope = Scope { tables, parameters, rows: &[], outer: None };
    match statement {
        Statement::Select(inner) => Ok(Effect { rows: select(&scope, inner)?, ..Effect::default() }),
        Statement::Insert { table, columns, source } => insert(&scope, table, columns, source),
        Statement::Update { table, sets, filter } => update(&scope, table, sets, filter.as_ref()),
        Statement::Delete { table, filter } => {
            let mut changes = Vec::new();
            for key in matching(&scope, table, filter.as_ref())? {
                changes.push(Change::Remove { table: table.clone(), key: key.0 });
            }
            Ok(Effect { count: changes.len() as u64, changes, rows: Vec::new() })
        }
        Statement::Create { table, columns, key } => {
            let key = key.iter().filter_map(|key| columns.iter().position(|(name, _)| name == key)).collect();
            let shape = Arc::new(Shape { columns: columns.clone(), key });
            Ok(Effect { changes: vec![Change::Create { table: table.clone(), shape }], ..Effect::default() })
        }
        Statement::Nothing => Ok(Effect::default()),
    }
}

fn table<'a>(tables: &'a Tables, name: &str) -> Result<&'a Table, Refusal> {
    let missing = || Refusal::new("42P01", format!("relation \"{name}\" does not exist"));
    tables.table(name).ok_or_else(missing)
}

fn insert(scope: &Scope<'_>, name: &str, columns: &[String], source: &Select) -> Result<Effect, Refusal> {
    let into = table(scope.tables, name)?;
    let mut changes: Vec<Change> = Vec::new();
    for row in select(scope, source)? {
        let mut values = vec![Cell::Null; into.shape.columns.len()];
        for (column, cell) in columns.iter().zip(row.0) {
            put(&into.shape, &mut values, column, cell)?;
        }
        let key = into.shape.key_of(&values);
        let is_taken = into.rows.contains_key(&key)
            || changes.iter().any(|change| change.place().is_some_and(|(_, there)| there == key));
        if is_taken {
            let message = format!("duplicate key value violates unique constraint \"{name}_pkey\"");
            return Err(Refusal::new("23505", message));
        }
        changes.push(Change::Put { table: name.to_owned(), key, values: Arc::new(values) });
    }
    Ok(Effect { count: changes.len() as u64, changes, rows: Vec::new() })
}

/// Stores a value as its column has it.
fn put(shape: &Shape, values: &mut [Cell], name: &str, cell: Cell) -> Result<(), Refusal> {
    let missing = || Refusal::new("42703", format!("there is no column {name}"));
    let column = shape.column(name).ok_or_else(missing)?;
    let out_of_range = |_| Refusal::new("22003", format!("{name} is out of range"));
    values[column] = match (shape.columns[column].1, number(&cell)) {
        (Kind::Int4, Some(number)) => Cell::Int4(i32::try_from(number).map_err(out_of_range)?),
        (Kind::Int8, Some(number)) => Cell::Int8(number),
        (_, _) => cell,
    };
    Ok(())
}

fn update(
    scope: &Scope<'_>,
    name: &str,
    sets: &[(String, Expression)],
    filter: Option<&Expression>,
) -> Result<Effect, Refusal> {
    let shape = &table(scope.tables, name)?.shape;
    let mut changes = Vec::new();
    for (key, before) in matching(scope, name, filter)? {
        let rows = [named(name, shape, Some(&before))];
        let inner = Scope { rows: &rows, outer: Some(scope), ..*scope };
        let mut values = before.to_vec();
        for (column, expression) in sets {
            put(shape, &mut values, column, inner.value(expression)?)?;
        }
        changes.push(Change::Put { table: name.to_owned(), key, values: Arc::new(values) });
    }
    Ok(Effect { count: changes.len() as u64, changes, rows: Vec::new() })
}

/// The rows of a table that a filter lets through.
fn matching(
    scope: &Scope<'_>,
    name: &str,
    filter: Option<&Expression>,
) -> Result<Vec<(Vec<Cell>, Values)>, Refusal> {
    let from = table(scope.tables, name)?;
    let prefix = prefix(scope, name, &from.shape, filter)?;
    let mut found = Vec::new();
    let rows = from.rows.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
    for (key, values) in rows {
        let rows = [named(name, &from.shape, Some(values))];
        if (Scope { rows: &rows, outer: Some(scope), ..*scope }).is_true(filter)? {
            found.push((key.clone(), values.clone()));
        }
    }
    Ok(found)
}

/// The first columns of the key that a filter holds to one value, as far as the rows need not be read.
fn prefix(
    scope: &Scope<'_>,
    source: &str,
    shape: &Shape,
    filter: Option<&Expression>,
) -> Result<Vec<Cell>, Refusal> {
    let conjuncts = match filter {
        Some(Expression::And(all)) => all.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let mut prefix = Vec::new();
    for (name, kind) in shape.key.iter().map(|column| &shape.columns[*column]) {
        let held = conjuncts.iter().find_map(|one| match one {
            Expression::Compare("=", left, right) => match (&**left, &**right) {
                (Expression::Column(of, column), Expression::Parameter(_) | Expression::Value(_))
                    if column == name && of.as_ref().is_none_or(|of| of == source) =>
                {
                    Some(right)
                }
                _ => None,
            },
            _ => None,
        });
        let Some(held) = held else { break };
        let value = scope.value(held)?;
        prefix.push(match (kind, number(&value)) {
            (Kind::Int4, Some(number)) => i32::try_from(number).map_or(Cell::Int8(number), Cell::Int4),
            (Kind::Int8, Some(number)) => Cell::Int8(number),
            _ => value,
        });
    }
    Ok(prefix)
}

pub(super) fn select(scope: &Scope<'_>, select: &Select) -> Result<Vec<Row>, Refusal> {
    match &select.from {
        None => match scope.is_true(select.filter.as_ref())? {
            true => Ok(vec![project(scope, &select.columns)?]),
            false => Ok(Vec::new()),
        },
        Some(Source::Unnest { lists, name, columns }) => {
            let lists = lists.iter().map(|list| match scope.value(list)? {
                Cell::List(list) => Ok(list),
                other => Err(Refusal::syntax(format!("{other:?} is no list"))),
            });
            let lists = lists.collect::<Result<Vec<_>, _>>()?;
            let mut found = Vec::new();
            for at in 0..lists.iter().map(Vec::len).max().unwrap_or(0) {
                let values: Vec<Cell> =
                    lists.iter().map(|list| list.get(at).cloned().unwrap_or(Cell::Null)).collect();
                let rows = [Named { source: name, columns: Columns::Named(columns), values: Some(&values) }];
                let inner = Scope { rows: &rows, outer: Some(scope), ..*scope };
                if inner.is_true(select.filter.as_ref())? {
                    found.push(project(&inner, &select.columns)?);
                }
            }
            Ok(found)
        }
        Some(Source::Table(name)) => from_table(scope, select, name),
    }
}

fn named<'a>(source: &'a str, shape: &'a Shape, values: Option<&'a [Cell]>) -> Named<'a> {
    Named { source, columns: Columns::OfTable(shape), values }
}

fn project(scope: &Scope<'_>, columns: &[Expression]) -> Result<Row, Refusal> {
    columns.iter().map(|column| scope.value(column)).collect::<Result<_, _>>().map(Row)
}

fn from_table(scope: &Scope<'_>, select: &Select, name: &str) -> Result<Vec<Row>, Refusal> {
    let from = table(scope.tables, name)?;
    if let Some((source, on)) = &select.left_join {
        let Source::Table(other) = source else { return Err(Refusal::syntax("a join with no table")) };
        let joined = table(scope.tables, other)?;
        let mut found = Vec::new();
        for values in from.rows.values() {
            let mut matches = Vec::new();
            for there in joined.rows.values() {
                let rows = [named(name, &from.shape, Some(values)), named(other, &joined.shape, Some(there))];
                if (Scope { rows: &rows, outer: Some(scope), ..*scope }).is_true(Some(on))? {
                    matches.push(Some(there.as_slice()));
                }
            }
            if matches.is_empty() {
                matches.push(None);
            }
            for there in matches {
                let rows = [named(name, &from.shape, Some(values)), named(other, &joined.shape, there)];
                let inner = Scope { rows: &rows, outer: Some(scope), ..*scope };
                if inner.is_true(select.filter.as_ref())? {
                    found.push(project(&inner, &select.columns)?);
                }
            }
        }
        return Ok(found);
    }
    let mut found: Vec<Values> =
        matching(scope, name, select.filter.as_ref())?.into_iter().map(|(_, values)| values).collect();
    let of = |values: &Values, expression: &Expression| {
        let rows = [named(name, &from.shape, Some(values))];
        Scope { rows: &rows, outer: Some(scope), ..*scope }.value(expression)
    };
    if select.columns.iter().any(is_aggregate) {
        return aggregate(&found, select, of);
    }
    let mut failed = None;
    found.sort_by(|left, right| {
        let orders = select.order.iter().map(|(by, is_descending)| {
            let order = of(left, by).and_then(|left| compare(&left, &of(right, by)?));
            let order = order.unwrap_or_else(|refusal| {
                failed = Some(refusal);
                None
            });
            let order = order.unwrap_or(std::cmp::Ordering::Equal);
            if *is_descending { order.reverse() } else { order }
        });
        orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    if let Some(refusal) = failed {
        return Err(refusal);
    }
    if let Some(limit) = &select.limit {
        let limit = number(&scope.value(limit)?).and_then(|limit| usize::try_from(limit).ok());
        found.truncate(limit.unwrap_or(usize::MAX));
    }
    let row = |values: &Values| -> Result<Vec<Cell>, Refusal> {
        select.columns.iter().map(|column| of(values, column)).collect()
    };
    found.iter().map(|values| row(values).map(Row)).collect()
}

fn is_aggregate(column: &Expression) -> bool {
    matches!(column, Expression::Call(name, _) if name == "max" || name == "min")
}

/// One row per group; one for nothing at all, where there are no groups to make.
fn aggregate(
    found: &[Values],
    select: &Select,
    of: impl Fn(&Values, &Expression) -> Result<Cell, Refusal>,
) -> Result<Vec<Row>, Refusal> {
    let mut groups: std::collections::BTreeMap<Vec<Cell>, Vec<&Values>> = Default::default();
    if select.group.is_empty() {
        groups.insert(Vec::new(), Vec::new());
    }
    for values in found {
        let key = select.group.iter().map(|by| of(values, by)).collect::<Result<Vec<_>, _>>()?;
        groups.entry(key).or_default().push(values);
    }
    let mut rows = Vec::new();
    for members in groups.values() {
        let mut row = Vec::new();
        for column in &select.columns {
            row.push(match column {
                Expression::Call(name, arguments) if is_aggregate(column) => {
                    let [by] = arguments.as_slice() else { return Err(Refusal::syntax("min of several")) };
                    let all = members.iter().map(|it| of(it, by)).collect::<Result<Vec<_>, _>>()?;
                    let best = if name == "max" { all.into_iter().max() } else { all.into_iter().min() };
                    best.unwrap_or(Cell::Null)
                }
                column => members.first().map_or(Ok(Cell::Null), |it| of(it, column))?,
            });
        }
        rows.push(Row(row));
    }
    Ok(rows)
}
