//! Where configs come from and are changed: a project's own files, or texts in
//! memory that a simulated world brings along.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use super::{
    Changed, LoadRequest, Loaded, Overrides, Source,
    changed::LastRead,
    edit::{self, Edit, EditError, FileDiff},
    load, load_sources, text,
};
use crate::model::Failure;

/// A project's files. Clones are the same files.
#[derive(Clone, Debug)]
pub struct Files(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    /// As last loaded: what edits were made for.
    loaded: Mutex<Vec<Source>>,
    /// As last read, whether a project came of it or not.
    read: Mutex<LastRead>,
}

#[derive(Debug)]
enum Kind {
    Real(LoadRequest),
    Memory(Mutex<Texts>),
}

/// Texts that are loaded as files would be.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// What relative paths start from.
    pub folder: PathBuf,
    /// `muster.yaml`.
    pub project_file: Option<Source>,
    /// The region configs in order.
    pub regions: Vec<Source>,
    /// The recipe; none: the built-in one.
    pub recipe: Option<Source>,
    /// Flags, which override the project file.
    pub overrides: Overrides,
}

/// What was rewritten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// The files, as the user named them.
    pub files: Vec<Arc<Path>>,
    /// Where their old texts are kept; none of files in memory.
    pub backups: Vec<PathBuf>,
    /// What changed in each.
    pub diffs: Vec<FileDiff>,
}

/// A file with its new text.
struct Draft {
    old: Source,
    new: String,
    why: Vec<String>,
}

impl Files {
    /// The files that `request` leads to.
    pub fn real(request: LoadRequest) -> Self {
        Self::of(Kind::Real(request))
    }

    /// Files in memory: an edit lasts as long as this does.
    pub fn in_memory(texts: Texts) -> Self {
        Self::of(Kind::Memory(Mutex::new(texts)))
    }

    fn of(kind: Kind) -> Self {
        Self(Arc::new(Inner { kind, loaded: Mutex::default(), read: Mutex::default() }))
    }

    /// Whether an edit is lost when muster ends.
    pub fn are_in_memory(&self) -> bool {
        matches!(self.0.kind, Kind::Memory(_))
    }

    /// Loads the project as the files are now. Edits are made for the last
    /// project that came of it: what can't be loaded replaces none.
    pub fn load(&self) -> Loaded {
        let first = held(&self.0.loaded).is_empty();
        self.load_if(|loaded| first || loaded.project.is_some())
    }

    /// The same for one who goes on with the last project unless this one `fits`.
    pub fn load_if(&self, fits: impl FnOnce(&Loaded) -> bool) -> Loaded {
        let loaded = match &self.0.kind {
            Kind::Real(request) => load(request),
            Kind::Memory(texts) => held(texts).load(),
        };
        held(&self.0.read).replace(&loaded.sources);
        if fits(&loaded) {
            held(&self.0.loaded).clone_from(&loaded.sources);
        }
        loaded
    }

    /// Which files differ from what was read of them last: none in memory.
    pub fn changed(&self) -> Changed {
        match &self.0.kind {
            Kind::Real(request) => held(&self.0.read).changed(&request.folder),
            Kind::Memory(_) => Changed::default(),
        }
    }

    /// What `edits` would change; nothing is written.
    pub fn preview(&self, edits: &[Edit]) -> Result<Vec<FileDiff>, EditError> {
        let drafts = self.sources_of(edits)?.into_iter().map(|source| draft(source, edits));
        Ok(drafts.collect::<Result<Vec<_>, _>>()?.iter().map(Draft::diff).collect())
    }

    /// Applies `edits`, all of them or none. The old files are kept next to the
    /// new ones, under names that hold the time.
    pub fn rewrite(&self, edits: &[Edit]) -> Result<Rewritten, Failure> {
        self.rewrite_at(edits, Timestamp::now())
    }

