//! How long proofs are kept: by the time since they were sealed.
//!
//! These are the default tiers. Nothing is moved yet: a tier says what the policy makes of a proof's
//! age, and every proof whose events are there can be had at once.

use super::{App, manifest_of, summary};
use crate::app::scans::{ScanState, parse_scan_id, scan_state};
use crate::refusal::Refusal;
use stella_ledger::ledger::SealRecord;
use stella_proto::proof as wire;
use stella_verify::time::format_time;
use stella_verify::units::UnixMillis;

/// A tier of the retention policy.
struct Tier {
    name: &'static str,
    /// Age at which it ends, in days since the proof was sealed. A year is 365 of them.
    ends_after_days: u64,
}

/// Hot for 30 days, warm for a year, cold for seven, each since the proof was sealed.
const TIERS: [Tier; 3] = [
    Tier {
        name: "hot",
        ends_after_days: 30,
    },
    Tier {
        name: "warm",
        ends_after_days: 365,
    },
    Tier {
        name: "cold",
        ends_after_days: 7 * 365,
    },
];

/// The word for a proof that is older than the last tier.
const EXPIRED: &str = "expired";

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

impl App {
    /// Where the proofs of a scan are at `now`.
    pub(crate) fn proof_status(
        &self,
        request: &wire::GetProofStatusRequest,
        now: UnixMillis,
    ) -> Result<wire::GetProofStatusResponse, Refusal> {
        let view = self.view_of(request.tree_size)?;
        let state = scan_state(&view, &parse_scan_id(&request.scan_id)?)?;
        let proofs = state
            .seals
            .iter()
            .map(|seal| self.retention(&state, seal, now));
        Ok(wire::GetProofStatusResponse {
            scan_id: state.id.to_string(),
            status: if state.seals.is_empty() {
                "running"
            } else {
                "sealed"
            }
            .to_owned(),
            proofs: proofs.collect(),
        })
    }

    fn retention(
        &self,
        state: &ScanState,
        seal: &SealRecord,
        now: UnixMillis,
    ) -> wire::ProofRetention {
        let (tier, expires) = tier_at(seal.time, now);
        // What a bundle cannot be built without and what retention events can take away.
        let there = manifest_of(state, seal).is_ok()
            && self.signatures(seal).is_ok()
            && self.seal_event(seal).is_ok();
        wire::ProofRetention {
            proof: Some(summary(seal)),
            tier: tier.to_owned(),
            expires: day(expires),
            retrievable: there && tier != EXPIRED,
            kept_until: day(last_end(seal.time)),
        }
    }
}

/// The tier of a proof by its age, and when that tier ends (of an expired one: ended).
fn tier_at(sealed: UnixMillis, now: UnixMillis) -> (&'static str, UnixMillis) {
    for tier in &TIERS {
        let end = after_days(sealed, tier.ends_after_days);
        if now < end {
            return (tier.name, end);
        }
    }
    (EXPIRED, last_end(sealed))
}

fn last_end(sealed: UnixMillis) -> UnixMillis {
    let [.., last] = &TIERS;
    after_days(sealed, last.ends_after_days)
}

fn after_days(time: UnixMillis, days: u64) -> UnixMillis {
    UnixMillis::new(time.get().saturating_add(days.saturating_mul(DAY_MS)))
}

/// `YYYY-MM-DD`.
fn day(time: UnixMillis) -> String {
    let text = format_time(time).unwrap_or_default();
    text.split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_follow_each_other_by_age() {
        // 2024-12-18T10:00:00Z
        let sealed = UnixMillis::new(1_734_516_000_000);
        let at = |days: u64| {
            let (tier, expires) = tier_at(sealed, after_days(sealed, days));
            (tier, day(expires))
        };
        assert_eq!(at(0), ("hot", "2025-01-17".to_owned()));
        assert_eq!(at(29), ("hot", "2025-01-17".to_owned()));
        assert_eq!(at(30), ("warm", "2025-12-18".to_owned()));
        assert_eq!(at(364), ("warm", "2025-12-18".to_owned()));
        assert_eq!(at(365), ("cold", "2031-12-17".to_owned()));
        assert_eq!(at(7 * 365), (EXPIRED, "2031-12-17".to_owned()));
        let before = UnixMillis::new(sealed.get() - 1);
        assert_eq!(tier_at(sealed, before).0, "hot", "a clock that is behind");
    }
}
