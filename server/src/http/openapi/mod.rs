//! `proto/openapi.json`: made from the table of routes and the contract's descriptors.
//!
//! Built with the tests only: `cargo xtask openapi` runs the one that writes it, and the program
//! carries the file as it is checked in.

mod comments;
mod operations;
mod schemas;

use super::routes::ROUTES;
use operations::Operation;
use serde_json::{Map, Value, json};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../proto/openapi.json");

#[test]
fn openapi_is_what_the_routes_and_the_contract_say() {
    let expected = format!("{:#}\n", whole());
    if std::env::var_os("STELLA_BLESS").is_some() {
        std::fs::write(PATH, &expected).unwrap();
    }
    let present = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(
        present == expected,
        "stale: `cargo xtask openapi` writes it"
    );
}

#[test]
fn every_route_is_described_and_nothing_else_is() {
    let routes: Vec<_> = ROUTES
        .iter()
        .map(|route| (route.method.as_str(), route.template))
        .collect();
    let described: Vec<_> = operations::all()
        .iter()
        .map(|of| (of.method, of.path))
        .collect();
    for route in &routes {
        assert!(described.contains(route), "{route:?} is not described");
    }
    for of in &described {
        let open = !of.1.starts_with("/api/");
        assert!(open || routes.contains(of), "{of:?} is no route");
    }
}

fn whole() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in &operations::all() {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.to_lowercase()] = described(operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Stella Proof Ledger",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Generated from the table of routes and the gRPC contract. Every refusal \
                is problem+json with a `code` of docs/errors.md.",
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": tags(),
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas::all(),
            "responses": {"problem": {
                "description": "A refusal.",
                "content": {"application/problem+json": {"schema": schemas::named("Problem")}},
            }},
        },
    })
}

fn tags() -> Value {
    let tags = [
        ("scans", "Scans, their manifests and replays."),
        ("proofs", "Sealed roots, nodes, bundles."),
        ("snapshots", "Snapshots and policies."),
        ("log", "The log: checkpoints, proofs, events, exports."),
        ("operations", "Long work."),
        ("admin", "Status, check, rebuild."),
    ];
    let tags = tags.map(|(name, description)| json!({"name": name, "description": description}));
    json!(tags)
}

fn described(of: &Operation) -> Value {
    let rpc = ROUTES
        .iter()
        .find(|route| route.method == of.method && route.template == of.path)
        .map(|route| route.rpc);
    let description = rpc.map_or(of.summary.to_owned(), comments::of_rpc);
    let mut parameters = path_parameters(of.path);
    for (name, kind, about) in of.query {
        parameters.push(json!({
            "name": name, "in": "query", "description": about, "schema": kind.schema(),
        }));
    }
    if of.method == "POST" {
        parameters.push(json!({
            "name": "idempotency-key", "in": "header",
            "description": "Makes a repeated request the same one.",
            "schema": {"type": "string", "maxLength": 255},
        }));
    }
    let mut responses = Map::new();
    for answer in &of.answers {
        let content = json!({answer.media: {"schema": answer.schema()}});
        let mut response = json!({"description": answer.about, "content": content});
        if answer.status == "200" && of.method == "GET" {
            response["headers"] = json!({"etag": {"schema": {"type": "string"}}});
        }
        responses.insert(answer.status.to_owned(), response);
    }
    if of.method == "GET" {
        let same = json!({"description": "What the caller has is what there is."});
        responses.insert("304".to_owned(), same);
    }
    responses.insert(
        "4XX".to_owned(),
        json!({"$ref": "#/components/responses/problem"}),
    );
    let unavailable = json!({"$ref": "#/components/responses/problem"});
    responses.insert("503".to_owned(), unavailable);
    let mut operation = json!({
        "operationId": of.id,
        "summary": of.summary,
        "description": description,
        "tags": [of.tag],
        "parameters": parameters,
        "responses": responses,
    });
    if let Some((media, schema, required)) = of.body {
        operation["requestBody"] = json!({
            "required": required,
            "content": {media: {"schema": schemas::named(schema)}},
        });
    }
    if !of.path.starts_with("/api/") {
        operation["security"] = json!([]);
    }
    operation
}

fn path_parameters(path: &str) -> Vec<Value> {
    let names = path
        .split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'));
    let parameters = names.map(|(name, _)| {
        let schema = match name {
            "leaf_index" => json!({"type": "integer", "minimum": 0}),
            // The segments below it are part of it, which OpenAPI cannot say.
            "path" => json!({"type": "string", "examples": ["0/000"]}),
            name if name.ends_with("hash") || name == "node_id" => schemas::named("Id"),
            _ => json!({"type": "string", "minLength": 1}),
        };
        json!({"name": name, "in": "path", "required": true, "schema": schema})
    });
    parameters.collect()
}