    /// The same at a given time.
    pub fn rewrite_at(&self, edits: &[Edit], at: Timestamp) -> Result<Rewritten, Failure> {
        let sources = self.sources_of(edits)?;
        match &self.0.kind {
            Kind::Real(request) => rewrite_real(&request.folder, sources, edits, at),
            Kind::Memory(texts) => rewrite_memory(&mut held(texts), sources, edits),
        }
    }

    /// The files that `edits` are about, in the order of the edits.
    fn sources_of(&self, edits: &[Edit]) -> Result<Vec<Source>, EditError> {
        let loaded = held(&self.0.loaded);
        let mut sources: Vec<Source> = Vec::new();
        for edit in edits {
            if sources.iter().any(|source| source.path == edit.file) {
                continue;
            }
            let source = loaded.iter().find(|source| source.path == edit.file);
            sources.push(source.ok_or_else(|| unknown(&edit.file))?.clone());
        }
        Ok(sources)
    }
}

impl Texts {
    fn load(&self) -> Loaded {
        let Self { folder, project_file, regions, recipe, overrides } = self.clone();
        load_sources(&folder, project_file, regions, recipe, &overrides)
    }

    fn holds(&self, file: &Source) -> bool {
        let mut all = self.project_file.iter().chain(&self.regions).chain(&self.recipe);
        all.any(|source| source.path == file.path && source.text == file.text)
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Source> {
        self.project_file.iter_mut().chain(&mut self.regions).chain(&mut self.recipe)
    }
}

impl Draft {
    fn diff(&self) -> FileDiff {
        edit::diff(self.old.path.clone(), self.why.clone(), &self.old.text, &self.new)
    }

    fn is_changed(&self) -> bool {
        *self.old.text != *self.new
    }
}

/// `source` with its part of `edits` made.
fn draft(source: Source, edits: &[Edit]) -> Result<Draft, EditError> {
    let own: Vec<Edit> = edits.iter().filter(|edit| edit.file == source.path).cloned().collect();
    let new = edit::apply(&source, &own)?;
    let mut why: Vec<String> = Vec::new();
    for edit in own {
        if !why.contains(&edit.why) {
            why.push(edit.why);
        }
    }
    Ok(Draft { old: source, new, why })
}

fn rewrite_real(
    folder: &Path,
    sources: Vec<Source>,
    edits: &[Edit],
    at: Timestamp,
) -> Result<Rewritten, Failure> {
    let (mut pending, mut diffs) = (Vec::new(), Vec::new());
    for source in sources {
        let (real, text) = edit::current(folder, &source)?;
        let draft = draft(Source { text: text.into(), ..source }, edits)?;
        if draft.is_changed() {
            diffs.push(draft.diff());
            let (shown, old) = (draft.old.path, draft.old.text.to_string());
            pending.push(edit::Pending { shown, real, old, new: draft.new });
        }
    }
    let backups = edit::write(&pending, at, "fix")?;
    let files = pending.into_iter().map(|file| file.shown).collect();
    Ok(Rewritten { files, backups, diffs })
}

fn rewrite_memory(
    texts: &mut Texts,
    sources: Vec<Source>,
    edits: &[Edit],
) -> Result<Rewritten, Failure> {
    let drafts = sources.into_iter().map(|source| draft(source, edits));
    let mut drafts = drafts.collect::<Result<Vec<_>, EditError>>()?;
    if let Some(stale) = drafts.iter().find(|draft| !texts.holds(&draft.old)) {
        return Err(edit::changed(&stale.old.path));
    }
    drafts.retain(Draft::is_changed);
    for draft in &drafts {
        let held = texts.all_mut().filter(|source| source.path == draft.old.path);
        held.for_each(|source| source.text = draft.new.as_str().into());
    }
    let diffs = drafts.iter().map(Draft::diff).collect();
    let files = drafts.into_iter().map(|draft| draft.old.path).collect();
    Ok(Rewritten { files, backups: Vec::new(), diffs })
}

fn unknown(file: &Path) -> EditError {
    let name = text::shown(&file.to_string_lossy());
    edit::not_there(&format!("`{name}` is none of the project's files"))
}

/// What a panicked holder left is whole: everything is put in at once.
fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
