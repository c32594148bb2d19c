//! From paths to scenarios: the only part that reads files.

use super::file::{Applied, KIND, ScenarioFile};
use super::suggest;
use super::typed;
use super::yaml::{self, Document};
use crate::error::Problem;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The name of standard input.
pub const STDIN: &str = "-";

/// A scenario with everything that it names.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Where it was written; `None` for manifests without a scenario.
    pub document: Option<Document>,
    /// What was written.
    pub file: Option<ScenarioFile>,
    /// The manifests applied at the beginning, in order.
    pub manifests: Vec<Document>,
    /// The manifests that actions apply, by the path they are named with.
    pub applied: BTreeMap<String, Vec<Document>>,
    /// The arguments that give the same again, for `seatrial run …`.
    pub arguments: Vec<String>,
}

/// Everything that was named on a command line.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// The scenarios; manifests without any make one of their own.
    pub scenarios: Vec<Loaded>,
    /// What is read in a way that may surprise.
    pub warnings: Vec<Problem>,
}

/// Loads scenarios and manifests: files, folders, globs and `-`.
///
/// Manifests beside a scenario in the same file belong to it. Manifests in
/// other files belong to the only scenario there is; with several scenarios,
/// to those that name them.
///
/// # Errors
/// Everything that is wrong with the input, as far as it could be read.
pub fn load(arguments: &[String], recursive: bool, stdin: &mut dyn Read) -> Result<Input, Vec<Problem>> {
    let mut loader = Loader { stdin, recursive, stdin_text: None, problems: Vec::new(), warnings: Vec::new() };
    let files = loader.expand_all(arguments);
    let mut scenarios: Vec<Document> = Vec::new();
    let mut manifests: Vec<Document> = Vec::new();
    for file in &files {
        for document in loader.read(file) {
            let is_scenario = document.kind() == KIND || document.api_version().starts_with("seatrial/");
            if is_scenario { scenarios.push(document) } else { manifests.push(document) }
        }
    }
    let mut input = Input::default();
    let arguments = arguments.to_vec();
    if scenarios.is_empty() {
        let loaded = Loaded { document: None, file: None, manifests, applied: BTreeMap::new(), arguments };
        input.scenarios.push(loaded);
    } else {
        let only = scenarios.len() == 1;
        let mut named: Vec<PathBuf> = Vec::new();
        for document in scenarios {
            let Some(mut loaded) = loader.scenario(document) else { continue };
            named.extend(loaded.manifests.iter().chain(loaded.applied.values().flatten()).map(|d| same(&d.file)));
            loaded.arguments.clone_from(&arguments);
            let file = loaded.document.as_ref().map(|d| d.file.clone()).unwrap_or_default();
            let taken: Vec<PathBuf> = loaded.manifests.iter().map(|d| same(&d.file)).collect();
            let mine = |d: &&Document| d.file == file || (only && !taken.contains(&same(&d.file)));
            let mut own: Vec<Document> = manifests.iter().filter(mine).cloned().collect();
            own.append(&mut loaded.manifests);
            loaded.manifests = own;
            named.push(same(&file));
            input.scenarios.push(loaded);
        }
        if !only {
            loader.problems.extend(manifests.iter().filter(|d| !named.contains(&same(&d.file))).map(stray));
        }
    }
    if loader.problems.is_empty() {
        input.warnings = loader.warnings;
        return Ok(input);
    }
    Err(loader.problems)
}

/// A manifest that no scenario asks for.
fn stray(document: &Document) -> Problem {
    document.locate(
        Problem::new("there are several scenarios and none of them names this manifest")
            .with_hint("name it under spec.manifests of the scenario it belongs to"),
    )
}

