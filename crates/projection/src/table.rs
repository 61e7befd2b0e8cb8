//! A table: its columns once, and every statement made from them.

/// A column, or the two of an amount.
pub(crate) enum Column {
    /// Part of the primary key.
    Key(&'static str, &'static str),
    Plain(&'static str, &'static str),
    /// `<name>_units int8, <name>_nanos int4`.
    Money(&'static str),
}

pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [Column],
}

/// Rows come as one JSON array of objects, so that a batch is one statement a table.
const ROWS: &str = "json_populate_recordset";

impl Table {
    /// Its columns' names and types.
    fn columns(&self) -> impl Iterator<Item = (String, &'static str)> {
        self.columns.iter().flat_map(|column| match column {
            Column::Key(name, kind) | Column::Plain(name, kind) => vec![((*name).to_owned(), *kind)],
            Column::Money(name) => vec![(format!("{name}_units"), "int8"), (format!("{name}_nanos"), "int4")],
        })
    }

    fn keys(&self) -> Vec<&'static str> {
        let key = |column: &Column| match column {
            Column::Key(name, _) => Some(*name),
            Column::Plain(..) | Column::Money(_) => None,
        };
        self.columns.iter().filter_map(key).collect()
    }

    fn names(&self) -> String {
        self.columns().map(|(name, _)| name).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn create(&self) -> String {
        let columns: Vec<_> = self.columns().map(|(name, kind)| format!("{name} {kind}")).collect();
        let keys = self.keys().join(", ");
        format!("CREATE TABLE reporting.{} ({}, PRIMARY KEY ({keys}))", self.name, columns.join(", "))
    }

    fn rows(&self) -> String {
        format!("{ROWS}(NULL::reporting.{}, $1::text::json)", self.name)
    }

    pub(crate) fn insert(&self) -> String {
        let names = self.names();
        format!("INSERT INTO reporting.{} ({names}) SELECT {names} FROM {}", self.name, self.rows())
    }

    /// Inserts, or puts the new row in the place of the old.
    pub(crate) fn put(&self) -> String {
        let keys = self.keys();
        let rest = self.columns().map(|(name, _)| name).filter(|name| !keys.contains(&name.as_str()));
        let set: Vec<_> = rest.map(|name| format!("{name} = EXCLUDED.{name}")).collect();
        format!("{} ON CONFLICT ({}) DO UPDATE SET {}", self.insert(), keys.join(", "), set.join(", "))
    }

    /// Changes these columns of rows that are there.
    pub(crate) fn update(&self, columns: &[&str]) -> String {
        let set: Vec<_> = columns.iter().map(|name| format!("{name} = row.{name}")).collect();
        let keys: Vec<_> = self.keys().iter().map(|key| format!("there.{key} = row.{key}")).collect();
        format!(
            "UPDATE reporting.{} AS there SET {} FROM {} AS row WHERE {}",
            self.name,
            set.join(", "),
            self.rows(),
            keys.join(" AND ")
        )
    }

    /// Inserts, or adds counts and amounts to the row that is there.
    pub(crate) fn add(&self, rows: &str) -> String {
        let there = self.name;
        let sum = |name: &str| format!("{there}.{name} + EXCLUDED.{name}");
        let set = self.columns.iter().filter_map(|column| match column {
            Column::Key(..) => None,
            Column::Plain(name, _) => Some(format!("{name} = {}", sum(name))),
            Column::Money(name) => {
                let (units, nanos) = (sum(&format!("{name}_units")), sum(&format!("{name}_nanos")));
                Some(format!(
                    "{name}_units = {units} + ({nanos}) / 1000000000, {name}_nanos = ({nanos}) % 1000000000"
                ))
            }
        });
        let set = set.collect::<Vec<_>>().join(", ");
        let names = self.names();
        let keys = self.keys().join(", ");
        format!(
            "INSERT INTO reporting.{there} AS {there} ({names}) {rows} ON CONFLICT ({keys}) DO UPDATE SET {set}"
        )
    }

    /// The rows themselves, for [`Table::add`].
    pub(crate) fn select(&self) -> String {
        format!("SELECT {} FROM {}", self.names(), self.rows())
    }
}

/// An amount as a number, for the views.
pub(crate) fn number(of: &str, name: &str) -> String {
    format!("{of}.{name}_units + {of}.{name}_nanos * 0.000000001 AS {name}")
}
