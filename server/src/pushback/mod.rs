//! Saying no in time: places for requests under way, rates of callers, deadlines.

mod admit;
mod bucket;
mod rate;

pub(crate) use admit::AdmitLayer;
pub(crate) use rate::RateLayer;
