//! Registries of language packages: names and version orders.

use super::check;

#[test]
fn npm_and_pypi() {
    check(
        "npm",
        "@babel/traverse",
        "i:0 f:7.23.2",
        &[],
        &[
            "pkg:npm/%40babel/traverse@7.23.1",
            "pkg:npm/@babel/traverse@7.0.0-beta.1",
            "!pkg:npm/%40babel/traverse@7.23.2",
            "!pkg:npm/traverse@7.0.0",
            "!pkg:npm/%40Babel/traverse@7.0.0",
        ],
    );
    check(
        "PyPI",
        "Zope.Interface_x",
        "i:0 f:5.1",
        &[],
        &[
            "pkg:pypi/zope-interface-x@5.0.post1",
            "pkg:pypi/Zope__interface.X@5.1rc1",
            "pkg:pypi/zope.interface.x@5.1.dev0",
            "!pkg:pypi/zope-interface-x@5.1.0",
            "!pkg:pypi/zope-interface-x@1!0.1",
        ],
    );
    check(
        "PyPI",
        "a",
        "",
        &["1.0", "1.0.0rc1"],
        &[
            "pkg:pypi/a@1.0.0",
            "pkg:pypi/a@1.0rc1",
            "pkg:pypi/A@v1.0",
            "!pkg:pypi/a@1.0.1",
        ],
    );
}

#[test]
fn go() {
    check(
        "Go",
        "github.com/Masterminds/goutils",
        "i:0 f:1.1.1",
        &[],
        &[
            "pkg:golang/github.com/Masterminds/goutils@v1.1.0",
            "pkg:golang/github.com/masterminds/goutils@1.1.0",
            "pkg:golang/github.com/Masterminds/goutils@v0.0.0-20210101000000-abcdefabcdef",
            "!pkg:golang/github.com/Masterminds/goutils@v1.1.1",
            "!pkg:golang/github.com/Masterminds/goutils@v1.1.2-0.20210101000000-abcdefabcdef",
            "!pkg:golang/github.com/Masterminds/goutils/v2@v1.1.0",
        ],
    );
    check(
        "Go",
        "github.com/docker/docker",
        "i:0 f:27.1.1+incompatible",
        &[],
        &[
            "pkg:golang/github.com/docker/docker@v27.0.3%2Bincompatible",
            "!pkg:golang/github.com/docker/docker@v27.1.1%2Bincompatible",
        ],
    );
    check(
        "Go",
        "stdlib",
        "i:0 f:1.21.11 i:1.22.0-0 f:1.22.4",
        &[],
        &[
            "pkg:golang/stdlib@1.21.10",
            "pkg:golang/stdlib@go1.22.3",
            "pkg:golang/std@v1.22.0",
            "pkg:golang/stdlib@1.22rc1",
            "!pkg:golang/stdlib@1.21.11",
            "!pkg:golang/stdlib@1.22.4",
            "!pkg:golang/toolchain@1.22.3",
        ],
    );
    check(
        "Go",
        "toolchain",
        "i:0 f:1.21.11",
        &[],
        &["pkg:golang/toolchain@1.21.10", "!pkg:golang/stdlib@1.21.10"],
    );
}

#[test]
fn maven_nuget_gems_composer_and_cargo() {
    check(
        "Maven",
        "org.Acme:Lib",
        "i:0 f:2.0",
        &[],
        &[
            "pkg:maven/org.Acme/Lib@2.0-rc1?type=jar",
            "pkg:maven/org.Acme/Lib@2.0-SNAPSHOT",
            "!pkg:maven/org.Acme/Lib@2.0.0",
            "!pkg:maven/org.Acme/Lib@2.0.Final",
            "!pkg:maven/org.acme/lib@1.0",
        ],
    );
    check(
        "Maven:https://repo.example.org",
        "a:b",
        "i:0 f:2",
        &[],
        &["pkg:maven/a/b@1", "!pkg:maven/a/b@2"],
    );
    check(
        "NuGet",
        "Newtonsoft.Json",
        "i:0 f:13.0.1",
        &["9.0.1"],
        &[
            "pkg:nuget/newtonsoft.json@13.0.0.5",
            "pkg:nuget/NewtonSoft.Json@13.0.1-Beta",
            "pkg:nuget/Newtonsoft.Json@9.0.1.0",
            "!pkg:nuget/Newtonsoft.Json@13.0.1.0",
            "!pkg:nuget/Newtonsoft.Json@13.0.1%2Bbuild",
        ],
    );
    check(
        "RubyGems",
        "rack",
        "i:0 f:2.2.3.1 i:3.0.0.beta1 f:3.0.4.1",
        &[],
        &[
            "pkg:gem/rack@2.2.3",
            "pkg:gem/rack@2.2.3.1.pre",
            "pkg:gem/rack@3.0.0.rc1",
            "!pkg:gem/rack@2.2.3.1",
            "!pkg:gem/rack@2.9",
            "!pkg:gem/rack@3.0.4.1",
        ],
    );
    check(
        "Packagist",
        "Laravel/Framework",
        "i:7.0.0 f:7.22.4",
        &[],
        &[
            "pkg:composer/laravel/framework@v7.12.0",
            "pkg:composer/Laravel/framework@7.22.4-RC1",
            "!pkg:composer/laravel/framework@v7.22.4.0",
            "!pkg:composer/laravel/framework@dev-master",
        ],
    );
    check(
        "crates.io",
        "time",
        "i:0.1.0 f:0.2.0-a.0 i:0.2.1 f:0.2.23",
        &[],
        &[
            "pkg:cargo/time@0.1.43",
            "pkg:cargo/time@0.2.22",
            "!pkg:cargo/time@0.2.0",
            "!pkg:cargo/time@0.2.23",
            "!pkg:cargo/time@0.1.43?vcs_url=git%2Bhttps://example.org/time",
        ],
    );
}
