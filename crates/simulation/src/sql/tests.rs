use super::*;

/// Every shape of statement that the journal speaks, and what PostgreSQL answers to it.
#[test]
fn statements_answer_as_a_database_does() {
    let mut tables = Tables::default();
    let cases = [
        ("CREATE TABLE IF NOT EXISTS t (a int8, b int4, c bytea NOT NULL, PRIMARY KEY (a, b))", "0"),
        ("CREATE TABLE IF NOT EXISTS one (a int4 PRIMARY KEY, t text NOT NULL)", "0"),
        ("INSERT INTO t (a, b, c) VALUES (1, 1, $1)", "1"),
        ("INSERT INTO t (a, b, c) VALUES (1, 1, $1)", "23505"),
        (
            "INSERT INTO t (a, b, c) SELECT $2::int8, 2, $1::bytea WHERE EXISTS (SELECT 1 FROM t WHERE a = $2 AND c = $1)",
            "1",
        ),
        ("INSERT INTO t (a, b, c) SELECT 7, 7, $1 WHERE EXISTS (SELECT 1 FROM t WHERE a = 2)", "0"),
        ("INSERT INTO t (a, b, c) SELECT 7, 7, $1 WHERE NOT EXISTS (SELECT 1 FROM t WHERE a = 1)", "0"),
        ("INSERT INTO t (a, b, c) SELECT a, 5, c FROM t WHERE a = 1 AND b = 2", "1"),
        (
            "INSERT INTO t (a, b, c) SELECT new.x, 9, new.y FROM unnest($3::int8[], $4::bytea[]) AS new (x, y) \
          WHERE NOT EXISTS (SELECT 1 FROM t WHERE t.a = new.x)",
            "1",
        ),
        ("SELECT a, b FROM t WHERE a = 1 ORDER BY a DESC, b DESC LIMIT 2", "1 5, 1 2"),
        ("SELECT b FROM t WHERE a = 1 AND b <> -1 AND b >= 2 ORDER BY b", "2, 5"),
        ("SELECT max(b) FROM t WHERE a = 1", "5"),
        ("SELECT max(b) FROM t WHERE a = 99", "null"),
        ("SELECT a, min(b), max(b) FROM t WHERE a > 0 GROUP BY a", "1 1 5, 3 9 9"),
        ("SELECT substring(c FROM 2 FOR $2) FROM t WHERE a = 1 AND b = 1", "x02"),
        ("SELECT a FROM t WHERE a = ANY($3) ORDER BY a LIMIT 1", "1"),
        ("UPDATE t SET b = b + 1 WHERE a = 3 AND (SELECT max(b) FROM t WHERE a = 3) = 9", "1"),
        ("UPDATE t SET c = c WHERE a = 1 AND b = COALESCE($5, b)", "3"),
        ("UPDATE t SET c = c WHERE a = 1 AND b = COALESCE($2, b)", "1"),
        ("DELETE FROM t WHERE a = 1 AND b >= 2 AND b <= 4", "1"),
        ("INSERT INTO one (a, t) VALUES (1, 'left')", "1"),
        ("SELECT t.a, one.t FROM t LEFT JOIN one ON one.a = t.a WHERE t.b > 1", "1 left, 3 null"),
        ("SELECT a FROM nowhere", "42P01"),
        ("SELECT nothing FROM one", "42703"),
        ("SELECT a FROM one HAVING a = 1", "42601"),
    ];
    let bytes = Cell::Bytes(vec![1, 2, 3]);
    let lists =
        (Cell::List(vec![Cell::Int8(1), Cell::Int8(3)]), Cell::List(vec![bytes.clone(), bytes.clone()]));
    let parameters = [bytes, Cell::Int8(1), lists.0, lists.1, Cell::Null];
    for (sql, expected) in cases {
        let answer = match tables.commit(sql, &parameters) {
            Err(refusal) => refusal.code.to_owned(),
            Ok(effect) if effect.rows.is_empty() => effect.count.to_string(),
            Ok(effect) => effect.rows.iter().map(shown).collect::<Vec<_>>().join(", "),
        };
        assert_eq!(answer, expected, "{sql}");
    }
}

fn shown(row: &Row) -> String {
    let cells = row.0.iter().map(|cell| match cell {
        Cell::Null => "null".to_owned(),
        Cell::Int4(number) => number.to_string(),
        Cell::Int8(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Bytes(bytes) => bytes.iter().map(|byte| format!("x{byte:02}")).collect(),
        other => format!("{other:?}"),
    });
    cells.collect::<Vec<_>>().join(" ")
}
