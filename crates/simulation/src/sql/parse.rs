//! From the text of a statement to what it says.

use journal_postgres::Cell;

use super::Refusal;
use super::tables::Kind;
use super::token::{Token, tokens};

#[derive(Debug)]
pub(super) enum Statement {
    Select(Select),
    Insert {
        table: String,
        columns: Vec<String>,
        source: Select,
    },
    Update {
        table: String,
        sets: Vec<(String, Expression)>,
        filter: Option<Expression>,
    },
    Delete {
        table: String,
        filter: Option<Expression>,
    },
    Create {
        table: String,
        columns: Vec<(String, Kind)>,
        key: Vec<String>,
    },
    /// Transactions of migrations, and how something is stored.
    Nothing,
}

#[derive(Debug, Default)]
pub(super) struct Select {
    pub(super) columns: Vec<Expression>,
    pub(super) from: Option<Source>,
    pub(super) left_join: Option<(Source, Expression)>,
    pub(super) filter: Option<Expression>,
    pub(super) group: Vec<Expression>,
    /// And whether the largest comes first.
    pub(super) order: Vec<(Expression, bool)>,
    pub(super) limit: Option<Expression>,
}

#[derive(Debug)]
pub(super) enum Source {
    Table(String),
    Unnest { lists: Vec<Expression>, name: String, columns: Vec<String> },
}

#[derive(Debug)]
pub(super) enum Expression {
    Value(Cell),
    /// Counted from 0.
    Parameter(usize),
    Column(Option<String>, String),
    Compare(&'static str, Box<Expression>, Box<Expression>),
    Any(Box<Expression>, Box<Expression>),
    And(Vec<Expression>),
    Not(Box<Expression>),
    Add(Box<Expression>, Box<Expression>),
    Exists(Box<Select>),
    Scalar(Box<Select>),
    Call(String, Vec<Expression>),
}

pub(super) fn statement(sql: &str) -> Result<Statement, Refusal> {
    let mut parser = Parser { tokens: tokens(sql)?, at: 0, sql };
    let statement = parser.statement()?;
    match parser.peek() {
        None => Ok(statement),
        Some(_) => Err(parser.unexpected()),
    }
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    sql: &'a str,
}

type Parsed<T> = Result<T, Refusal>;

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn unexpected(&self) -> Refusal {
        Refusal::syntax(format!("at {:?} of {}", self.peek(), self.sql))
    }

    fn next(&mut self) -> Parsed<Token> {
        let token = self.peek().cloned().ok_or_else(|| self.unexpected())?;
        self.at += 1;
        Ok(token)
    }

    fn takes(&mut self, wanted: &Token) -> bool {
        let takes = self.peek() == Some(wanted);
        self.at += usize::from(takes);
        takes
    }

    fn mark(&mut self, mark: &'static str) -> bool {
        self.takes(&Token::Mark(mark))
    }

    /// All of these words, or none.
    fn words(&mut self, words: &str) -> bool {
        let start = self.at;
        let all = words.split(' ').all(|word| self.takes(&Token::Word(word.to_owned())));
        if !all {
            self.at = start;
        }
        all
    }

    fn expect(&mut self, taken: bool) -> Parsed<()> {
        if taken { Ok(()) } else { Err(self.unexpected()) }
    }

    fn expect_mark(&mut self, mark: &'static str) -> Parsed<()> {
        let taken = self.mark(mark);
        self.expect(taken)
    }

    fn expect_words(&mut self, words: &str) -> Parsed<()> {
        let taken = self.words(words);
        self.expect(taken)
    }

    fn name(&mut self) -> Parsed<String> {
        match self.next()? {
            Token::Word(name) => Ok(name),
            _ => Err(self.unexpected()),
        }
    }

    fn list<T>(&mut self, one: impl Fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut all = vec![one(self)?];
        while self.mark(",") {
            all.push(one(self)?);
        }
        Ok(all)
    }

