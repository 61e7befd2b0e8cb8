//! The text form: headings, comments, columns.

/// A part of a file, in its order.
pub(crate) enum Block {
    /// A comment or an empty line.
    Text(String),
    Table(Table),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) after: Option<String>,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) step: String,
    pub(crate) outcome: String,
    pub(crate) cells: Vec<String>,
}

pub(crate) fn read(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut title = (String::new(), None);
    let mut table: Option<Table> = None;
    for line in text.lines() {
        let is_text = line.trim().is_empty() || line.starts_with('#') || line.starts_with("==");
        if is_text {
            blocks.extend(table.take().map(Block::Table));
            if let Some(heading) = line.strip_prefix("==") {
                title = read_title(heading);
            }
            blocks.push(Block::Text(line.to_owned()));
            continue;
        }
        let mut cells = line.split('|').map(|cell| cell.trim().to_owned());
        let first = cells.next().unwrap_or_default();
        match &mut table {
            None => {
                assert_eq!(first, "step", "a table begins with its headings: {line}");
                let (title, after) = std::mem::take(&mut title);
                table = Some(Table { title, after, columns: cells.skip(1).collect(), rows: Vec::new() });
            }
            Some(table) => {
                let outcome = cells.next().unwrap_or_default();
                table.rows.push(Row { step: first, outcome, cells: cells.collect() });
            }
        }
    }
    blocks.extend(table.map(Block::Table));
    blocks
}

fn read_title(heading: &str) -> (String, Option<String>) {
    match heading.split_once(", after ") {
        Some((title, after)) => (title.trim().to_owned(), Some(after.trim().to_owned())),
        None => (heading.trim().to_owned(), None),
    }
}

pub(crate) fn print(blocks: &[Block]) -> String {
    let mut text = String::new();
    for block in blocks {
        match block {
            Block::Text(line) => text.push_str(&format!("{line}\n")),
            Block::Table(table) => print_table(table, &mut text),
        }
    }
    text
}

fn print_table(table: &Table, text: &mut String) {
    let mut lines = vec![["step", "outcome"].map(str::to_owned).to_vec()];
    lines[0].extend(table.columns.iter().cloned());
    for row in &table.rows {
        let mut line = vec![row.step.clone(), row.outcome.clone()];
        line.extend(row.cells.iter().cloned());
        lines.push(line);
    }
    let columns = lines[0].len();
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let printed = cells.collect::<Vec<_>>().join(" | ");
        text.push_str(&format!("{}\n", printed.trim_end()));
    }
}
