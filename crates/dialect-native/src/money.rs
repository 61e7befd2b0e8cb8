//! Money that comes, goes or is corrected, and credit.

pub(crate) mod adjust;
pub(crate) mod allocate;
pub(crate) mod give_usage_credit;
pub(crate) mod posted;
pub(crate) mod refund;
pub(crate) mod reload;
pub(crate) mod reloads;
pub(crate) mod set_credit_limit;
pub(crate) mod top_up;
pub(crate) mod transfer;
pub(crate) mod withdraw;
