//! Writing and reading of fields, and the two lists everything else is made of.

use std::sync::Arc;

use crate::seal::TextSeal;

/// The bytes are not what was written: damage, or a newer release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed record: {0}")]
pub struct Malformed(pub &'static str);

/// Appends fields to a buffer.
pub struct Writer<'a> {
    pub bytes: &'a mut Vec<u8>,
    /// What texts of the record are sealed under.
    pub seal: Option<TextSeal>,
}

/// Takes fields off the front of a slice.
pub struct Reader<'a> {
    pub bytes: &'a [u8],
    /// None where the key is gone: texts read as nothing.
    pub seal: Option<TextSeal>,
}

pub(super) trait Field: Sized {
    fn put(&self, writer: &mut Writer<'_>);
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed>;
}

impl Writer<'_> {
    pub fn varint(&mut self, mut value: u128) {
        while value >> 63 != 0 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        // Nearly all come here at once: gathered in a register, written together.
        let mut value = value as u64;
        let mut gathered = [0; 9];
        let mut length = 0;
        while value >= 0x80 {
            gathered[length] = value as u8 | 0x80;
            value >>= 7;
            length += 1;
        }
        gathered[length] = value as u8;
        self.bytes.extend_from_slice(&gathered[..=length]);
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub fn text(&mut self, text: &[u8]) {
        let seal = self.seal.as_mut().expect("whoever writes a text brings the key it is sealed under");
        let sealed = seal.seal(text);
        self.varint(sealed.len() as u128);
        self.raw(&sealed);
    }
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, seal: None }
    }

    pub fn byte(&mut self) -> Result<u8, Malformed> {
        let (&first, rest) = self.bytes.split_first().ok_or(Malformed("it ends early"))?;
        self.bytes = rest;
        Ok(first)
    }

    pub fn varint(&mut self) -> Result<u128, Malformed> {
        // Nearly all fit in 64 bits, which are cheaper to gather.
        let mut low = 0_u64;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            low |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(u128::from(low));
            }
        }
        let mut value = u128::from(low);
        for shift in (63..128).step_by(7) {
            let byte = self.byte()?;
            value |= u128::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed("a number is too long"))
    }

    pub fn small<T: TryFrom<u128>>(&mut self) -> Result<T, Malformed> {
        T::try_from(self.varint()?).map_err(|_| Malformed("a number is too large"))
    }

    pub fn raw(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(Malformed("it ends early"))?;
        self.bytes = rest;
        Ok(taken)
    }

    /// None when the key is gone. A text that its key does not open is damage.
    pub fn text(&mut self) -> Result<Option<Arc<[u8]>>, Malformed> {
        let length = self.small()?;
        let sealed = self.raw(length)?;
        match &self.seal {
            None => Ok(None),
            Some(seal) => seal.open(sealed).map(Some).ok_or(Malformed("a text does not open")),
        }
    }

    pub fn finished(&self) -> Result<(), Malformed> {
        if self.bytes.is_empty() { Ok(()) } else { Err(Malformed("it is longer than its fields")) }
    }
}

/// The fields of a struct, in the order they are stored.
macro_rules! fields {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::record::codec::Field for $name {
            fn put(&self, writer: &mut $crate::record::codec::Writer<'_>) {
                let Self { $($field),* } = self;
                $($crate::record::codec::Field::put($field, writer);)*
            }
            fn take(
                reader: &mut $crate::record::codec::Reader<'_>,
            ) -> Result<Self, $crate::record::codec::Malformed> {
                $(let $field = $crate::record::codec::Field::take(reader)?;)*
                Ok(Self { $($field),* })
            }
        }
    };
}

/// The variants of an enum, each with the number it is stored as. A number is never used again.
macro_rules! kinds {
    ($name:ident { $($number:literal => $variant:ident $(($inner:ident))? $({ $($field:ident),* $(,)? })?),* $(,)? }) => {
        impl $crate::record::codec::Field for $name {
            fn put(&self, writer: &mut $crate::record::codec::Writer<'_>) {
                match self {
                    $(Self::$variant $(($inner))? $({ $($field),* })? => {
                        writer.bytes.push($number);
                        $($crate::record::codec::Field::put($inner, writer);)?
                        $($($crate::record::codec::Field::put($field, writer);)*)?
                    })*
                }
            }
            fn take(
                reader: &mut $crate::record::codec::Reader<'_>,
            ) -> Result<Self, $crate::record::codec::Malformed> {
                match reader.byte()? {
                    $($number => {
                        $(let $inner = $crate::record::codec::Field::take(reader)?;)?
                        $($(let $field = $crate::record::codec::Field::take(reader)?;)*)?
                        Ok(Self::$variant $(($inner))? $({ $($field),* })?)
                    })*
                    _ => Err($crate::record::codec::Malformed(concat!("an unknown kind of ", stringify!($name)))),
                }
            }
        }
    };
}

pub(super) use {fields, kinds};
