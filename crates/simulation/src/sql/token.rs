//! The words, numbers and marks of a statement.

use super::Refusal;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// In lower case: a keyword or a name.
    Word(String),
    Number(i64),
    Text(String),
    Parameter(usize),
    Mark(&'static str),
}

const MARKS: [&str; 16] =
    ["::", "[]", "<>", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "+", "-", "*", ";"];

pub(super) fn tokens(sql: &str) -> Result<Vec<Token>, Refusal> {
    let (mut tokens, mut rest) = (Vec::new(), sql.trim_start());
    while let Some(first) = rest.chars().next() {
        let length = if first.is_ascii_alphabetic() || first == '_' {
            let length = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            let length = length.unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..length].to_ascii_lowercase()));
            length
        } else if first.is_ascii_digit() || first == '$' {
            let digits = &rest[usize::from(first == '$')..];
            let length = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
            let number: i64 = digits[..length].parse().map_err(|_| Refusal::syntax(sql))?;
            tokens.push(match first {
                '$' => Token::Parameter(usize::try_from(number - 1).map_err(|_| Refusal::syntax(sql))?),
                _ => Token::Number(number),
            });
            length + usize::from(first == '$')
        } else if first == '\'' {
            let length = rest[1..].find('\'').ok_or_else(|| Refusal::syntax(sql))?;
            tokens.push(Token::Text(rest[1..=length].to_owned()));
            length + 2
        } else {
            let mark = MARKS.into_iter().find(|mark| rest.starts_with(mark));
            let mark = mark.ok_or_else(|| Refusal::syntax(sql))?;
            tokens.push(Token::Mark(mark));
            mark.len()
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}
