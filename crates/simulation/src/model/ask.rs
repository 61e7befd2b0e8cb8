//! Who asks what, and why not.

use super::{Amount, Cap, Rule};

/// Why not, in as few words as tell refusals apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum No {
    NotFound,
    SellerOnly,
    Suspended,
    Frozen,
    Closed,
    InUse,
    NotPositive,
    Negative,
    Funds { need: Amount, have: Amount },
    Credit { need: Amount, have: Amount },
    BelowGiven,
    MergeBelowZero,
    Same,
    Shared,
    NotAChild,
    NotOneFamily,
    MayNotOpenChildren,
    TooDeep,
    NoHold,
    HoldLife,
    AboveHold,
    AboveCharge,
    OutOfScope,
    Scope { need: Amount, have: Amount },
    ReloadOff,
    UnderWay,
    NotUnderWay,
    NumberTaken,
    NoNumber,
    NotOwned,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Seller,
    Buyer(usize),
    /// A buyer by a credential that is held to a scope.
    Key(usize),
}

/// What is asked, by the numbers of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    Open { parent: Option<usize>, shared: bool, credit: Amount, overruns: bool },
    Suspend { account: usize, suspended: bool },
    Share { account: usize, shared: bool },
    Freeze { account: usize, frozen: bool },
    Close { account: usize, closed: bool },
    SetCredit { account: usize, currency: &'static str, credit: Amount },
    Allocate { child: usize, currency: &'static str, give: bool, amount: Amount },
    Transfer { from: usize, to: usize, currency: &'static str, amount: Amount },
    TopUp { account: usize, currency: &'static str, amount: Amount },
    Withdraw { account: usize, currency: &'static str, amount: Amount },
    Adjust { account: usize, currency: &'static str, amount: Amount, used: bool },
    UsageCredit { account: usize, currency: &'static str, amount: Amount },
    Charge { account: usize, currency: &'static str, amount: Amount, way: Way },
    Refund { charge: usize, amount: Amount },
    Place { account: usize, currency: &'static str, amount: Amount, expires_at: i64 },
    Extend { hold: u64, expires_at: i64 },
    Capture { hold: u64, amount: Amount, excess: Excess, keep_open: bool },
    Void { hold: u64 },
    Issue { account: usize, limits: Vec<Cap> },
    SetReload { account: usize, currency: &'static str, rule: Rule },
    StartReload { account: usize, currency: &'static str },
    SettleReload { account: usize, currency: &'static str, approved: bool },
    SetSettings { account: usize, url: Option<Option<u32>>, posts: Option<bool>, calls: Option<u32> },
    Assign { account: usize, number: u64 },
    Release { account: usize, number: u64 },
    MoveNumber { from: usize, to: usize, number: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Strict,
    Served,
    Forced,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    Exact,
    UpTo,
    Admit(Way),
}
