//! The project file with the flags over it, its paths resolved.

use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;

use crate::{
    config::{
        Diagnostic, HostKeyPolicy, Origin, Overrides, Quokka, RayConfig, RegionConfig, Sourced,
        aws, diagnostic::ids, paths, project_file::ProjectFile, reader::ConfigReader, text,
    },
    model::{KeyName, Region, SecurityGroupId},
};

/// Quokka's own default.
const DEFAULT_SPILL_DIR: &str = "/data";

/// What holds for all regions.
#[derive(Debug)]
pub(super) struct Settings {
    pub name: Option<Sourced<String>>,
    pub leader: Option<Sourced<Region>>,
    pub key_name: Option<Sourced<KeyName>>,
    pub requirements: Vec<Sourced<String>>,
    pub spill_dir: Sourced<PathBuf>,
    pub ssh_config: Option<Sourced<PathBuf>>,
    pub host_keys: Sourced<HostKeyPolicy>,
    pub operator_cidr: Option<Sourced<Ipv4Net>>,
    pub operator_ports: Vec<Sourced<u16>>,
    pub quokka: Quokka,
    key_location: Option<Sourced<PathBuf>>,
    security_group: Option<Sourced<String>>,
}

impl Settings {
    /// `file` overridden by `flags`, paths resolved from `folder`.
    pub fn new(
        file: ProjectFile,
        flags: &Overrides,
        folder: &Path,
        reader: &mut ConfigReader,
    ) -> Self {
        let path = |given: Sourced<PathBuf>| given.map(|path| paths::resolve(folder, &path));
        let requirements = flags.requirements.iter().map(|text| flag(text, "--requirement"));
        let settings = Self {
            name: over(flags.name.as_ref(), "--name", file.name),
            leader: over(flags.leader.as_ref(), "--leader", file.leader),
            key_name: over(flags.key_name.as_ref(), "--key-name", file.key_name),
            requirements: match requirements.collect::<Vec<_>>() {
                none if none.is_empty() => file.requirements,
                given => given,
            },
            spill_dir: over(flags.spill_dir.as_ref(), "--spill-dir", file.spill_dir)
                .unwrap_or_else(|| {
                    Sourced::default(PathBuf::from(DEFAULT_SPILL_DIR), "Quokka's default")
                }),
            ssh_config: over(flags.ssh_config.as_ref(), "--ssh-config", file.ssh_config).map(path),
            host_keys: file.host_keys.unwrap_or_else(|| {
                Sourced::default(HostKeyPolicy::Verify, "nothing secret goes to an unknown machine")
            }),
            operator_cidr: over(
                flags.operator_cidr.as_ref(),
                "--operator-cidr",
                file.operator_cidr,
            ),
            operator_ports: file.operator_ports,
            quokka: file.quokka.complete(flags.operator_python),
            key_location: over(flags.key_location.as_ref(), "--key-location", file.key_location)
                .map(path),
            security_group: over(
                flags.security_group.as_ref(),
                "--security-group",
                file.security_group,
            ),
        };
        settings.check_spill_dir(reader);
        settings
    }

    fn check_spill_dir(&self, reader: &mut ConfigReader) {
        if self.spill_dir.is_absolute() {
            return;
        }
        let shown = text::shown(&self.spill_dir.to_string_lossy());
        let message = format!("`{shown}` is not a whole path");
        let help = "it is a folder on the nodes, from the root: `/data`";
        reader.report(about(&self.spill_dir, "spill_dir", ids::INVALID_VALUE, message).help(help));
    }

    /// Gives the regions what they leave open: private key and security group.
    pub fn fill_in(&self, regions: &mut [RegionConfig]) {
        for config in regions.iter_mut().flat_map(|region| &mut region.configs) {
            self.fill_in_key(config);
        }
        let Some(given) = &self.security_group else { return };
        let groups = regions.iter_mut().flat_map(|region| &mut region.groups);
        let templates = groups.map(|group| &mut group.template);
        let open = templates.filter(|template| {
            template.security_groups.is_empty() && template.named_groups.is_empty()
        });
        for template in open {
            if aws::is_id(given, "sg") {
                template.security_groups.push(given.clone().map(SecurityGroupId::from));
            } else {
                template.named_groups.push(given.clone());
            }
        }
    }

    /// A flag goes over the config's own key, the project file under it.
    fn fill_in_key(&self, config: &mut RayConfig) {
        let Some(key) = &self.key_location else { return };
        let open = config
            .ssh_private_key
            .as_ref()
            .is_none_or(|own| matches!(own.origin, Origin::Default(_)));
        if open || matches!(key.origin, Origin::Flag(_)) {
            config.ssh_private_key = Some(key.clone());
        }
    }
}

/// An error about a value that a file or a flag gave.
pub(super) fn about<T>(
    value: &Sourced<T>,
    key: &str,
    id: &'static str,
    message: String,
) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(id, message);
    diagnostic.location = value.location().cloned();
    match value.origin {
        Origin::Flag(flag) => diagnostic.key(flag),
        Origin::File(_) | Origin::Default(_) => diagnostic.key(key),
    }
}

fn flag<T: Clone>(value: &T, name: &'static str) -> Sourced<T> {
    Sourced { value: value.clone(), origin: Origin::Flag(name) }
}

fn over<T: Clone>(
    value: Option<&T>,
    name: &'static str,
    file: Option<Sourced<T>>,
) -> Option<Sourced<T>> {
    value.map(|value| flag(value, name)).or(file)
}
