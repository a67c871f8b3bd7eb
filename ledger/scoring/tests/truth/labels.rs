//! Labels that people gave.

use super::{json, shared};
use std::collections::{BTreeMap, BTreeSet};
use stella_scoring::model::{AdvisoryIndex, FeedSnapshot as _};
use stella_scoring::purl::Purl;

/// Human labels of (package, vulnerability) pairs. No bill of materials and, for most of the pairs,
/// no feed is recorded with them: what can be said here is how the pairs about packages that a feed
/// here covers are judged. Printed, not asserted: labels are opinions of their day.
#[test]
fn match_labels() {
    let Some(data) = shared::data() else { return };
    let feed = shared::feed(&[
        data.join("feeds/osv/ghsa-slice/all.zip"),
        data.join("feeds/osv-derived/2024-12-16/Maven/all.zip"),
        data.join("feeds/osv-derived/2024-11-25/npm/all.zip"),
        data.join("feeds/osv/2026-07-23/PyPI/all.zip"),
    ]);
    // Packages by the names that labels use: Maven's as `artifact` or `group.artifact`.
    let mut covered: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for affected in feed
        .advisories()
        .iter()
        .flat_map(|advisory| &advisory.affected)
    {
        let name = &*affected.package.name;
        let mut cover = |label: String, purl: String| {
            covered.entry(label).or_default().insert(purl);
        };
        match (affected.package.ecosystem.as_str(), name.split_once(':')) {
            ("Maven", Some((group, artifact))) => {
                let purl = format!("pkg:maven/{group}/{artifact}");
                cover(artifact.to_owned(), purl.clone());
                cover(format!("{group}.{artifact}"), purl);
            }
            ("npm", _) => cover(name.to_owned(), format!("pkg:npm/{name}")),
            ("PyPI", _) => cover(name.to_owned(), format!("pkg:pypi/{name}")),
            _ => {}
        }
    }
    // Every flaw that some record of a package speaks of, under all its names.
    let mut spoken: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (advisory, index) in feed.advisories().iter().zip(0_u32..) {
        let group = feed.alias_group(AdvisoryIndex(index)).unwrap();
        for affected in &advisory.affected {
            let names = spoken.entry(&affected.package.name).or_default();
            names.extend(group.names.iter().map(|name| &**name));
        }
    }
    for image in ["ghost", "keycloak", "python"] {
        let truth = json(&data.join(format!("truth/match-labels-{image}.json")));
        let [
            mut tp,
            mut fp,
            mut missed,
            mut avoided,
            mut unknown,
            mut outside,
        ] = [0_u32; 6];
        for label in truth["labels"].as_array().unwrap() {
            let name = label["package"]["name"].as_str().unwrap();
            let version = label["package"]["version"].as_str().unwrap();
            let Some(purls) = covered.get(name) else {
                outside += 1;
                continue;
            };
            let purls: Vec<Purl> = purls.iter().filter_map(|text| text.parse().ok()).collect();
            let names: BTreeSet<String> = (purls.iter())
                .flat_map(|purl| feed.match_purl(&purl.with_version(version)))
                .flat_map(|found| feed.alias_group(found.advisory).unwrap().names.clone())
                .map(String::from)
                .collect();
            let id = label["id"].as_str().unwrap();
            let ids = [id, label["effective_cve"].as_str().unwrap_or(id)];
            let found = ids.iter().any(|id| names.contains(*id));
            let known = purls.iter().any(|purl| {
                let key = stella_scoring::matching::package_key(purl).1;
                let names = spoken.get(&*key);
                names.is_some_and(|names| ids.iter().any(|id| names.contains(id)))
            });
            match (label["label"].as_str().unwrap(), found) {
                _ if !known => unknown += 1,
                ("TP", true) => tp += 1,
                ("TP", false) => {
                    println!("  true and not found: {name} {version} {id}");
                    missed += 1;
                }
                ("FP", true) => {
                    println!("  found and false: {name} {version} {id}");
                    fp += 1;
                }
                ("FP", false) => avoided += 1,
                _ => {}
            }
        }
        println!(
            "{image}: {tp} found and true, {fp} found and false, {missed} true and not found, \
             {avoided} false and not found; {unknown} flaws and {outside} packages are not in these feeds"
        );
    }
}
