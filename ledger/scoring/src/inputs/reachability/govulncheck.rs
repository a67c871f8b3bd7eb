//! The output of `govulncheck -format json` (protocol v1): a stream of JSON objects, of which the
//! `finding` messages count. A finding's trace begins at the vulnerable symbol and ends at the
//! caller's entry point; a trace without functions reaches a package or only the module.

use serde::Deserialize;

use crate::inputs::json::{self, DocumentError, List, Object, Text};
use crate::model::{CallPath, JsonPointer, ReachabilityFact, ReachabilityLevel};
use crate::purl::Purl;

pub(super) fn read(bytes: &[u8]) -> Result<Vec<ReachabilityFact>, DocumentError> {
    let mut facts = Vec::new();
    let mut recognised = false;
    let values = serde_json::Deserializer::from_slice(bytes).into_iter::<Object<Message<'_>>>();
    for (index, value) in values.enumerate() {
        // Pointers are into the stream as if its values were the elements of an array.
        let place = JsonPointer::root().element(index);
        let message = match value {
            Ok(Object::Is(message)) => message,
            Ok(_) => return Err(DocumentError::content(place, "not an object")),
            Err(error) => return Err(json::json_error(bytes, &error)),
        };
        recognised |= message.config.get().is_some();
        if let Some(finding) = message.finding.get() {
            facts.push(read_finding(finding, place.member("finding"))?);
        } else if message.finding.is_invalid() {
            return Err(DocumentError::content(
                place.member("finding"),
                "not an object",
            ));
        }
    }
    if recognised {
        Ok(facts)
    } else {
        let reason = "neither stella.reachability/v1 nor the JSON of govulncheck: no `config`";
        Err(DocumentError::content(JsonPointer::root(), reason))
    }
}

fn read_finding(raw: &Finding<'_>, place: JsonPointer) -> Result<ReachabilityFact, DocumentError> {
    let wrong = |name: &str, reason: &str| DocumentError::content(place.member(name), reason);
    let id = raw.osv.get().ok_or_else(|| wrong("osv", "not a string"))?;
    let frames = raw.trace.as_slice();
    let first = frames.first().and_then(Object::get);
    let first = first.ok_or_else(|| wrong("trace", "not an array of at least one frame"))?;
    let module = first
        .module
        .get()
        .ok_or_else(|| wrong("trace/0/module", "not a string"))?;
    let purl = module_purl(module, first.version.get());
    let level = match (first.function.get(), first.package.get()) {
        (Some(_), _) => ReachabilityLevel::Symbol,
        (None, Some(_)) => ReachabilityLevel::Package,
        (None, None) => ReachabilityLevel::Module,
    };
    let hops = u32::try_from(frames.len().saturating_sub(1)).unwrap_or(u32::MAX);
    Ok(ReachabilityFact {
        purl: purl.ok_or_else(|| wrong("trace/0/module", "not a module path"))?,
        vulnerability: id.into(),
        level,
        path: (level == ReachabilityLevel::Symbol).then(|| CallPath {
            hops,
            gates: Vec::new(),
        }),
        symbol: symbol(first).into(),
        pointer: place,
    })
}

fn module_purl(module: &str, version: Option<&str>) -> Option<Purl> {
    let purl: Purl = format!("pkg:golang/{}", module.replace('%', "%25"))
        .parse()
        .ok()?;
    Some(version.map_or(purl.clone(), |version| purl.with_version(version)))
}

/// `package.Receiver.Function`, as far as the frame goes.
fn symbol(frame: &Frame<'_>) -> String {
    let receiver = frame
        .receiver
        .get()
        .map(|text| text.trim_start_matches('*'));
    let parts = [frame.package.get(), receiver, frame.function.get()];
    if frame.function.get().is_none() {
        return String::new();
    }
    parts.into_iter().flatten().collect::<Vec<_>>().join(".")
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Message<'a> {
    /// Of the first message; only its presence counts.
    config: Object<Config>,
    #[serde(borrow)]
    finding: Object<Finding<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Config {}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Finding<'a> {
    #[serde(borrow)]
    osv: Text<'a>,
    trace: List<Object<Frame<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Frame<'a> {
    #[serde(borrow)]
    module: Text<'a>,
    version: Text<'a>,
    package: Text<'a>,
    function: Text<'a>,
    receiver: Text<'a>,
}
