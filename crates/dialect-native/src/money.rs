//! Money that comes, goes or is corrected, and credit.

pub(crate) mod posted;
pub(crate) mod top_up;
