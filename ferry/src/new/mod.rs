//! `ferry new`: makes a project with two clients and a flow, which builds, boots and has a test.

mod error;

use crate::arguments::NewArguments;
use crate::error::Error;
use crate::file::{self, FileError};
use crate::output::line;
use crate::shell;
use crate::templates::{self, Language, Template};
use crate::workspace::Workspace;
use error::FERRYS;
use std::fs;
use std::path::Path;

pub(crate) use error::NewError;

/// Files of a project, and what is in them. `{name}` and the sources of Ferry's crates are filled in.
const FILES: [(&str, &str); 6] = [
    ("system.xml", include_str!("../../templates/project/system.xml")),
    ("flows.toml", include_str!("../../templates/project/flows.toml")),
    ("test.toml", include_str!("../../templates/project/test.toml")),
    ("Cargo.toml", include_str!("../../templates/project/Cargo.toml.template")),
    ("README.md", include_str!("../../templates/project/README.md.template")),
    (".github/workflows/ferry.yml", include_str!("../../templates/project/ci.yml")),
];
/// The clients, and what they do.
const CLIENTS: [(&str, Template); 2] = [("greeter", Template::Sender), ("listener", Template::Receiver)];

/// Makes the project. Either all of it is there at the end, or nothing.
pub(crate) fn new(arguments: &NewArguments) -> Result<(), Error> {
    let directory =
        std::path::absolute(&arguments.directory).map_err(file::failed("create", &arguments.directory))?;
    let name = name(&directory)?;
    let is_free = match fs::read_dir(&directory) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => directory.symlink_metadata().is_err(),
    };
    if !is_free {
        return Err(NewError::Exists(arguments.directory.clone()).into());
    }
    let lang = arguments.lang;
    if lang == Language::C && arguments.git.is_some() {
        return Err(NewError::NoPackage.into());
    }
    if lang == Language::Rust && name.starts_with(FERRYS) {
        return Err(NewError::Ferrys.into());
    }
    let workspace = Workspace::locate()?;
    let [client, runtime] = match &arguments.git {
        Some(address) if address.contains(['"', '\\', '\n', '\r']) => {
            return Err(NewError::Address(address.clone()).into());
        }
        Some(address) => [format!("git = \"{address}\""), format!("git = \"{address}\"")],
        None => ["client-pd", "platform/hosted/runtime"].map(|path| {
            format!("path = {}", toml::Value::from(&*workspace.root.join(path).to_string_lossy()))
        }),
    };
    let parent = directory.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent).map_err(file::failed("create", parent))?;
    let made = tempfile::Builder::new().prefix(".ferry-new-").tempdir_in(parent);
    let made = made.map_err(file::failed("create", parent))?;
    for (path, text) in FILES.into_iter().filter(|(path, _)| belongs_to(path, lang)) {
        let text = of_language(path, text, lang);
        let text = text.replace("{name}", &name).replace("{client}", &client).replace("{runtime}", &runtime);
        file::write(&made.path().join(path), &text)?;
    }
    file::write(&made.path().join(".gitignore"), "/target\n")?;
    for (client, template) in CLIENTS {
        let path = made.path().join(lang.directory()).join(client).with_extension(lang.extension());
        file::write(&path, templates::source(template, lang, client))?;
    }
    // The versions with which Ferry is tested. Cargo drops those that the project does not need.
    let lock = workspace.root.join("Cargo.lock");
    if lang == Language::Rust
        && let Ok(versions) = fs::read_to_string(&lock)
    {
        file::write(&made.path().join("Cargo.lock"), &versions)?;
    }
    // A new directory for a temporary one can only be read by its owner.
    publish(&made.keep(), &directory)?;
    line(format_args!("made the project `{name}` in {}", arguments.directory.display()))?;
    let there = shell::quoted(arguments.directory.as_os_str());
    line(format_args!("next: cd {there}, then `ferry run` and `ferry test`"))?;
    Ok(())
}

/// Whether a project in this language has the file.
fn belongs_to(path: &str, lang: Language) -> bool {
    lang == Language::Rust || path != "Cargo.toml"
}

/// The text of a file, which is there for a project in Rust, for one in this language.
fn of_language(path: &str, text: &str, lang: Language) -> String {
    match (lang, path) {
        // Clients in C use floating-point registers on Microkit; the ticker is Ferry's own.
        (Language::C, "system.xml") => text.replace(" fpu=\"false\" priority=\"100\"", " priority=\"100\""),
        (Language::C, "README.md") => {
            text.replace("ferry add client logger ", "ferry add client logger --lang c ")
        }
        (Language::C, _) => text
            .lines()
            .filter(|line| !line.contains("cargo clippy"))
            .fold(String::new(), |text, line| text + line + "\n"),
        (Language::Rust, _) => text.to_owned(),
    }
}

/// The name of the project.
fn name(directory: &Path) -> Result<String, NewError> {
    let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.chars().all(is_letter);
    if is_name { Ok(name) } else { Err(NewError::Name(name)) }
}

/// Gives the finished project its place and the rights of an ordinary directory.
fn publish(made: &Path, directory: &Path) -> Result<(), FileError> {
    use std::os::unix::fs::PermissionsExt;
    let published = fs::set_permissions(made, fs::Permissions::from_mode(0o755))
        .and_then(|()| fs::rename(made, directory))
        .map_err(file::failed("create", directory));
    if published.is_err() {
        let _ = fs::remove_dir_all(made);
    }
    published
}
