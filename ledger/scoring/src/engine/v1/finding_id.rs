//! Identity of findings (FORMATS.md section 6).

use stella_verify::hash::{FindingId, sha256};
use stella_verify::json::{ArrayWriter, write_string};

/// SHA-256 of the canonical JSON of `[purl, advisoryId]`.
pub(super) fn finding_id(purl: &str, advisory: &str) -> FindingId {
    let mut bytes = Vec::with_capacity(purl.len() + advisory.len() + 8);
    let mut array = ArrayWriter::new(&mut bytes);
    write_string(array.item(), purl);
    write_string(array.item(), advisory);
    array.end();
    FindingId::new(sha256(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_hash_of_the_canonical_pair() {
        let expected = FindingId::new(sha256(br#"["pkg:npm/a@1","GHSA-\"x\""]"#));
        assert_eq!(finding_id("pkg:npm/a@1", "GHSA-\"x\""), expected);
    }
}
