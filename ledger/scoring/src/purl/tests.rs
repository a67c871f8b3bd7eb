use super::*;

fn canonical(text: &str) -> Result<String, PurlError> {
    text.parse::<Purl>().map(|purl| purl.to_string())
}

#[test]
fn the_parts_are_decoded() {
    let purl: Purl = "pkg:golang/github.com/Docker/docker@v27.0.3%2Bincompatible?a=b%2Fc#x/y"
        .parse()
        .unwrap();
    assert_eq!(purl.kind(), "golang");
    assert_eq!(purl.namespace(), Some("github.com/Docker"));
    assert_eq!(purl.name(), "docker");
    assert_eq!(purl.version(), Some("v27.0.3+incompatible"));
    assert_eq!(purl.qualifier("a"), Some("b/c"));
    assert_eq!(purl.subpath(), Some("x/y"));
    assert_eq!(purl.package_text(), "pkg:golang/github.com/Docker/docker");
}

#[test]
fn a_scope_without_a_version_is_not_a_version() {
    let purl: Purl = "pkg:npm/@babel/core".parse().unwrap();
    assert_eq!(
        (purl.namespace(), purl.name(), purl.version()),
        (Some("@babel"), "core", None)
    );
    assert_eq!(
        canonical("pkg:npm/@babel/core@7.0.0").unwrap(),
        "pkg:npm/%40babel/core@7.0.0"
    );
}

#[test]
fn canonical_text_is_a_fixed_point() {
    for text in [
        "pkg:npm/%40babel/core@7.0.0",
        "PKG://PyPI/Flask_Login@0.6.3",
        "pkg:deb/Debian/libssl1.1@1.1.1d-0%2Bdeb10u2?distro=debian-10&arch=amd64",
        "pkg:maven/org.a/b@1.0?type=jar&classifier=",
        "pkg:generic/a@1:2/3?x=https://y/z#./a//../b/",
    ] {
        let once = canonical(text).unwrap();
        assert_eq!(canonical(&once).unwrap(), once);
    }
}
