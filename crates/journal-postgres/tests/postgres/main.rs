//! The journal over a real server.

mod conformance;
