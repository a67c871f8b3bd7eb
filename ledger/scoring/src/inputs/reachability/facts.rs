//! `stella.reachability/v1`: facts of any analysis, one object (docs: FORMATS.md, 7.3).
//!
//! ```json
//! {"schema": "stella.reachability/v1",
//!  "facts": [{"purl": "pkg:npm/lodash@4.17.20", "vulnerability": "CVE-2021-23337",
//!             "level": "symbol", "symbol": "template", "hops": 3, "gates": ["auth-required"]}]}
//! ```

use serde::Deserialize;

use crate::inputs::json::{self, DocumentError, List, Object, Text, TextOr};
use crate::limits::{MAX_GATES, MAX_ID_BYTES};
use crate::model::{CallPath, Gate, JsonPointer, ReachabilityFact, ReachabilityLevel};

const SCHEMA: &str = "stella.reachability/v1";

/// A fact that is half understood would change scores silently: anything wrong refuses the
/// document.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<ReachabilityFact>, DocumentError> {
    let raw: RawDocument<'_> = json::parse(bytes)?;
    let root = JsonPointer::root();
    if raw.schema.get() != Some(SCHEMA) {
        let reason = format!("not {SCHEMA}");
        return Err(DocumentError::content(root.member("schema"), reason));
    }
    let place = root.member("facts");
    let List::Is(facts) = &raw.facts else {
        return Err(DocumentError::content(place, "not an array"));
    };
    facts
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let place = place.element(index);
            let raw = item
                .get()
                .ok_or_else(|| DocumentError::content(place.clone(), "not an object"))?;
            read_fact(raw, place)
        })
        .collect()
}

fn read_fact(raw: &RawFact<'_>, place: JsonPointer) -> Result<ReachabilityFact, DocumentError> {
    let wrong = |name: &str, reason: &str| DocumentError::content(place.member(name), reason);
    let purl = raw
        .purl
        .get()
        .ok_or_else(|| wrong("purl", "not a string"))?;
    let purl = purl
        .parse()
        .map_err(|error| wrong("purl", &format!("{error}")))?;
    let vulnerability = raw
        .vulnerability
        .get()
        .filter(|id| id.len() <= MAX_ID_BYTES)
        .ok_or_else(|| wrong("vulnerability", "not an id"))?;
    let level = raw.level.get().and_then(ReachabilityLevel::from_name);
    let level =
        level.ok_or_else(|| wrong("level", "not one of unreachable, module, package, symbol"))?;
    let gates = gates(&raw.gates).ok_or_else(|| wrong("gates", "not an array of names"))?;
    let path = match &raw.hops {
        TextOr::Other(hops) => Some(CallPath {
            hops: u32::try_from(*hops).map_err(|_| wrong("hops", "beyond 32 bits"))?,
            gates,
        }),
        TextOr::Text(Text::Absent) if gates.is_empty() => None,
        TextOr::Text(Text::Absent) => {
            return Err(wrong("gates", "gates stand on a path, which has `hops`"));
        }
        TextOr::Text(_) => return Err(wrong("hops", "not a whole number")),
    };
    Ok(ReachabilityFact {
        purl,
        vulnerability: vulnerability.into(),
        level,
        path,
        symbol: raw.symbol.get().unwrap_or_default().into(),
        pointer: place,
    })
}

fn gates(list: &List<Text<'_>>) -> Option<Vec<Gate>> {
    if list.is_invalid() || list.as_slice().len() > MAX_GATES {
        return None;
    }
    let named =
        |text: &Text<'_>| Some(Gate(text.get().filter(|t| t.len() <= MAX_ID_BYTES)?.into()));
    let mut gates = list
        .as_slice()
        .iter()
        .map(named)
        .collect::<Option<Vec<_>>>()?;
    gates.sort_unstable();
    gates.dedup();
    Some(gates)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawDocument<'a> {
    #[serde(borrow)]
    schema: Text<'a>,
    facts: List<Object<RawFact<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct RawFact<'a> {
    #[serde(borrow)]
    purl: Text<'a>,
    vulnerability: Text<'a>,
    level: Text<'a>,
    symbol: Text<'a>,
    hops: TextOr<'a, u64>,
    gates: List<Text<'a>>,
}
