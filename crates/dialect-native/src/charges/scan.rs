//! Reading a charge in one pass, as nearly every client writes it.
//!
//! What is out of the ordinary (escapes, nulls, anything wrong) is not judged here: the reader of the
//! wire type does that, and says what is wrong. Both give the same for everything this one accepts.

use std::borrow::Cow;

use dialect::read_amount;
use domain::{Currency, Nanos};
use ledger::{Admission, ChargeKind};

use super::asked::{Asked, Span};

/// A place in a text.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Whether a new line is a space like any other; between lines it is not.
    over_lines: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str, over_lines: bool) -> Self {
        Self { text, at: 0, over_lines }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over `byte`, if it is there.
    pub(crate) fn skip(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    pub(crate) fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            let is_space = matches!(byte, b' ' | b'\t' | b'\r') || (byte == b'\n' && self.over_lines);
            if !is_space {
                break;
            }
            self.at += 1;
        }
    }

    /// The charge that begins here, if it is an ordinary one; the place is then behind it.
    pub(crate) fn charge(&mut self) -> Option<Asked<'a>> {
        let mut found = Found::default();
        if !self.skip(b'{') {
            return None;
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            self.skip_space();
            if !self.skip(b':') {
                return None;
            }
            self.skip_space();
            self.member(name, &mut found)?;
            self.skip_space();
            if self.skip(b'}') {
                return found.into_asked();
            }
            if !self.skip(b',') {
                return None;
            }
        }
    }

    fn member(&mut self, name: &str, found: &mut Found<'a>) -> Option<()> {
        match name {
            "account" => once(&mut found.account, self.string()?),
            "amount" => once(&mut found.amount, self.amount()?),
            "product" => once(&mut found.product, self.string()?),
            "quantity" => once(&mut found.quantity, self.amount()?),
            "key" => once(&mut found.key, self.string()?),
            "used_by" => once(&mut found.used_by, self.string()?),
            "reference" => once(&mut found.reference, self.string()?),
            "currency" => once(&mut found.currency, Currency::parse(self.string()?).ok()?),
            "kind" => once(&mut found.kind, kind(self.string()?)?),
            "admission" => once(&mut found.admission, admission(self.string()?)?),
            _ => None,
        }
    }

    fn amount(&mut self) -> Option<Nanos> {
        if self.peek()? == b'"' {
            return read_amount(self.string()?).ok();
        }
        let rest = self.rest();
        let is_number = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E');
        let length = rest.bytes().take_while(|byte| is_number(*byte)).count();
        self.at += length;
        read_amount(&rest[..length]).ok()
    }

    /// A string without escapes.
    fn string(&mut self) -> Option<&'a str> {
        if !self.skip(b'"') {
            return None;
        }
        let bytes = &self.text.as_bytes()[self.at..];
        let length = plain(bytes);
        if bytes.get(length) != Some(&b'"') {
            return None;
        }
        let start = self.at;
        self.at += length + 1;
        Some(&self.text[start..start + length])
    }
}

/// How many bytes stand before the first quote, backslash or control character; eight are looked at together.
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let zero_in = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let mut length = 0;
    for word in bytes.chunks_exact(8) {
        let word = u64::from_le_bytes(word.try_into().expect("eight bytes"));
        let quote = zero_in(word ^ (ONES * u64::from(b'"')));
        let backslash = zero_in(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let special = quote | backslash | control;
        if special != 0 {
            // Borrows spoil only what stands behind the first hit.
            return length + special.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
    length + bytes[length..].iter().take_while(is_plain).count()
}

fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

fn kind(name: &str) -> Option<ChargeKind> {
    match name {
        "metered" => Some(ChargeKind::Metered),
        "order" => Some(ChargeKind::Order),
        "fee" => Some(ChargeKind::Fee),
        _ => None,
    }
}

fn admission(name: &str) -> Option<Admission> {
    match name {
        "strict" => Some(Admission::Strict),
        "served" => Some(Admission::Served),
        "forced" => Some(Admission::Forced),
        _ => None,
    }
}

#[derive(Default)]
struct Found<'a> {
    account: Option<&'a str>,
    amount: Option<Nanos>,
    currency: Option<Currency>,
    kind: Option<ChargeKind>,
    admission: Option<Admission>,
    product: Option<&'a str>,
    used_by: Option<&'a str>,
    quantity: Option<Nanos>,
    reference: Option<&'a str>,
    key: Option<&'a str>,
}

impl<'a> Found<'a> {
    fn into_asked(self) -> Option<Asked<'a>> {
        let span = |text: &'a str| Span(Cow::Borrowed(text));
        Some(Asked {
            account: span(self.account?),
            amount: self.amount?,
            currency: self.currency,
            kind: self.kind.unwrap_or(ChargeKind::Metered),
            admission: self.admission.unwrap_or(Admission::Strict),
            product: self.product.map(span),
            used_by: self.used_by.map(span),
            quantity: self.quantity,
            reference: self.reference.map(span),
            key: self.key.map(span),
        })
    }
}

#[cfg(test)]
mod tests;
