//! Reading JSON into wire types, and saying where it went wrong.
//!
//! The good case is one pass over text that was checked to be UTF-8 once. Only a failure is read a
//! second time, to learn which field it was in.
//!
//! Whether unknown members are ignored is the wire type's to say (`#[serde(deny_unknown_fields)]`);
//! a member that is there twice is always refused.

use std::fmt;
use std::str;

use serde::Deserialize;
use serde_path_to_error::Segment as SerdeSegment;

/// Why a text was not what it should have been, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message} (line {line}, column {column})")]
pub struct JsonError {
    pub kind: JsonErrorKind,
    /// The member concerned: also the one that is missing, unknown or there twice.
    pub path: FieldPath,
    /// What is wrong, without where: ``missing field `amount` ``.
    pub message: String,
    /// Counted from 1; 0 when the text ended.
    pub line: usize,
    pub column: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonErrorKind {
    /// Not JSON, not UTF-8, or not all of it.
    Syntax,
    Missing,
    Unknown,
    Duplicate,
    /// JSON, but not a value that may stand there.
    Invalid,
}

/// The way from the top of a body to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldPath(pub Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    Field(String),
    Index(usize),
}

/// Reads one value; what stands behind it is an error.
pub fn read_json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, JsonError> {
    // From text, not bytes: the strings in it need no second check, which is a third of the time.
    let text = str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    serde_json::from_str(text).map_err(|error| diagnose::<T>(text, &error))
}

/// Reads one value per line, skipping empty lines; an error names the line of the whole text.
pub fn read_json_lines<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
) -> impl Iterator<Item = Result<T, JsonError>> {
    let lines = bytes.split(|&byte| byte == b'\n').enumerate();
    lines
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(index, line)| read_json(line).map_err(|error| JsonError { line: index + 1, ..error }))
}

fn not_utf8(bytes: &[u8], valid: usize) -> JsonError {
    let before = &bytes[..valid];
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    JsonError {
        kind: JsonErrorKind::Syntax,
        path: FieldPath::default(),
        message: "not UTF-8".to_owned(),
        line: 1 + before.iter().filter(|&&byte| byte == b'\n').count(),
        column: 1 + valid - line_start,
    }
}

fn diagnose<'a, T: Deserialize<'a>>(text: &'a str, error: &serde_json::Error) -> JsonError {
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut path = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Err(error) => FieldPath::from(error.path()),
        // The value was good; what follows it was not.
        Ok(_) => FieldPath::default(),
    };
    let full = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = full.strip_suffix(&place).unwrap_or(&full).to_owned();
    let kind = if error.is_data() { kind_of(&message) } else { JsonErrorKind::Syntax };
    // serde reports these at the object: the member itself is what the caller wants to hear of.
    if let (JsonErrorKind::Missing | JsonErrorKind::Unknown | JsonErrorKind::Duplicate, Some(name)) =
        (kind, quoted(&message))
    {
        let name = Segment::Field(name.to_owned());
        if path.0.last() != Some(&name) {
            path.0.push(name);
        }
    }
    JsonError { kind, path, message, line: error.line(), column: error.column() }
}

fn kind_of(message: &str) -> JsonErrorKind {
    if message.starts_with("missing field `") {
        JsonErrorKind::Missing
    } else if message.starts_with("unknown field `") {
        JsonErrorKind::Unknown
    } else if message.starts_with("duplicate field `") {
        JsonErrorKind::Duplicate
    } else {
        JsonErrorKind::Invalid
    }
}

fn quoted(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}

impl FieldPath {
    /// RFC 6901, as problems print it: `/charges/3/amount`; empty for the whole body.
    pub fn pointer(&self) -> String {
        let mut pointer = String::new();
        for segment in &self.0 {
            pointer.push('/');
            match segment {
                Segment::Field(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
                Segment::Index(index) => pointer.push_str(itoa::Buffer::new().format(*index)),
            }
        }
        pointer
    }

    /// The innermost name: what a dialect without nesting calls the parameter.
    pub fn field(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|segment| match segment {
            Segment::Field(name) => Some(name.as_str()),
            Segment::Index(_) => None,
        })
    }
}

/// `charges[3].amount`; `body` when it is the whole.
impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("body");
        }
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Field(name) if position == 0 => f.write_str(name)?,
                Segment::Field(name) => write!(f, ".{name}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl From<&serde_path_to_error::Path> for FieldPath {
    fn from(path: &serde_path_to_error::Path) -> Self {
        let segments = path.iter().filter_map(|segment| match segment {
            SerdeSegment::Seq { index } => Some(Segment::Index(*index)),
            SerdeSegment::Map { key } => Some(Segment::Field(key.clone())),
            SerdeSegment::Enum { variant } => Some(Segment::Field(variant.clone())),
            SerdeSegment::Unknown => None,
        });
        Self(segments.collect())
    }
}

#[cfg(test)]
mod tests;