/// A path by which files are told apart.
fn same(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

struct Loader<'a> {
    stdin: &'a mut dyn Read,
    recursive: bool,
    stdin_text: Option<String>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Loader<'_> {
    /// The files that the arguments name, each once.
    fn expand_all(&mut self, arguments: &[String]) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = Vec::new();
        for argument in arguments {
            match expand(Path::new(""), argument, self.recursive) {
                Ok(found) => {
                    for file in found {
                        if !files.contains(&file) {
                            files.push(file);
                        }
                    }
                }
                Err(problem) => self.problems.push(problem),
            }
        }
        files
    }

    /// The documents of a file; what is wrong is noted.
    fn read(&mut self, file: &Path) -> Vec<Document> {
        let text = match self.text(file) {
            Ok(text) => text,
            Err(message) => {
                self.problems.push(Problem::new(message).in_file(file));
                return Vec::new();
            }
        };
        match yaml::read(file, &text) {
            Ok(reading) => {
                self.warnings.extend(reading.warnings);
                reading.documents
            }
            Err(problems) => {
                self.problems.extend(problems);
                Vec::new()
            }
        }
    }

    fn text(&mut self, file: &Path) -> Result<String, String> {
        let bytes = if file == Path::new(STDIN) {
            if let Some(text) = &self.stdin_text {
                return Ok(text.clone());
            }
            let mut bytes = Vec::new();
            self.stdin.read_to_end(&mut bytes).map_err(|e| format!("cannot read standard input: {e}"))?;
            bytes
        } else {
            std::fs::read(file).map_err(|e| format!("cannot read this file: {e}"))?
        };
        let text = String::from_utf8(bytes).map_err(|e| {
            let good = &e.as_bytes()[..e.utf8_error().valid_up_to()];
            let line = good.split(|b| *b == b'\n').count();
            format!("line {line} is not UTF-8")
        })?;
        if file == Path::new(STDIN) {
            self.stdin_text = Some(text.clone());
        }
        Ok(text)
    }

    /// A scenario with the manifests that it names.
    fn scenario(&mut self, document: Document) -> Option<Loaded> {
        let file: ScenarioFile = match typed::parse(&document.value) {
            Ok(file) => file,
            Err(problems) => {
                self.problems.extend(problems.into_iter().map(|p| document.locate(p)));
                return None;
            }
        };
        let folder = document.file.parent().unwrap_or(Path::new("")).to_path_buf();
        let mut manifests = Vec::new();
        for (i, path) in file.spec.manifests.iter().enumerate() {
            manifests.extend(self.named(&document, &folder, path, &format!("spec.manifests[{i}]")));
        }
        let mut applied = BTreeMap::new();
        for (i, action) in file.spec.actions.iter().enumerate() {
            for what in action.apply.iter().flat_map(|all| &all.0) {
                if let Applied::File(path) = what {
                    let documents = self.named(&document, &folder, path, &format!("spec.actions[{i}].apply"));
                    applied.insert(path.clone(), documents);
                }
            }
        }
        let file = Some(file);
        Some(Loaded { document: Some(document), file, manifests, applied, arguments: Vec::new() })
    }

    /// The manifests of a path in a scenario file.
    fn named(&mut self, scenario: &Document, folder: &Path, path: &str, field: &str) -> Vec<Document> {
        let files = match expand(folder, path, false) {
            Ok(files) => files,
            Err(problem) => {
                self.problems.push(scenario.locate(Problem { file: None, ..problem }.in_field(field)));
                return Vec::new();
            }
        };
        let mut documents: Vec<Document> = Vec::new();
        for file in files {
            let of_scenario = same(&file) == same(&scenario.file);
            if !of_scenario {
                documents.extend(self.read(&file));
            }
        }
        // Another scenario in the same folder is no manifest.
        documents.retain(|d| !d.api_version().starts_with("seatrial/"));
        documents
    }
}

/// The files that a path, a glob, a folder or `-` names, sorted by name.
///
/// # Errors
/// If there are none.
pub fn expand(folder: &Path, name: &str, recursive: bool) -> Result<Vec<PathBuf>, Problem> {
    if name == STDIN {
        return Ok(vec![PathBuf::from(STDIN)]);
    }
    let path = folder.join(name);
    if path.is_dir() {
        let files = in_folder(&path, recursive)
            .map_err(|e| Problem::new(format!("cannot read this folder: {e}")).in_file(&path))?;
        if files.is_empty() {
            return Err(Problem::new("this folder has no .yaml, .yml or .json files").in_file(&path));
        }
        return Ok(files);
    }
    if path.exists() {
        return Ok(vec![path]);
    }
    if name.contains(['*', '?', '[']) {
        let pattern = path.to_string_lossy().into_owned();
        let found =
            glob::glob(&pattern).map_err(|e| Problem::new(format!("`{name}` is not a pattern: {e}")).in_file(&path))?;
        let mut files: Vec<PathBuf> = found.filter_map(Result::ok).filter(|p| p.is_file()).collect();
        files.sort();
        if files.is_empty() {
            return Err(Problem::new(format!("no file fits `{name}`")).in_file(&path));
        }
        return Ok(files);
    }
    let mut problem = Problem::new(format!("there is no file `{name}`")).in_file(&path);
    problem.hint = near(&path).map(|n| format!("did you mean `{n}`?"));
    Err(problem)
}

/// The YAML and JSON files of a folder.
fn in_folder(folder: &Path, recursive: bool) -> std::io::Result<Vec<PathBuf>> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    entries.sort();
    let mut files = Vec::new();
    for path in entries {
        // A link to a folder is not followed: it may lead back here.
        if path.is_dir() && recursive && !path.is_symlink() {
            files.extend(in_folder(&path, true)?);
        }
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        if ["yaml", "yml", "json"].contains(&extension) && path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

/// The name of a file in the same folder that is spelt almost so.
fn near(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut names: Vec<String> =
        std::fs::read_dir(folder).ok()?.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    suggest::nearest(wanted, names.iter().map(String::as_str)).map(str::to_string)
}