    fn in_brackets<T>(&mut self, one: impl Fn(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.expect_mark("(")?;
        let inner = one(self)?;
        self.expect_mark(")")?;
        Ok(inner)
    }

    fn statement(&mut self) -> Parsed<Statement> {
        if self.words("insert into") {
            let table = self.name()?;
            let columns = self.in_brackets(|it| it.list(Self::name))?;
            let source = if self.words("values") {
                let columns = self.in_brackets(|it| it.list(Self::expression))?;
                Select { columns, ..Select::default() }
            } else {
                self.select()?
            };
            return Ok(Statement::Insert { table, columns, source });
        }
        if self.words("update") {
            let table = self.name()?;
            self.expect_words("set")?;
            let sets = self.list(|it| {
                let column = it.name()?;
                it.expect_mark("=")?;
                Ok((column, it.sum()?))
            })?;
            return Ok(Statement::Update { table, sets, filter: self.filter()? });
        }
        if self.words("delete from") {
            let table = self.name()?;
            return Ok(Statement::Delete { table, filter: self.filter()? });
        }
        if self.words("create table if not exists") {
            return self.create();
        }
        for words in ["begin", "commit", "savepoint", "rollback to", "alter table"] {
            if self.words(words) {
                self.at = self.tokens.len();
                return Ok(Statement::Nothing);
            }
        }
        self.select().map(Statement::Select)
    }

    fn create(&mut self) -> Parsed<Statement> {
        let table = self.name()?;
        let (mut columns, mut key) = (Vec::new(), Vec::new());
        self.expect_mark("(")?;
        loop {
            if self.words("primary key") {
                key = self.in_brackets(|it| it.list(Self::name))?;
            } else {
                let column = self.name()?;
                let kind = match self.name()?.as_str() {
                    "int4" => Kind::Int4,
                    "int8" => Kind::Int8,
                    "bytea" | "uuid" | "text" => Kind::Other,
                    _ => return Err(self.unexpected()),
                };
                if self.words("primary key") {
                    key.push(column.clone());
                }
                self.words("not null");
                columns.push((column, kind));
            }
            if !self.mark(",") {
                break;
            }
        }
        self.expect_mark(")")?;
        Ok(Statement::Create { table, columns, key })
    }

    fn filter(&mut self) -> Parsed<Option<Expression>> {
        if self.words("where") { self.expression().map(Some) } else { Ok(None) }
    }

    fn select(&mut self) -> Parsed<Select> {
        self.expect_words("select")?;
        let mut select = Select { columns: self.list(Self::expression)?, ..Select::default() };
        if self.words("from") {
            select.from = Some(self.source()?);
        }
        if self.words("left join") {
            let source = self.source()?;
            self.expect_words("on")?;
            select.left_join = Some((source, self.expression()?));
        }
        select.filter = self.filter()?;
        if self.words("group by") {
            select.group = self.list(Self::expression)?;
        }
        if self.words("order by") {
            select.order = self.list(|it| Ok((it.expression()?, it.words("desc"))))?;
        }
        if self.words("limit") {
            select.limit = Some(self.expression()?);
        }
        self.words("for update");
        Ok(select)
    }

    fn source(&mut self) -> Parsed<Source> {
        if !self.words("unnest") {
            return self.name().map(Source::Table);
        }
        let lists = self.in_brackets(|it| it.list(Self::expression))?;
        self.expect_words("as")?;
        let name = self.name()?;
        Ok(Source::Unnest { lists, name, columns: self.in_brackets(|it| it.list(Self::name))? })
    }

    fn expression(&mut self) -> Parsed<Expression> {
        let first = self.comparison()?;
        let mut all = vec![first];
        while self.words("and") {
            all.push(self.comparison()?);
        }
        match all.len() {
            1 => all.pop().ok_or_else(|| self.unexpected()),
            _ => Ok(Expression::And(all)),
        }
    }

    fn comparison(&mut self) -> Parsed<Expression> {
        if self.words("not") {
            return self.comparison().map(|it| Expression::Not(Box::new(it)));
        }
        let left = self.sum()?;
        let Some(operator) = ["=", "<>", "<=", ">=", "<", ">"].into_iter().find(|mark| self.mark(mark))
        else {
            return Ok(left);
        };
        if operator == "=" && self.words("any") {
            let list = self.in_brackets(Self::expression)?;
            return Ok(Expression::Any(Box::new(left), Box::new(list)));
        }
        Ok(Expression::Compare(operator, Box::new(left), Box::new(self.sum()?)))
    }

    fn sum(&mut self) -> Parsed<Expression> {
        let mut sum = self.term()?;
        while self.mark("+") {
            sum = Expression::Add(Box::new(sum), Box::new(self.term()?));
        }
        Ok(sum)
    }

    fn term(&mut self) -> Parsed<Expression> {
        let term = match self.next()? {
            Token::Number(number) => Expression::Value(Cell::Int8(number)),
            Token::Text(text) => Expression::Value(Cell::Text(text)),
            Token::Parameter(number) => Expression::Parameter(number),
            Token::Mark("-") => match self.next()? {
                Token::Number(number) => Expression::Value(Cell::Int8(-number)),
                _ => return Err(self.unexpected()),
            },
            Token::Mark("(") => {
                let inner = if self.peek() == Some(&Token::Word("select".to_owned())) {
                    Expression::Scalar(Box::new(self.select()?))
                } else {
                    self.expression()?
                };
                self.expect_mark(")")?;
                inner
            }
            Token::Word(word) if word == "exists" => {
                Expression::Exists(Box::new(self.in_brackets(Self::select)?))
            }
            Token::Word(word) if self.peek() == Some(&Token::Mark("(")) => {
                let arguments = self.in_brackets(|it| {
                    let mut arguments = it.list(Self::expression)?;
                    for words in ["from", "for"] {
                        if it.words(words) {
                            arguments.push(it.expression()?);
                        }
                    }
                    Ok(arguments)
                })?;
                Expression::Call(word, arguments)
            }
            Token::Word(word) if self.mark(".") => Expression::Column(Some(word), self.name()?),
            Token::Word(word) => Expression::Column(None, word),
            Token::Mark(_) => return Err(self.unexpected()),
        };
        if self.mark("::") {
            self.name()?;
            self.mark("[]");
        }
        Ok(term)
    }
}
