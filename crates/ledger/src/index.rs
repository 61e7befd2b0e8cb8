//! Dense indices and references. They never leave the server: what clients see is sealed.

use std::num::NonZeroU32;

macro_rules! index {
    ($($(#[$meta:meta])* $name:ident;)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU32);

        impl $name {
            /// The index of the `slot`-th object ever made.
            pub fn new(slot: usize) -> Self {
                let one_based = u32::try_from(slot + 1).ok().and_then(NonZeroU32::new);
                Self(one_based.expect("fewer than 2³² objects of a kind"))
            }

            pub fn slot(self) -> usize {
                self.0.get() as usize - 1
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}#{}", stringify!($name).trim_end_matches("Index"), self.slot())
            }
        }
    )*};
}

index! {
    OrganizationIndex;
    AccountIndex;
    BalanceIndex;
    FamilyIndex;
    CredentialIndex;
    UserIndex;
    /// A product or the one who used it, interned.
    NameIndex;
    MembershipIndex;
    InvitationIndex;
    PermissionSetIndex;
}

/// Counts the holds of a book.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct HoldId(pub u64);

/// A charge, named by the balance whose usage it was and its number there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ChargeId {
    pub balance: BalanceIndex,
    pub entry: u64,
}

/// Where an event stands in the journal: a group's position and a byte offset in its body.
/// References order events; zero stands before all of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EventRef(u64);

const OFFSET_BITS: u32 = 19;

impl EventRef {
    pub const NONE: Self = Self(0);

    pub fn new(position: u64, offset: usize) -> Self {
        debug_assert!(offset < 1 << OFFSET_BITS && position < 1 << (64 - OFFSET_BITS));
        Self(position << OFFSET_BITS | offset as u64)
    }

    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    pub const fn raw(self) -> u64 {
        self.0
    }

    pub const fn position(self) -> u64 {
        self.0 >> OFFSET_BITS
    }

    pub const fn offset(self) -> usize {
        (self.0 & ((1 << OFFSET_BITS) - 1)) as usize
    }

    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl std::fmt::Debug for EventRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}+{}", self.position(), self.offset())
    }
}
