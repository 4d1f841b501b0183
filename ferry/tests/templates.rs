//! Compiles the sources that `ferry add client` writes, as a project does: in a package of their own, with
//! the runtime of the hosted platform. What would not compile there, nobody could start from.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn every_template_compiles_without_a_warning() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::create_dir_all(path("src/bin")).unwrap();
    let mut templates = 0;
    for entry in fs::read_dir(root.join("ferry/templates")).unwrap() {
        let entry = entry.unwrap();
        if entry.path().extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let source = fs::read_to_string(entry.path()).unwrap().replace("my_client", "logger");
        fs::write(path("src/bin").join(entry.file_name()), source).unwrap();
        templates += 1;
    }
    assert_eq!(templates, 3);
    let manifest = format!(
        "[package]\nname = \"project\"\nedition = \"2024\"\n\n[dependencies]\n\
         ferry-client = {{ path = '{client}' }}\n\
         runtime = {{ package = \"ferry-runtime-hosted\", path = '{runtime}' }}\n\n[workspace]\n\n\
         [lints.rust]\nwarnings = \"deny\"\n",
        client = root.join("client-pd").display(),
        runtime = root.join("platform/hosted/runtime").display(),
    );
    fs::write(path("Cargo.toml"), manifest).unwrap();
    // The versions of the repository, which Cargo has already.
    fs::copy(root.join("Cargo.lock"), path("Cargo.lock")).unwrap();
    // Beside the repository's own products, so that what both need is compiled once.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(directory.path()).env("CARGO_TARGET_DIR", target);
    let output = cargo.args(["check", "--quiet", "--bins"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
