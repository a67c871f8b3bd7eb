//! Rust code and a descriptor set from the `.proto` files, without protoc.

use prost_types::FileDescriptorSet;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Generated files by name.
type Generated = BTreeMap<String, Vec<u8>>;

/// Writes the generated files; old ones go.
pub(crate) fn write() -> Result<String, String> {
    let generated = generate()?;
    let folder = out_folder();
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for (name, bytes) in &generated {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(format!(
        "wrote {} files to {}",
        generated.len(),
        folder.display()
    ))
}

/// Compares what is checked in with what would be generated.
pub(crate) fn check() -> Result<String, String> {
    let generated = generate()?;
    let folder = out_folder();
    let present = collect(&folder)?;
    if generated == present {
        return Ok("generated code is up to date".to_owned());
    }
    Err("generated code is stale: run `cargo xtask codegen` and commit the result".to_owned())
}

fn generate() -> Result<Generated, String> {
    let root = repository().join("proto");
    let mut files = Vec::new();
    find_protos(&root, &mut files)?;
    files.sort();
    let mut compiler = protox::Compiler::new([&root]).map_err(|e| format!("{e:?}"))?;
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(&files).map_err(|e| format!("{e:?}"))?;
    let descriptors = compiler.file_descriptor_set();
    let scratch = repository().join("target/xtask-codegen");
    fs::remove_dir_all(&scratch).ok();
    fs::create_dir_all(&scratch).map_err(|e| e.to_string())?;
    // Not from the set: its types drop extensions, and the HTTP routes are extensions.
    let bytes = compiler.encode_file_descriptor_set();
    // The definitions of others first, by themselves: ours then name them where lib.rs has them.
    let others: Vec<_> = (descriptors.file.iter())
        .filter(|file| !file.package().starts_with("stella."))
        .cloned()
        .collect();
    tonic_prost_build::configure()
        .out_dir(&scratch)
        .bytes(".")
        .compile_fds(FileDescriptorSet { file: others })
        .map_err(|e| e.to_string())?;
    let mut generated = collect(&scratch)?;
    tonic_prost_build::configure()
        .out_dir(&scratch)
        .bytes(".")
        .extern_path(".google.longrunning", "crate::google::longrunning")
        .extern_path(".google.rpc", "crate::google::rpc")
        .compile_fds(descriptors)
        .map_err(|e| e.to_string())?;
    let mut ours = collect(&scratch)?;
    ours.retain(|name, _| name.starts_with("stella."));
    generated.append(&mut ours);
    generated.insert("descriptors.bin".to_owned(), bytes);
    Ok(generated)
}

/// The files of a folder.
fn collect(folder: &Path) -> Result<Generated, String> {
    let mut found = Generated::new();
    for entry in fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let path = entry.map_err(|e| e.to_string())?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        found.insert(
            name,
            fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?,
        );
    }
    Ok(found)
}

fn find_protos(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    for entry in fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.is_dir() {
            find_protos(&path, found)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            found.push(path);
        }
    }
    Ok(())
}

fn out_folder() -> PathBuf {
    repository().join("proto/src/generated")
}

/// The folder that everything is in.
pub(crate) fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}
