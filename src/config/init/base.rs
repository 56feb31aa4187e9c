//! The config that others are made from.

use std::path::Path;

use crate::{
    config::{
        Diagnostic, LoadRequest, Loaded, Overrides, RayConfig, RegionConfig, Source,
        diagnostic::ids,
        load,
        yaml::{self, Node},
    },
    model::Region,
};

/// A region config that loads, with its tree and its bytes.
#[derive(Debug)]
pub struct Base {
    /// Its text with its own line ends.
    pub source: Source,
    /// Its content: a region of this config alone.
    pub config: RegionConfig,
    pub(super) root: Node,
}

impl Base {
    /// Reads the region config that the user calls `named`, relative to
    /// `folder`; or all that is wrong with it.
    pub fn read(folder: &Path, named: &Path) -> Result<Self, Vec<Diagnostic>> {
        let files = vec![named.to_owned()];
        let overrides = Overrides::default();
        let request = LoadRequest { folder: folder.to_owned(), files, overrides };
        let Loaded { project: Some(mut project), .. } = loaded(&request)? else {
            return Err(vec![not_one(named)]);
        };
        let config = project.regions.remove(0);
        let Some(own) = config.configs.first().filter(|own| *own.source.path == *named) else {
            return Err(vec![not_one(named)]);
        };
        let root = yaml::parse(&own.source, &mut Vec::new());
        let raw = std::fs::read_to_string(folder.join(named)).ok();
        let (root, raw) = root.zip(raw).ok_or_else(|| vec![not_one(named)])?;
        let source = Source { path: own.source.path.clone(), text: raw.into() };
        Ok(Self { source, config, root })
    }

    /// The config itself.
    pub fn own(&self) -> &RayConfig {
        &self.config.configs[0]
    }

    /// Its region.
    pub fn region(&self) -> &Region {
        &self.config.region
    }

    /// A path of this machine that starts from the project's folder.
    pub fn relative_path(&self) -> Option<&str> {
        let key = self.text(&["auth", "ssh_private_key"]);
        let mounts = self.root.get("file_mounts").map(Node::entries).unwrap_or_default();
        let mut paths = key.into_iter().chain(mounts.iter().map(|entry| entry.value.text()));
        paths.find(|path| !path.is_empty() && !path.starts_with(['/', '~']))
    }

    /// A text in it, as written; `None` where it holds none there.
    pub(super) fn text(&self, path: &[&str]) -> Option<&str> {
        let node = path.iter().try_fold(&self.root, |node, key| node.get(key))?;
        Some(node.text()).filter(|text| !text.is_empty())
    }
}

fn loaded(request: &LoadRequest) -> Result<Loaded, Vec<Diagnostic>> {
    let loaded = load(request);
    match loaded.project {
        None => Err(loaded.diagnostics),
        Some(_) => Ok(loaded),
    }
}

fn not_one(named: &Path) -> Diagnostic {
    let name = crate::config::text::shown(&named.to_string_lossy());
    let message = format!("`{name}` is not one region's config");
    let help = "give --from the config of one region: `muster init --from us.yaml`";
    Diagnostic::error(ids::NOT_A_CONFIG, message).help(help)
}
