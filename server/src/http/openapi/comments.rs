//! What the contract says above its methods, messages and fields.

use prost::Message as _;
use prost_types::source_code_info::Location;
use prost_types::{
    DescriptorProto, FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto,
    ServiceDescriptorProto,
};
use std::sync::LazyLock;

static FILES: LazyLock<FileDescriptorSet> =
    LazyLock::new(|| FileDescriptorSet::decode(stella_proto::DESCRIPTORS).unwrap());

/// Numbers of the fields of `FileDescriptorProto` and below, as source locations name them.
const MESSAGES: i32 = 4;
const FIELDS: i32 = 2;
const SERVICES: i32 = 6;
const METHODS: i32 = 2;

/// The text above a method, by its path.
pub(super) fn of_rpc(path: &str) -> String {
    let (service, method) = path.trim_start_matches('/').split_once('/').unwrap();
    let (package, service) = service.rsplit_once('.').unwrap();
    let file = file(package, |file| {
        file.service.iter().any(|of| of.name() == service)
    });
    let place = position(
        file.service.iter().map(ServiceDescriptorProto::name),
        service,
    );
    let of = &file.service[usize::try_from(place).unwrap()];
    let method = position(of.method.iter().map(MethodDescriptorProto::name), method);
    comment(file, &[SERVICES, place, METHODS, method])
}

/// The text above a message.
pub(super) fn of_message(name: &str) -> String {
    let (file, place) = message(name);
    comment(file, &[MESSAGES, place])
}

/// The text above a field of a message, by its place.
pub(super) fn of_field(name: &str, field: usize) -> String {
    let (file, place) = message(name);
    let field = i32::try_from(field).unwrap();
    comment(file, &[MESSAGES, place, FIELDS, field])
}

fn message(name: &str) -> (&'static FileDescriptorProto, i32) {
    let (package, name) = name.rsplit_once('.').unwrap();
    let file = file(package, |file| {
        file.message_type.iter().any(|of| of.name() == name)
    });
    let place = position(file.message_type.iter().map(DescriptorProto::name), name);
    (file, place)
}

fn file(package: &str, has: impl Fn(&FileDescriptorProto) -> bool) -> &'static FileDescriptorProto {
    let mut files = FILES.file.iter();
    files
        .find(|file| file.package() == package && has(file))
        .unwrap()
}

fn position<'a>(mut names: impl Iterator<Item = &'a str>, wanted: &str) -> i32 {
    i32::try_from(names.position(|name| name == wanted).unwrap()).unwrap()
}

fn comment(file: &FileDescriptorProto, path: &[i32]) -> String {
    let locations = file.source_code_info.iter().flat_map(|info| &info.location);
    let mut found = locations.filter(|location| location.path == path);
    let text = found.next().map(Location::leading_comments);
    // Lines are for readers of the .proto files; paragraphs stay.
    let paragraphs = text.unwrap_or_default().trim().split("\n\n");
    let paragraphs = paragraphs.map(|lines| lines.split_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}
